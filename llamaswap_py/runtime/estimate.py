"""How far a load is, judged by earlier loads of the same command. Figures in, figures out; without any, it says so."""

from __future__ import annotations

from statistics import median

import msgspec

KEPT = 5  # loads of one command: the median of so few follows a change of disk soon
MOST = 0.99  # only ready is all of it


class Past(msgspec.Struct, frozen=True):
    """Earlier loads: how long each took, and the bytes its processes had read and taken at the end (0: not seen)."""

    seconds: tuple[float, ...] = ()
    amounts: tuple[int, ...] = ()

    def and_one(self, seconds: float, amount: int) -> Past:
        return Past((*self.seconds, seconds)[-KEPT:], (*self.amounts, amount)[-KEPT:])


class Progress(msgspec.Struct, frozen=True):
    seconds: float  # since the start
    fraction: float | None  # None: there is no earlier load to judge by
    left: float | None


class Estimate:
    """Of one load. Its fraction never goes back and is never all."""

    def __init__(self, past: Past, began: float) -> None:
        self.began = began
        self.usual = median(past.seconds) if past.seconds else 0.0
        amounts = [amount for amount in past.amounts if amount]
        self.whole = median(amounts) if amounts else 0.0
        self.amount = 0
        self.fraction = 0.0

    def seen(self, amount: int) -> None:
        self.amount = max(self.amount, amount)

    def at(self, now: float) -> Progress:
        seconds = now - self.began
        if not self.usual:
            return Progress(seconds, None, None)
        by_time = seconds / self.usual
        by_amount = self.amount / self.whole if self.whole and self.amount else by_time
        self.fraction = min(max(self.fraction, (min(by_time, 1) + min(by_amount, 1)) / 2), MOST)
        return Progress(seconds, self.fraction, max(self.usual - seconds, 0.0) or None)
