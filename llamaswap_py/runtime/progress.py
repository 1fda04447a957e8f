"""Whether something moves: the limits of a load and of an answer count from the last sign of work. Values in, verdicts
out; nothing here looks at a process or a clock."""

from __future__ import annotations

import msgspec

from llamaswap_py.errors import StartTimeout

# Less than half a percent of one core is what servers use that only wait. An engine that feeds a GPU uses more.
IDLE_CPU = 0.005
TICK = 0.011  # the system counts processor time in hundredths of a second: one of them is no news

# Growth below this is a server's housekeeping, not a model on its way into memory.
GROWTH = 1 << 20


class Signs(msgspec.Struct, frozen=True):
    """What a tree of processes shows at one moment."""

    cpu: float = 0.0  # seconds, of all that live
    amount: int = 0  # bytes read, and bytes held in memory

    def worked(self, before: Signs, elapsed: float) -> bool:
        return abs(self.cpu - before.cpu) > max(IDLE_CPU * elapsed, TICK)

    def grew(self, before: Signs) -> bool:
        return self.amount >= before.amount + GROWTH


class Patience:
    """With a load: so long without a sign of progress, and so long in all (0: for ever)."""

    def __init__(self, limit: float, cap: float, now: float) -> None:
        self.limit = limit
        self.cap = cap
        self.began = now
        self.last = now
        self.most = Signs()

    def sign(self, now: float) -> None:
        self.last = now

    def seen(self, signs: Signs | None, now: float) -> None:
        if signs is not None and signs.grew(self.most):
            self.most = signs
            self.sign(now)

    def due(self) -> float:
        stalled = self.last + self.limit
        return min(stalled, self.began + self.cap) if self.cap else stalled

    def over(self, now: float) -> StartTimeout | None:
        if now < self.due():
            return None
        if now < self.last + self.limit:
            return StartTimeout(
                f"it was still not ready after {self.cap:g} s (loadLimit): raise that limit if it loads so slowly"
            )
        return StartTimeout(
            f"it was not ready and showed no progress for {self.limit:g} s (healthCheckTimeout): raise that limit if"
            " the model loads slowly and silently, or check its checkEndpoint and its log"
        )


def says_something(output: bytes, echo: bytes) -> bool:
    """Whether output is a sign of progress: a line that only tells of our own probe is none."""
    return any(line.strip() and echo not in line for line in output.split(b"\n"))


class Stall:
    """Of a server that has callers: since when it has neither sent a byte nor worked."""

    def __init__(self, limit: float, now: float) -> None:
        self.limit = limit
        self.since = now
        self.looked = now
        self.heard = -1
        self.signs: Signs | None = None

    def look(self, now: float, asked: bool, heard: int, signs: Signs | None) -> bool:
        """`signs` None: they cannot be seen, and nothing is judged. True: it has stood still for too long."""
        before, elapsed = self.signs, now - self.looked
        still = asked and heard == self.heard and signs is not None and before is not None
        if not still or signs is None or before is None or signs.worked(before, elapsed):
            self.since = now
        self.looked, self.heard, self.signs = now, heard, signs
        return now - self.since >= self.limit
