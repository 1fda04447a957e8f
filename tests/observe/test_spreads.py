"""Sums and spreads of requests: as a look at every row would find them, whatever was counted beforehand."""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llamaswap_py.observe.pruning import prune
from llamaswap_py.observe.rows import Details, Row, Wanted
from llamaswap_py.observe.spread import KINDS, LANES, Bucket, Figures, edge, even, lane, percentile, told
from llamaswap_py.observe.spreads import STEP, Piece, by_model, count_on, gathered, looked_at, spreads, stats, together
from llamaswap_py.observe.store import Store
from llamaswap_py.observe.written import Bounds
from llamaswap_py.wire.usage import Usage

NOBODY = Figures(0, 0, -1, -1.0, -1.0, 0.0, 0.0, 0.0, 0.0)


@pytest.fixture
def file(tmp_path: Path) -> Iterator[Store]:
    with closing(Store(str(tmp_path / "records.db"))) as made:
        yield made


def row(number: int) -> Row:
    """One in ten minutes, of three models."""
    usage = Usage(number, 2 * number, -1, -1, -1, number * 7919 % 1000, number * 104729 % 100)
    details = Details(queued=number % 3, loading=number % 2 / 4, first_byte=number % 5 / 10)
    return Row(600 * number, "abc"[number % 3], "/v1/x", "", 200, usage, number * 31 % 997, details=details)


def fill(store: Store, count: int) -> None:
    store.add([row(number) for number in range(count)])


def summed(pieces: list[Piece]) -> dict[str, tuple[object, ...]]:
    """By model, without what is none."""
    found = by_model(pieces)
    return {
        model: (each.requests, each.input, each.output, each.queued, each.loading, *map(each.of, KINDS))
        for model, each in found.items()
    }


def count_all(store: Store) -> None:
    while count_on(store):
        pass


@given(st.floats(0.07, 1e8))
def test_a_value_lies_in_its_lane(value: float) -> None:
    place = lane(value)
    assert edge(place) <= value * (1 + 1e-9)
    assert value <= edge(place + 1) * (1 + 1e-9)


def test_values_beyond_the_lanes_are_in_the_last_ones() -> None:
    assert lane(1e-9) == 0
    assert lane(1e30) == LANES - 1


@given(st.lists(st.floats(0.1, 1e6), min_size=1, max_size=60))
def test_percentiles_and_bins_are_about_those_of_the_values(values: list[float]) -> None:
    """The middle is off by a lane at most, and no value is in no bin."""
    bucket = Bucket()
    for value in values:
        bucket.add(NOBODY._replace(gen_speed=value))
    counts = bucket.of("gen_speed")
    middle = percentile(counts, 50)
    assert statistics.median_low(values) / 1.1 <= middle <= statistics.median_high(values) * 1.1
    shown, bins = told(counts), even(counts)
    assert shown is not None
    assert bins is not None
    assert sum(shown["counts"]) == sum(bins["bins"]) == len(values)  # type: ignore[call-overload]
    assert min(bins["bins"]) >= 0  # type: ignore[call-overload]
    assert bins["min"] <= min(values) * (1 + 1e-9)  # type: ignore[operator]
    assert bucket.of("prompt_speed") == {}


def test_nothing_to_tell_is_nothing() -> None:
    assert told({}) is None
    assert even({}) is None
    assert percentile({}, 50) == 0.0


@pytest.fixture(scope="module")
def counted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with closing(Store(str(tmp_path_factory.mktemp("counted") / "records.db"))) as made:
        fill(made, 1000)
        count_all(made)
        yield made


@pytest.mark.parametrize("start", [None, 0, 1, 86_399, 86_400, 100_000, 10**9])
@pytest.mark.parametrize("end", [None, 0, 86_399, 86_400, 172_799, 172_800, 400_000, 10**9])
@pytest.mark.parametrize("models", [(), ("a",), ("a", "c")])
def test_what_is_counted_is_what_a_look_at_every_row_finds(
    counted: Store, start: int | None, end: int | None, models: tuple[str, ...]
) -> None:
    wanted = Wanted(models, start, end)
    assert summed(gathered(counted, wanted)) == summed(looked_at(counted, wanted))


def test_rows_that_come_later_and_rows_that_go_are_followed(file: Store) -> None:
    fill(file, 600)
    count_all(file)
    fill(file, 50)
    file.bounds = Bounds(age=1000)
    assert prune(file, 100_000.0) is False
    count_all(file)
    assert summed(gathered(file, Wanted())) == summed(looked_at(file, Wanted()))
    with closing(Store(file.path)) as again:
        assert count_on(again) is False
        assert summed(gathered(again, Wanted())) == summed(looked_at(again, Wanted()))


def test_counting_goes_in_steps(file: Store) -> None:
    file.add([row(1)] * (2 * STEP))
    assert [count_on(file) for _ in range(3)] == [True, True, False]
    assert together(gathered(file, Wanted())).requests == 2 * STEP


def test_a_short_range_is_told_by_hours_a_long_one_by_days(file: Store) -> None:
    fill(file, 1000)
    count_all(file)
    hours = spreads(file, Wanted(start=3600, end=3 * 3600 - 1), 10**6)
    assert (hours["slot_seconds"], [slot["at"] for slot in hours["waits"]]) == (3600, [3600, 7200])
    assert [slot["requests"] for slot in hours["waits"]] == [6, 6]
    assert hours["waits"][0]["queued_s"] == sum(number % 3 for number in range(6, 12))
    days = spreads(file, Wanted(), 10**6)
    assert days["slot_seconds"] == 86_400
    assert sum(slot["requests"] for slot in days["waits"]) == days["total"]["requests"] == 1000
    assert set(days["models"]) == {"a", "b", "c"}
    assert days["total"]["loading_s"] == sum(number % 2 / 4 for number in range(1000))


def test_many_speeds_are_all_in_the_histogram(file: Store) -> None:
    """Not only those of the newest; sums of a range are those of its rows."""
    fill(file, 6000)
    count_all(file)
    found = stats(file, Wanted())
    fast = [number for number in range(6000) if number * 7919 % 1000 > 0]
    assert sum(found["prompt_histogram"]["bins"]) == len(fast)
    assert found["prompt_histogram"]["p50"] == pytest.approx(500, rel=0.1)
    assert found["total_requests"] == 6000
    some = stats(file, Wanted(("a", "b"), start=600 * 100, end=600 * 199))
    inside = [number for number in range(100, 200) if number % 3 < 2]
    assert (some["total_requests"], some["total_input_tokens"]) == (len(inside), sum(inside))


def test_in_memory_it_is_the_same() -> None:
    with closing(Store("", Bounds(1000))) as store:
        fill(store, 300)
        assert count_on(store) is False
        assert together(gathered(store, Wanted(("a",), start=7000))).requests == len(range(12, 300, 3))
        assert spreads(store, Wanted(), 10**6)["total"]["requests"] == 300
