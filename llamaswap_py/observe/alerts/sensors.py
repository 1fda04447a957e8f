"""Takes what is measured and counted anyway, and has the disks looked at in a thread: readings for the rules."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Awaitable, Callable, Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

import psutil

from llamaswap_py.observe.alerts.answers import Answers
from llamaswap_py.observe.alerts.judge import Now
from llamaswap_py.observe.alerts.readings import Disk, Totals, Window, counted, fullest, hottest, measured
from llamaswap_py.observe.alerts.rules import Reading
from llamaswap_py.observe.gpu.card import Card
from llamaswap_py.observe.performance import Performance

OLD_SECONDS = 300.0  # what a disk was then says nothing of now: its file system does not answer


class Swapping(NamedTuple):
    """Counted from the program's start."""

    seconds: float
    restarts: Mapping[str, float]  # by model


class Sensors:
    """`swapping` and `places` are asked at every look; `cards` too."""

    def __init__(
        self,
        performance: Performance,
        answers: Answers,
        swapping: Callable[[], Swapping],
        places: Callable[[], list[Path]],
    ) -> None:
        self.performance = performance
        self.answers = answers
        self.swapping = swapping
        self.places = places
        self.cards: Callable[[], Iterable[Card]] = tuple  # whose figures are of now
        self.window = Window()
        self.disks: tuple[float, list[Disk]] | None = None  # when, by the clock

    def read(self, now: Now, seconds: float) -> dict[str, Reading]:
        """`seconds`: over which is counted."""
        swapping = self.swapping()
        totals: Totals = self.answers.totals(swapping.seconds, swapping.restarts)
        self.window.add(totals, now.clock, seconds)
        found = counted(self.window) | measured(self.performance.latest(), self.performance.every, now.wall)
        found |= hottest(self.cards())
        if self.disks is not None and now.clock - self.disks[0] <= OLD_SECONDS:
            found |= fullest(self.disks[1])
        return found

    async def look_at_disks(
        self, thread: Callable[[Callable[[], list[Disk]], str], Awaitable[list[Disk] | None]], clock: float
    ) -> None:
        """Waits for as long as a dead network folder does."""
        places = self.places()
        found = await thread(lambda: disks(places), "disks")
        if found is not None:
            self.disks = clock, found


def disks(places: Iterable[Path]) -> list[Disk]:
    """Each file system once. What cannot be written to cannot become full."""
    found: dict[int, Disk] = {}
    for place in places:
        with contextlib.suppress(OSError):
            there = next(each for each in (place, *place.parents) if each.exists())
            if os.access(there, os.W_OK):
                found.setdefault(there.stat().st_dev, Disk(str(there), psutil.disk_usage(str(there)).percent))
    return list(found.values())
