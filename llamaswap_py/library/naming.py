"""From names of files and folders to names of models. Pure.

The short name is the file's without its quantisation, in lower case: `qwen2.5-7b-instruct`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence

import msgspec

SEPARATOR = r"[-._]"
QUANT = r"(?:(?:UD|i1)[-._])?(?:I?Q\d+(?:_[0-9A-Z]+)*|TQ\d_\d|BF16|FP?16|FP?32|FP8|MXFP4(?:_MOE)?|NVFP4)"
TAIL = re.compile(rf"(?:^|{SEPARATOR})(?P<quant>{QUANT})(?:{SEPARATOR}(?:imat|imatrix|gguf|pure))?$", re.IGNORECASE)
PART = re.compile(r"(?P<stem>.+)-(?P<number>\d{5})-of-(?P<count>\d{5})", re.IGNORECASE)
GGUF = re.compile(rf"{SEPARATOR}gguf$", re.IGNORECASE)
PROJECTOR = re.compile(rf"^mmproj(?:{SEPARATOR}|$)|{SEPARATOR}mmproj$", re.IGNORECASE)
UNFIT = re.compile(r"[\s/\\?#%&\"'<>|*:$]+")  # in an address or in a shell they mean something else
GENERIC = frozenset({"", "model", "ggml-model", "gguf", "ggml", "unsloth", "weights", "consolidated"})  # says nothing


class Part(msgspec.Struct, frozen=True):
    """A file's place in a model of several."""

    stem: str
    number: int  # from 1
    count: int


class Name(msgspec.Struct, frozen=True):
    written: str  # as the file is called, without its ending
    base: str
    quant: str  # empty where neither file nor header says one
    owner: str  # whose it is, or where it stands: tells two of the same base and quantisation apart
    other: tuple[str, ...] = ()  # what it is called elsewhere

    @property
    def full(self) -> str:
        return f"{self.base}-{self.quant}" if self.quant else self.base


def stem_of(name: str) -> str:
    return name[: -len(".gguf")] if name.lower().endswith(".gguf") else name


def part_of(name: str) -> Part | None:
    found = PART.fullmatch(stem_of(name))
    return Part(found["stem"], int(found["number"]), int(found["count"])) if found else None


def split_quant(stem: str) -> tuple[str, str]:
    """The name and its quantisation, which may be empty."""
    found = TAIL.search(stem)
    return (stem[: found.start()], found["quant"]) if found else (stem, "")


def fit(name: str) -> str:
    return UNFIT.sub("-", name).strip("-._ ").lower()


def name_of(stem: str, folder: Sequence[str], quant: str) -> Name:
    """`folder` is where it stands, the shelf first; `quant` what the header says, for names that do not."""
    base, own = split_quant(stem)
    homes = [split_quant(GGUF.sub("", step.rpartition("/")[2]))[0] for step in folder[1:]]
    home = next((each for each in reversed(homes) if fit(each) not in GENERIC), "")
    written = stem
    if fit(base) in GENERIC and home:
        base = home
        written = f"{home}-{own}" if own else home
    owner = next((step.rpartition("/")[0] for step in folder[1:] if "/" in step), "") or home
    return Name(written, fit(base) or "model", fit(own or quant), fit(owner), other=hub_name(folder, own or quant))


def hub_name(folder: Sequence[str], quant: str) -> tuple[str, ...]:
    """`org/name:QUANT`, as llama-server's `-hf` takes it, for what stands in such a folder."""
    repo = next((step for step in folder[1:] if "/" in step), "")
    return (f"{repo}:{quant.upper()}",) if repo and quant else ()


def given_name(given: str) -> Name:
    """One that the shelf gives, as Ollama's `llama3.2:3b`; what is only the newest of its kind need not be said."""
    base = given.removesuffix(":latest")
    return Name(base, base, "", "", (given,) if given != base else ())


def projector_stem(stem: str) -> str:
    """The model's name in a projector's, empty where there is none."""
    return fit(PROJECTOR.sub("", split_quant(stem)[0]))


def give_ids(names: Mapping[str, Name], held: Mapping[str, str], reserved: Collection[str] = ()) -> dict[str, str]:
    """Path -> id. Who comes first has the short one; whoever has one already keeps it."""
    ids: dict[str, str] = {}
    taken = set(reserved)
    for path in names:
        if path in held and held[path] not in taken:
            ids[path] = held[path]
            taken.add(held[path])
    for path, name in names.items():
        if path not in ids:
            ids[path] = first_free(candidates(name), taken)
            taken.add(ids[path])
    return ids


def candidates(name: Name) -> list[str]:
    owned = f"{name.owner}/{name.full}" if name.owner else name.full
    return list(dict.fromkeys([name.base, name.full, owned]))


def first_free(wanted: Sequence[str], taken: Collection[str]) -> str:
    free = [each for each in wanted if each not in taken]
    number = 2
    while not free:
        free = [each for each in (f"{wanted[-1]}-{number}",) if each not in taken]
        number += 1
    return free[0]


def give_aliases(names: Mapping[str, Name], ids: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    """Path -> the other names it answers to. What could mean two models means the first of them."""
    taken = set(ids.values())
    found: dict[str, list[str]] = {path: [] for path in names}

    def claim(path: str, wanted: Iterable[str]) -> None:
        for alias in wanted:
            if alias not in taken:
                taken.add(alias)
                found[path].append(alias)

    for path, name in names.items():
        claim(path, (name.full, name.written, *name.other))
    for path, name in names.items():
        claim(path, (name.base,))
    return {path: tuple(aliases) for path, aliases in found.items()}
