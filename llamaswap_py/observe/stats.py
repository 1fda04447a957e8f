"""Sums and distributions over rows. Pure: numbers in, numbers out."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

FEWEST, MOST = 5, 20  # bins; llama-swap's, so that its pages draw the same picture


def histogram(values: Sequence[float]) -> dict[str, Any] | None:
    """Of the positive ones; None where there is none."""
    ordered = sorted(value for value in values if value > 0)
    if not ordered:
        return None
    low, high = ordered[0], ordered[-1]
    count = 1 if low == high else bins_for(len(ordered))
    size = (high - low) / count
    bins = [0] * count
    for value in ordered:
        # The quotient can come out at the upper edge, and not only for the largest: dividing rounds.
        bins[min(int((value - low) / size), count - 1) if size else 0] += 1
    return {
        "bins": bins,
        "min": low,
        "max": high,
        "binSize": size,
        "p50": percentile(ordered, 50),
        "p95": percentile(ordered, 95),
        "p99": percentile(ordered, 99),
    }


def bins_for(count: int) -> int:
    return min(max(math.ceil(math.log2(count)) + 1, FEWEST), MOST)


def percentile(ordered: Sequence[float], percent: float) -> float:
    """Between the two nearest, in proportion."""
    place = percent / 100 * (len(ordered) - 1)
    below = math.floor(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)
