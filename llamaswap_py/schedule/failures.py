"""What went wrong with one model lately, and what follows: how long it is left alone, when it is given up, whom its
next start may evict. Counts and times only; whose they are is `lives`."""

from __future__ import annotations

import math
from enum import Enum

import msgspec

from llamaswap_py.config.values import CrashLimit

# One failure may be chance (memory that was not back yet): its next try may still evict. After two it is a habit.
HABIT = 2


class Kind(Enum):
    """What failed: a start, a run that was ready and no more, or one that had been ready for long. Where somebody was
    served no failure is counted at all: one caller's request that kills servers must not cost the others the model."""

    START = 1
    READY = 2
    SUCCESS = 3


class Failures(msgspec.Struct, eq=False):
    row: int = 0  # since the last success
    last: float = -math.inf
    until: float = 0.0  # it is left alone
    given_up: bool = False  # from the failure that was one too many until a try has proved itself
    times: list[float] = msgspec.field(default_factory=list)  # those in the window, on a clock that excuses
    excused: float = 0.0  # seconds in which it could not fail: loading, or left alone

    def loaded(self, took: float) -> None:
        """However slowly it fails, the limit can be reached: a load takes no time of the window."""
        self.excused += took

    def add(self, now: float, pauses: tuple[float, ...], limit: CrashLimit, kind: Kind) -> None:
        """A run that had been ready is tried anew at once, the first time: its callers may be served after all."""
        self.row += kind is not Kind.SUCCESS
        self.last = now
        steps = pauses if kind is Kind.START else (0.0, *pauses)
        pause = steps[max(min(self.row, len(steps)) - 1, 0)] if steps else 0.0
        self.count(now, limit)
        if self.given_up:
            pause = limit.retry
        self.excused += pause
        self.until = now + pause

    def count(self, now: float, limit: CrashLimit) -> None:
        moment = now - self.excused
        self.times = [time for time in self.times if moment - time < limit.window]
        self.times.append(moment)
        if limit.failures and len(self.times) >= limit.failures:
            self.given_up = True
        self.given_up = self.given_up and bool(limit.failures)

    def proved(self) -> None:
        """A run served, or stayed ready for long enough. What is in the window still counts; only the try after
        giving up wipes it out."""
        self.row = 0
        if self.given_up:
            self.given_up = False
            self.times.clear()

    def pausing(self, now: float) -> bool:
        return now < self.until

    def evicts_at(self, limit: CrashLimit) -> float:
        """From when on its start may evict another model; until then it is tried where there is room."""
        return self.last + limit.retry if self.row >= HABIT else -math.inf
