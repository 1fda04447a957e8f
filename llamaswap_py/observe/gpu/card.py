"""One GPU at one moment, and what may be believed of what a tool said about it. Pure.

None everywhere means: nobody said it, or what was said cannot be so."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

LONGEST_NAME = 200
LARGEST = 2**50  # bytes; no card has so much
NO_PROCESSES: Mapping[int, int] = MappingProxyType({})

# What a number of each kind can be at all.
RANGES = {
    "utilisation": (0.0, 100.0),
    "temperature": (-50.0, 200.0),
    "vram_temperature": (-50.0, 200.0),
    "power": (0.0, 10_000.0),
    "power_limit": (0.0, 10_000.0),
    "fan": (0.0, 200.0),  # of the loudest that is intended: more is possible
    "memory_used": (0, LARGEST),
    "memory_total": (1, LARGEST),
    "memory_free": (0, LARGEST),
}
TEXTS = ("uuid", "name", "vendor", "driver", "driver_version", "architecture", "memory_kind")


class Card(NamedTuple):
    """Memory in bytes, temperatures in degrees Celsius, power in watts, the rest in percent."""

    kind: str  # which tool knows it: nvidia, amd, apple
    number: int  # from 0, among those that the tool knows
    name: str = ""
    vendor: str = ""
    uuid: str | None = None
    utilisation: float | None = None
    temperature: float | None = None
    vram_temperature: float | None = None
    power: float | None = None
    power_limit: float | None = None
    fan: float | None = None
    memory_used: int | None = None
    memory_total: int | None = None
    memory_free: int | None = None
    memory_kind: str | None = None  # dedicated, unified, shared_system
    driver: str | None = None
    driver_version: str | None = None
    architecture: str | None = None
    asleep: bool = False  # and left so: a look would wake it
    processes: Mapping[int, int] | None = None  # bytes by process; None where that is not told
    disbelieved: tuple[str, ...] = ()  # fields whose values cannot be so

    @property
    def key(self) -> tuple[str, str]:
        return self.kind, self.uuid or str(self.number)

    @property
    def memory_percent(self) -> float | None:
        if self.memory_used is None or self.memory_total is None:
            return None
        return round(100 * self.memory_used / self.memory_total, 1)


def believed(kind: str, told: Mapping[str, Any]) -> Card | None:
    """None where it is no card at all."""
    index = told.get("index")
    if not isinstance(index, int) or isinstance(index, bool) or index < 0:
        return None
    numbers = {name: possible(name, told.get(name)) for name in RANGES}
    doubted = [name for name in RANGES if told.get(name) is not None and numbers[name] is None]
    fit_memory(numbers, doubted)
    texts: dict[str, Any] = {name: text_of(told.get(name)) for name in TEXTS}
    texts |= {"name": texts["name"] or "", "vendor": texts["vendor"] or kind}
    if texts["memory_kind"] == "dedicated" and None not in (numbers["memory_total"], numbers["memory_used"]):
        numbers["memory_free"] = numbers["memory_free"] or numbers["memory_total"] - numbers["memory_used"]
    processes = processes_of(told.get("processes"), numbers["memory_total"])
    card = Card(kind, index, asleep=told.get("asleep") is True, processes=processes, disbelieved=tuple(doubted))
    return card._replace(**numbers, **texts)


def possible(name: str, value: object) -> Any:
    """Whole where it is memory."""
    low, high = RANGES[name]
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        return None
    if not low <= value <= high:
        return None
    return int(value) if isinstance(low, int) else float(value)


def fit_memory(numbers: dict[str, Any], doubted: list[str]) -> None:
    """No part is larger than the whole."""
    total = numbers["memory_total"]
    for name in ("memory_used", "memory_free"):
        if total is not None and numbers[name] is not None and numbers[name] > total:
            numbers[name] = None
            doubted.append(name)


def text_of(value: object) -> str | None:
    if not isinstance(value, str):
        return None
    return "".join(letter for letter in value if letter.isprintable()).strip()[:LONGEST_NAME] or None


def processes_of(told: object, total: int | None) -> Mapping[int, int] | None:
    """A process whose memory cannot be so is not there."""
    if not isinstance(told, Mapping):
        return None
    found: dict[int, int] = {}
    for name, value in told.items():
        size = possible("memory_used", value)
        if re.fullmatch("[0-9]{1,9}", str(name)) and int(name) > 0 and size is not None and size <= (total or LARGEST):
            found[int(name)] = size
    return found
