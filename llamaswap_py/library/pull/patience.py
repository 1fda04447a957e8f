"""How often and after how long something is tried again, and how fast it goes. The clock is handed in."""

from __future__ import annotations

from collections import deque

from llamaswap_py.library.pull.troubles import Again, PullFailed, Trouble

TRIES = 6  # in a row without a byte
FIRST = 1.0  # seconds, doubled each time
LONGEST = 30.0
# What a server may tell us to wait. The hub counts requests in windows of five minutes; beyond two of them a person
# would rather know than wait.
TOLD_AT_MOST = 600.0
WINDOW = 10.0  # seconds over which the speed is the mean: long enough to be calm, short enough to be true


class Patience:
    """For one thing that is to be had: forgets its failures whenever it gets further."""

    def __init__(self) -> None:
        self.failures = 0

    def got_further(self) -> None:
        self.failures = 0

    def wait_after(self, again: Again) -> float:
        """Seconds to wait; raises what to give up with."""
        self.failures += 1
        told = again.wait
        if told is not None and told > TOLD_AT_MOST:
            raise PullFailed(
                again.failure.trouble, f"{again.failure.message} It asks to wait {told:.0f} s; try again after that."
            )
        if self.failures >= TRIES:
            raise PullFailed(
                again.failure.trouble,
                f"{again.failure.message} {self.failures} tries in a row failed. What has come is kept: the same"
                " command goes on from there."
                if again.failure.trouble is not Trouble.TOO_MANY_REQUESTS
                else again.failure.message,
            )
        own = min(FIRST * 2 ** (self.failures - 1), LONGEST)
        return own if told is None else told


class Meter:
    """Bytes per second over the last seconds."""

    def __init__(self) -> None:
        self.seen: deque[tuple[float, int]] = deque()

    def saw(self, now: float, done: int) -> None:
        if self.seen and done < self.seen[-1][1]:  # begun anew
            self.seen.clear()
        self.seen.append((now, done))
        while len(self.seen) > 2 and now - self.seen[1][0] >= WINDOW:
            self.seen.popleft()

    @property
    def speed(self) -> float:
        if len(self.seen) < 2:
            return 0.0
        (since, before), (now, done) = self.seen[0], self.seen[-1]
        return (done - before) / (now - since) if now > since else 0.0

    def left(self, remaining: int) -> float | None:
        """Seconds, where there is a speed to tell by."""
        speed = self.speed
        return remaining / speed if speed > 0 else None
