"""Names on the hub: what a person wrote, what a path may be here, and what a file's name says. No I/O."""

from __future__ import annotations

import re
from urllib.parse import unquote, urlsplit

import msgspec

from llamaswap_py.library.pull.troubles import PullFailed, Trouble

REPO = re.compile(r"(?:(?P<owner>[\w][\w.-]*)/)?(?P<name>[\w][\w.-]*)", re.ASCII)
PART = re.compile(r"(?P<stem>.+)-(?P<number>\d{5})-of-(?P<count>\d{5})\.gguf", re.IGNORECASE)
QUANT = re.compile(
    r"(?<![A-Za-z0-9])(?:UD-)?(?:I?Q\d(?:_[A-Z0-9]+)*|TQ\d_\d|(?:MX|NV)FP4(?:_MOE)?|BF16|FP?16|FP?32)(?![A-Za-z0-9])",
    re.IGNORECASE,
)
PAGES = ("blob", "resolve", "tree", "raw")  # of the hub's site: what stands after the repository's name
RESERVED = re.compile(r"(?:con|prn|aux|nul|com\d|lpt\d)(?:\..*)?", re.IGNORECASE)  # devices, to Windows
LONGEST = 200  # of one name; file systems take 255 bytes, and a name in the making is longer


class Wish(msgspec.Struct, frozen=True):
    """What is to be pulled."""

    repo: str
    include: tuple[str, ...] = ()
    quant: str = ""
    revision: str = ""
    mmproj: bool = True


def wish_of(text: str, include: tuple[str, ...] = (), quant: str = "", revision: str = "", mmproj: bool = True) -> Wish:
    """From `owner/name`, `owner/name:Q4_K_M`, or an address copied from the hub's site."""
    word = text.strip()
    path = word
    if "://" in word or word.partition("/")[0].endswith((".co", ".com")):
        path = unquote(urlsplit(word if "://" in word else f"https://{word}").path).strip("/")
        path, *rest = re.split(rf"/({'|'.join(PAGES)})/", path, maxsplit=1)
        if rest:
            named, _, file = rest[1].partition("/")
            revision = revision or named
            include = include or ((file if rest[0] in ("blob", "resolve", "raw") else f"{file}/*",) if file else ())
    path, _, tag = path.partition(":")
    match = REPO.fullmatch(path)
    if match is None or ".." in path:
        raise PullFailed(
            Trouble.BAD_NAME, f"'{text}' is not the name of a repository. Write owner/name, as the hub's pages show it."
        )
    tag = "" if tag.lower() == "latest" else tag
    return Wish(path, include, quant or tag, revision, mmproj)


def is_safe(path: str) -> bool:
    """Whether a file of this name stays within the folder it is put in, on any system."""
    segments = path.split("/")
    return (
        path.isprintable()
        and not any(letter in path for letter in '\\:*?"<>|')
        and all(is_name(segment) for segment in segments)
    )


def is_name(segment: str) -> bool:
    whole = bool(segment) and len(segment.encode()) <= LONGEST and segment == segment.rstrip(" .")
    return whole and RESERVED.fullmatch(segment) is None


def quant_of(path: str) -> str:
    """`Q4_K_M` and the like, in capitals; from the name, else from its folder. Empty where nothing says."""
    for segment in reversed(path.split("/")):
        if found := QUANT.findall(segment.removesuffix(".gguf")):
            return str(found[-1]).upper().replace("FP16", "F16").replace("FP32", "F32")
    return ""


def plain(quant: str) -> str:
    """As people write it: small or capital, `-` or `_`."""
    return quant.upper().replace("-", "_").replace("FP16", "F16").replace("FP32", "F32")
