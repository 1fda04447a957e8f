"""The witness's account of one model's failures, kept in its own way: every failure, and every span that is excused."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from llamaswap_py.schedule.plan import Plan


@dataclass(eq=False)
class Ledger:
    failed: list[float] = field(default_factory=list)  # since the last time it was given up and came back
    excused: list[tuple[float, float]] = field(default_factory=list)  # spans: of loads, and of pauses
    row: int = 0
    until: float = -math.inf
    given_up: bool = False

    def failure(self, now: float, plan: Plan, was_ready: bool, success: bool) -> None:
        self.row += not success
        self.failed.append(now)
        pauses = ((0.0,) if was_ready else ()) + tuple(plan.backoff)
        pause = pauses[: self.row][-1] if pauses and self.row else 0.0
        limit = plan.crash_limit
        lately = [time for time in self.failed if now - time - self.excused_between(time, now) < limit.window]
        self.failed = lately  # a longer window later brings nothing back
        self.given_up = bool(limit.failures) and (self.given_up or len(lately) >= limit.failures)
        if self.given_up:
            pause = limit.retry
        self.until = now + pause
        self.excused.append((now, self.until))

    def excused_between(self, start: float, end: float) -> float:
        """A whole span counts, also one that was cut short: nobody is given up sooner because somebody waited."""
        return sum(until - since for since, until in self.excused if start <= since < end)

    def success(self) -> None:
        self.row = 0
        if self.given_up:
            self.given_up = False
            self.failed.clear()

    def may_evict(self, now: float, plan: Plan) -> bool:
        return self.row < 2 or now >= self.failed[-1] + plan.crash_limit.retry
