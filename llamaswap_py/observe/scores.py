"""Counts and histograms by labels: what any part of the house counts, and the exposition reads. No clock, no loop."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from itertools import repeat
from typing import NamedTuple

from llamaswap_py.observe.metrics import BY_NAME, HISTOGRAM, Metric

Labels = tuple[str, ...]


class Spread:
    """One histogram."""

    __slots__ = ("counts", "sum")

    def __init__(self, buckets: int) -> None:
        self.counts = [0] * (buckets + 1)  # not cumulative; the last is beyond all buckets
        self.sum = 0.0


class Score(NamedTuple):
    """One metric as it stood when it was asked: a number, or counts and a sum, for each set of labels."""

    metric: Metric
    values: Mapping[Labels, float]
    spreads: Mapping[Labels, tuple[tuple[int, ...], float]]


class Scores:
    """Written by one thread. Another may take a copy at any moment: every step leaves it whole."""

    def __init__(self, *names: str) -> None:
        self.values: dict[str, dict[Labels, float]] = {n: {} for n in names if BY_NAME[n].kind != HISTOGRAM}
        self.spreads: dict[str, dict[Labels, Spread]] = {n: {} for n in names if BY_NAME[n].kind == HISTOGRAM}

    def add(self, name: str, labels: Labels, amount: float = 1) -> None:
        values = self.values[name]
        values[labels] = values.get(labels, 0) + amount

    def put(self, name: str, labels: Labels, value: float) -> None:
        self.values[name][labels] = value

    def see(self, name: str, labels: Labels, value: float) -> None:
        """One observation of a histogram."""
        self.see_all(name, labels, (value,))

    def see_all(self, name: str, labels: Labels, values: Sequence[float]) -> None:
        if not values:
            return
        buckets = BY_NAME[name].buckets
        spread = self.spreads[name].get(labels)
        if spread is None:
            spread = self.spreads[name][labels] = Spread(len(buckets))
        counts = spread.counts
        for at in map(bisect_left, repeat(buckets), values):
            counts[at] += 1
        spread.sum += sum(values)

    def scores(self) -> list[Score]:
        counted = [Score(BY_NAME[name], values.copy(), {}) for name, values in self.values.items()]
        spread = [
            Score(
                BY_NAME[name], {}, {labels: (tuple(each.counts), each.sum) for labels, each in spreads.copy().items()}
            )
            for name, spreads in self.spreads.items()
        ]
        return counted + spread
