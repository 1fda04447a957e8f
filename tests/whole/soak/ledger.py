"""What came of the callers' requests, what was done to the program, and every breach of a promise."""

from __future__ import annotations

import asyncio
import contextlib
import math
import time
from collections import Counter, deque
from dataclasses import dataclass, field

REMEMBERED = 80  # of the last events: what a breach is told with
MOMENT = 2.0  # in which a batch of records is written, on a busy machine


@dataclass
class Ledger:
    began: float = field(default_factory=time.monotonic)
    outcomes: Counter[str] = field(default_factory=Counter)  # how requests ended
    statuses: Counter[tuple[str, int]] = field(default_factory=Counter)  # by model, where the caller saw one
    unsure: Counter[str] = field(default_factory=Counter)  # by model: left before anything was seen
    troubles: Counter[str] = field(default_factory=Counter)
    events: deque[str] = field(default_factory=lambda: deque(maxlen=REMEMBERED))
    breaches: list[str] = field(default_factory=list)
    health: list[float] = field(default_factory=list)  # seconds that each /health took
    longest: float = 0.0  # the longest that a caller was busy
    blind_until: float = 0.0  # there is no room for records until then
    excused: Counter[str] = field(default_factory=Counter)  # by model: requests that ended meanwhile
    recent: deque[tuple[float, str]] = field(default_factory=lambda: deque(maxlen=1000))

    @property
    def now(self) -> float:
        return time.monotonic() - self.began

    @property
    def requests(self) -> int:
        return self.outcomes.total()

    def note(self, what: str) -> None:
        self.events.append(f"{self.now:8.2f}  {what}")

    def trouble(self, kind: str, detail: str = "") -> None:
        self.troubles[kind] += 1
        self.note(f"trouble: {kind} {detail}".rstrip())

    def breach(self, what: str) -> None:
        self.note(f"BREACH: {what}")
        self.breaches.append(f"after {self.now:.1f} s: {what}")

    def blind(self, is_blind: bool) -> None:
        """Rows are written in batches: who ended a moment before may be among the lost, and a moment after."""
        if is_blind and self.now >= self.blind_until:
            self.excused.update(model for when, model in self.recent if when > self.now - MOMENT)
        self.blind_until = math.inf if is_blind else self.now + MOMENT

    def ended(self, model: str, how: str, status: int | None, seconds: float) -> None:
        """One request is over."""
        self.outcomes[how] += 1
        self.longest = max(self.longest, seconds)
        self.recent.append((self.now, model))
        if self.now < self.blind_until:
            self.excused[model] += 1
        if status is None:
            self.unsure[model] += 1
        else:
            self.statuses[model, status] += 1


async def pause(over: asyncio.Event, seconds: float) -> None:
    """The pace of a soak, which nobody keeps any more once it is over."""
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(over.wait(), seconds)
