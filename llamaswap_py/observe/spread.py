"""How figures are spread: counted in lanes, each a twelfth wider than the one before, so that sums of counts are counts
and any percentile is right to a few in a hundred. Numbers in, numbers out."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate
from typing import NamedTuple

import msgspec

from llamaswap_py.observe.stats import bins_for

KINDS = ("prompt_speed", "gen_speed", "first_byte_ms", "duration_ms")
PER_DOUBLING = 8
LOWEST = -4 * PER_DOUBLING  # a sixteenth
LANES = 256  # up to 2 to the 28th

Counts = Mapping[int, int]  # by lane


class Figures(NamedTuple):
    """Of one finished request. Seconds, as in the records; what is not known is 0 or less."""

    input: int
    output: int
    cached: int
    prompt_speed: float
    gen_speed: float
    duration_ms: float
    first_byte: float
    queued: float
    loading: float

    @property
    def spread(self) -> tuple[float, float, float, float]:
        """In the order of the kinds."""
        return self.prompt_speed, self.gen_speed, 1000 * self.first_byte, self.duration_ms


class Bucket(msgspec.Struct):
    """Many requests together. `counts`: by kind and lane in one number."""

    requests: int = 0
    input: int = 0
    output: int = 0
    cached: int = 0
    queued: float = 0.0
    loading: float = 0.0
    counts: dict[int, int] = msgspec.field(default_factory=dict)

    def add(self, one: Figures) -> None:
        self.requests += 1
        self.input += max(one.input, 0)
        self.output += max(one.output, 0)
        self.cached += max(one.cached, 0)
        self.queued += one.queued
        self.loading += one.loading
        for kind, value in enumerate(one.spread):
            if value > 0:
                place = kind * LANES + lane(value)
                self.counts[place] = self.counts.get(place, 0) + 1

    def merge(self, other: Bucket, sign: int = 1) -> None:
        """Or take away."""
        self.requests += sign * other.requests
        self.input += sign * other.input
        self.output += sign * other.output
        self.cached += sign * other.cached
        self.queued += sign * other.queued
        self.loading += sign * other.loading
        counts = self.counts
        for place, count in other.counts.items():
            counts[place] = counts.get(place, 0) + sign * count

    def of(self, kind: str) -> Counts:
        number = KINDS.index(kind)
        found = {place - number * LANES: count for place, count in self.counts.items() if place // LANES == number}
        return {place: found[place] for place in sorted(found) if found[place] > 0}


def lane(value: float) -> int:
    return min(max(math.floor(PER_DOUBLING * math.log2(value)) - LOWEST, 0), LANES - 1)


def edge(place: float) -> float:
    """Where a lane begins."""
    return float(2.0 ** ((place + LOWEST) / PER_DOUBLING))


def percentile(counts: Counts, percent: float) -> float:
    """Within its lane as if all were spread evenly there."""
    wanted, before = percent / 100 * sum(counts.values()), 0
    for place, count in counts.items():
        if before + count >= wanted:
            return edge(place + (wanted - before) / count)
        before += count
    return 0.0


def percentiles(counts: Counts, *percents: int) -> dict[str, float]:
    return {f"p{percent}": round(percentile(counts, percent), 3) for percent in percents}


def told(counts: Counts) -> dict[str, object] | None:
    """For a page: every lane from the first to the last that has any."""
    if not counts:
        return None
    places = range(min(counts), max(counts) + 1)
    return {
        "count": sum(counts.values()),
        **percentiles(counts, 50, 90, 95, 99),
        "edges": [round(edge(place), 3) for place in (*places, places.stop)],
        "counts": [counts.get(place, 0) for place in places],
    }


def even(counts: Counts) -> dict[str, object] | None:
    """In llama-swap's shape: bins of the same width."""
    if not counts:
        return None
    low, high = edge(min(counts)), edge(max(counts) + 1)
    number = bins_for(sum(counts.values()))
    size = (high - low) / number
    limits = [low + size * (place + 1) for place in range(number)]
    below = [round(count) for count in shares(counts, limits)]
    bins = [upper - lower for lower, upper in zip([0, *below], below, strict=False)]
    return {"bins": bins, "min": low, "max": high, "binSize": size, **percentiles(counts, 50, 95, 99)}


def shares(counts: Counts, limits: Sequence[float]) -> Iterator[float]:
    """How many lie below each limit."""
    sums = dict(zip(counts, accumulate(counts.values()), strict=True))
    for limit in limits:
        place = PER_DOUBLING * math.log2(limit) - LOWEST
        whole = max((sums[each] for each in counts if each + 1 <= place + 1e-9), default=0)
        part = counts.get(math.floor(place), 0) if place % 1 > 1e-9 and math.floor(place) + 1 > place + 1e-9 else 0
        yield whole + part * (place % 1)
