"""From what is counted and measured anyway to the value of each rule. Pure: counts and samples in, readings out."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from llamaswap_py.config.values import NOTHING
from llamaswap_py.observe.alerts.rules import Reading
from llamaswap_py.observe.gpu.card import Card

# Fewer failures than that are nothing to wake anybody for, whatever part of the requests they are.
FEWEST_FAILURES = 3
STALE_FACTOR = 3.0  # a sample older than so many intervals tells of then, not of now


class Totals(NamedTuple):
    """Counted from the program's start."""

    finished: int = 0
    failed: int = 0  # 5xx
    answered: int = 0
    waited: float = 0.0  # seconds until their answers began, of those that were answered
    swapping: float = 0.0  # seconds
    restarts: Mapping[str, float] = NOTHING  # by model


class Window:
    """Totals of the last while."""

    def __init__(self) -> None:
        self.kept: deque[tuple[float, Totals]] = deque()

    def add(self, totals: Totals, clock: float, seconds: float) -> None:
        """Keeps one that is as old as the window, so that the difference covers it."""
        self.kept.append((clock, totals))
        while len(self.kept) > 2 and self.kept[1][0] <= clock - seconds:
            self.kept.popleft()

    @property
    def span(self) -> float:
        return self.kept[-1][0] - self.kept[0][0]

    @property
    def ends(self) -> tuple[Totals, Totals]:
        return self.kept[0][1], self.kept[-1][1]


def counted(window: Window) -> dict[str, Reading]:
    """Nothing before the second look."""
    if window.span <= 0:
        return {}
    old, new = window.ends
    finished, failed = new.finished - old.finished, new.failed - old.failed
    answered, waited = new.answered - old.answered, new.waited - old.waited
    restarts = {model: count - old.restarts.get(model, 0) for model, count in new.restarts.items()}
    worst = sorted((model for model, count in restarts.items() if count), key=lambda model: -restarts[model])
    swapped = min(100.0, 100 * (new.swapping - old.swapping) / window.span)
    return {
        "error_rate": Reading(
            100 * failed / finished if failed >= FEWEST_FAILURES else 0.0, f"{failed} of {finished} requests failed"
        ),
        "response_time": Reading(1000 * waited / answered if answered else 0.0, f"of {answered} answers"),
        "swap_thrash": Reading(swapped, f"of the last {window.span:.0f} s"),
        "restarts": Reading(
            sum(restarts.values()), ", ".join(f"{model}: {restarts[model]:.0f}" for model in worst[:3])
        ),
    }


def measured(sample: Mapping[str, Any] | None, every: float, wall: float) -> dict[str, Reading]:
    """Of the machine; nothing where the last measurement is missing or old."""
    if sample is None or every <= 0:
        return {}
    age = wall - datetime.fromisoformat(sample["timestamp"]).timestamp()
    if age > STALE_FACTOR * every:
        return {}
    cores: Sequence[float] = sample["cpu_util_per_core"]
    used, total = sample["mem_used_mb"], sample["mem_total_mb"]
    found = {}
    if cores:
        found["cpu_usage"] = Reading(sum(cores) / len(cores), f"of {len(cores)} cores")
    if total:
        found["memory_usage"] = Reading(100 * used / total, f"{used} of {total} MiB")
    return found


def hottest(cards: Iterable[Card]) -> dict[str, Reading]:
    """Of those whose figures are of now."""
    known = [(card.temperature, card) for card in cards if card.temperature is not None]
    if not known:
        return {}
    degrees, card = max(known, key=lambda each: each[0])
    return {
        "gpu_temperature": Reading(degrees, f"GPU {card.number}, {card.name}" if card.name else f"GPU {card.number}")
    }


class Disk(NamedTuple):
    place: str
    percent: float


def fullest(disks: Iterable[Disk]) -> dict[str, Reading]:
    found = max(disks, key=lambda disk: disk.percent, default=None)
    return {} if found is None else {"disk_usage": Reading(found.percent, f"at {found.place}")}
