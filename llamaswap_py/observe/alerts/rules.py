"""What can be watched: each rule's unit and words, and how grave it is. Values only."""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

import msgspec


class Level(IntEnum):
    CALM = 0
    WARNING = 1
    CRITICAL = 2

    @property
    def word(self) -> str:
        return self.name.lower()


class Measure(NamedTuple):
    """`of` begins a sentence that goes on with the value."""

    of: str
    unit: str = ""


MEASURES = {
    "cpu_usage": Measure("CPU usage", "%"),
    "memory_usage": Measure("memory usage", "%"),
    "gpu_temperature": Measure("GPU temperature", "°C"),
    "error_rate": Measure("error rate", "%"),
    "response_time": Measure("response time", "ms"),
    "swap_thrash": Measure("time spent swapping models", "%"),
    "restarts": Measure("restarts after failures"),
    "disk_usage": Measure("disk usage", "%"),
}


class Reading(NamedTuple):
    """One rule's value now, and what a person would want to know beside it."""

    value: float
    detail: str = ""


class Acknowledged(msgspec.Struct, frozen=True):
    by: str
    note: str
    at: float  # unix seconds


class Alert(msgspec.Struct, frozen=True):
    """From when a rule's value had been too high for long enough until it was low for long enough. Unix seconds."""

    id: str
    rule: str
    level: Level
    began: float
    value: float  # the last
    worst: float
    detail: str = ""  # beside the worst
    limit: int = 0  # the one that was reached
    told: Level = Level.CALM  # the gravest that receivers were told of
    acknowledged: Acknowledged | None = None
    ended: float = 0.0  # 0: it goes on
    why: str = ""  # it ended, where the value does not say it


FIRED, WORSE, RESOLVED, TEST = "fired", "worse", "resolved", "test"


class News(NamedTuple):
    """What receivers are to hear."""

    kind: str
    alert: Alert
