"""One value of each kind, as Go's decoder takes it and a little kinder where a person's meaning is plain.
A reader answers None where nothing was set or where it has told what is wrong; the default then holds."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TypeVar

import msgspec

from llamaswap_py.config.report import Report, closest
from llamaswap_py.config.scalars import as_number, spell
from llamaswap_py.config.schema import SECRET, Key, Kind
from llamaswap_py.config.tree import List, Map, Node, Scalar, Stamp, inside, kind
from llamaswap_py.config.values import NOTHING, Json

N = TypeVar("N", int, float)

YES = frozenset({"y", "Y", "yes", "Yes", "YES", "on", "On", "ON"})
NO = frozenset({"n", "N", "no", "No", "NO", "off", "Off", "OFF"})
DURATION = re.compile(r"[-+]?(?:\d+(?:\.\d+)?(?:ns|us|µs|ms|s|m|h|d))+")
PART = re.compile(r"(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h|d)")
UNIT = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
SIZE = re.compile(r"(\d+)\s*([kmgKMG]?)(?:i?[bB])?")
FACTOR = {"": 1, "k": 1024, "m": 1024**2, "g": 1024**3}


class Spot(msgspec.Struct, frozen=True):
    """One value being read: what it should be, where it stands, and where to say what is wrong."""

    key: Key
    above: str  # the path of what it stands in
    step: str | int
    report: Report

    @property
    def path(self) -> str:
        return inside(self.above, self.step)

    def wrong(self, node: Node, message: str, remedy: str) -> None:
        self.report.wrong(node.place, self.path, message, remedy)

    def warn(self, node: Node, message: str, remedy: str) -> None:
        self.report.warn(node.place, self.path, message, remedy)

    def below(self, step: str | int) -> Spot:
        return Spot(self.key, self.path, step, self.report)


def read_text(node: Node, spot: Spot) -> str | None:
    if not isinstance(node, Scalar):
        spot.wrong(
            node, f"this must be a text, and it is {kind(node)}", "Write it on one line, or as a block after `|`."
        )
        return None
    if node.value is None:
        return None
    if "\0" in node.text:  # no command, environment or address can hold one
        spot.wrong(node, "this text contains a NUL character", "Remove it.")
        return None
    return node.value if isinstance(node.value, str) else node.text


def read_texts(node: Node, spot: Spot) -> tuple[str, ...] | None:
    if isinstance(node, Scalar) and node.value is None:
        return None
    if not isinstance(node, List):
        remedy = "Write its entries with `- `."
        if isinstance(node, Scalar) and spot.key.path not in SECRET:
            remedy = f"Write `- {node.text}` below it."
        spot.wrong(node, f"this must be a list, and it is {kind(node)}", remedy)
        return None
    texts = []
    for number, item in enumerate(node.items):
        text = read_text(item, spot.below(number))
        texts.append(text or "")
    return tuple(texts)


def read_flag(node: Node, spot: Spot) -> bool | None:
    value = node.value if isinstance(node, Scalar) else node
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str) and value in YES | NO:
        return value in YES
    shown = f"`{node.text}`" if isinstance(node, Scalar) else kind(node)
    spot.wrong(node, f"this must be true or false, and it is {shown}", "Write true or false.")
    return None


def read_whole(node: Node, spot: Spot) -> int | None:
    return within(read_number(node, spot, "Write a whole number."), node, spot)


def read_seconds(node: Node, spot: Spot) -> float | None:
    value = duration(node)
    if value is None:
        value = read_number(node, spot, "Write seconds as a number, or a duration such as 90s, 5m or 1h30m.")
    return within(value, node, spot)


def read_span(node: Node, spot: Spot) -> float | None:
    """Seconds that need not be whole, and may be endless."""
    if isinstance(node, Scalar) and isinstance(node.value, float) and not math.isnan(node.value):
        return within(node.value, node, spot)
    return read_seconds(node, spot)


def duration(node: Node) -> float | None:
    if not isinstance(node, Scalar) or not isinstance(node.value, str) or not DURATION.fullmatch(node.value):
        return None
    total = sum(float(amount) * UNIT[unit] for amount, unit in PART.findall(node.value))
    return -total if node.value.startswith("-") else total


def read_number(node: Node, spot: Spot, remedy: str) -> int | None:
    """A fraction is cut off, as Go does; whoever wrote it is told."""
    if not isinstance(node, Scalar):
        spot.wrong(node, f"this must be a number, and it is {kind(node)}", remedy)
        return None
    value = node.value
    if value is None or (isinstance(value, int) and not isinstance(value, bool)):
        return value
    if isinstance(value, float) and math.isfinite(value):
        if value != int(value):
            spot.warn(node, f"the fraction of {spell(value)} is cut off: {int(value)}", remedy)
        return int(value)
    if isinstance(value, str) and as_number(value.strip()) is not None:
        spot.wrong(node, f'this must be a number, and "{value}" in quotes is a text', "Remove the quotes.")
    else:
        spot.wrong(node, f"this must be a number, and it is `{node.text}`", remedy)
    return None


def read_size(node: Node, spot: Spot) -> int | None:
    if isinstance(node, Scalar) and isinstance(node.value, str) and (found := SIZE.fullmatch(node.value.strip())):
        return within(int(found[1]) * FACTOR[found[2].lower()], node, spot)
    return within(read_number(node, spot, "Write bytes as a number, or a size such as 256MB."), node, spot)


def within(value: N | None, node: Node, spot: Spot) -> N | None:
    """The number, if it keeps to the key's bounds."""
    least, most = spot.key.least, spot.key.most
    if value is not None and least is not None and value < least:
        spot.wrong(node, f"this must be at least {least}, and it is {spell(value)}", "Write a larger number.")
        return None
    if value is not None and most is not None and value > most:
        spot.wrong(node, f"this must be at most {most}, and it is {spell(value)}", "Write a smaller number.")
        return None
    return value


def read_word(node: Node, spot: Spot) -> str | None:
    text = read_text(node, spot)
    if text is None:
        return None
    word = text.strip().lower() if spot.key.lenient else text
    if word in spot.key.words or word == spot.key.default:
        return word
    near = closest(word, spot.key.words)
    remedy = f"Did you mean {near[0]}?" if near else f"Write one of {', '.join(spot.key.words)}."
    if spot.key.lenient:
        spot.warn(node, f"`{text}` is not one of {', '.join(spot.key.words)}; {spot.key.default} is used", remedy)
    else:
        spot.wrong(node, f"this must be one of {', '.join(spot.key.words)}, and it is `{text}`", remedy)
    return None


def entries(node: Node, spot: Spot) -> Mapping[str, Node]:
    """What stands below a mapping of names; nothing where there is no mapping, which is told."""
    found = read_map(node, spot.path, spot.report)
    return found.entries if found else {}


def read_names(node: Node, spot: Spot) -> Mapping[str, str] | None:
    found = {name: read_text(each, spot.below(name)) or "" for name, each in entries(node, spot).items()}
    return MappingProxyType(found) if found else None


def read_counts(node: Node, spot: Spot) -> Mapping[str, int] | None:
    read = {name: read_whole(each, spot.below(name)) for name, each in entries(node, spot).items()}
    found = {name: value for name, value in read.items() if value is not None}
    return MappingProxyType(found) if found else None


def read_object(node: Node, spot: Spot) -> Mapping[str, Json] | None:
    read = {name: read_json(each, spot.below(name)) for name, each in entries(node, spot).items()}
    return MappingProxyType(read) if read else None


def read_objects(node: Node, spot: Spot) -> Mapping[str, Mapping[str, Json]] | None:
    read = {name: read_object(each, spot.below(name)) or NOTHING for name, each in entries(node, spot).items()}
    return MappingProxyType(read) if read else None


def read_json(node: Node, spot: Spot) -> Json:
    """A free value. Dates become texts, and numbers that JSON does not have become null, which is told."""
    if isinstance(node, List):
        return tuple(read_json(item, spot.below(number)) for number, item in enumerate(node.items))
    if isinstance(node, Map):
        return MappingProxyType({name: read_json(each, spot.below(name)) for name, each in node.entries.items()})
    if isinstance(node.value, Stamp):
        return rfc3339(node.value.text)
    if isinstance(node.value, float) and not math.isfinite(node.value):
        spot.warn(node, f"JSON has no number `{node.text}`, and null is used", "Write a number, or put it in quotes.")
        return None
    return node.value


DATE = re.compile(r"(\d{4})-(\d\d?)-(\d\d?)(?:[Tt ]+(\d\d?):(\d\d?):(\d\d?)(?:\.(\d+))?(.*))?")


def rfc3339(text: str) -> str:
    """A date or time as Go writes it into JSON."""
    found = DATE.fullmatch(text)
    assert found  # what a Stamp looks like
    year, month, day, hour, minute, second, fraction, zone = found.groups("")
    date = f"{year}-{int(month):02}-{int(day):02}"
    clock = f"{int(hour or 0):02}:{int(minute or 0):02}:{int(second or 0):02}"
    digits = fraction.rstrip("0")[:9]
    return f"{date}T{clock}{f'.{digits}' if digits else ''}{zone or 'Z'}"


READERS: dict[Kind, Callable[[Node, Spot], object]] = {
    Kind.TEXT: read_text,
    Kind.TEXTS: read_texts,
    Kind.FLAG: read_flag,
    Kind.WHOLE: read_whole,
    Kind.SECONDS: read_seconds,
    Kind.SPAN: read_span,
    Kind.SIZE: read_size,
    Kind.WORD: read_word,
    Kind.NAMES: read_names,
    Kind.COUNTS: read_counts,
    Kind.OBJECT: read_object,
    Kind.OBJECTS: read_objects,
}


def read_map(node: Node | None, path: str, report: Report) -> Map | None:
    """A mapping, or None where there is nothing or something else."""
    if node is None or isinstance(node, Map):
        return node
    if not (isinstance(node, Scalar) and node.value is None):
        remedy = "Write its entries below it as `key: value`."
        report.wrong(node.place, path, f"this must be a mapping, and it is {kind(node)}", remedy)
    return None
