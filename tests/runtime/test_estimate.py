"""What is said of how far a load is."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from llamaswap_py.runtime.estimate import KEPT, MOST, Estimate, Past

GB = 1 << 30


def test_without_an_earlier_load_nothing_is_estimated() -> None:
    progress = Estimate(Past(), 10.0).at(14.0)
    assert (progress.seconds, progress.fraction, progress.left) == (4.0, None, None)


def test_half_of_the_usual_time_and_of_the_usual_bytes_is_half() -> None:
    estimate = Estimate(Past((8.0, 10.0, 12.0), (0, 4 * GB, 4 * GB)), 0.0)
    estimate.seen(2 * GB)
    progress = estimate.at(5.0)
    assert (progress.fraction, progress.left) == (0.5, 5.0)


def test_where_no_bytes_were_seen_time_alone_tells() -> None:
    assert Estimate(Past((10.0,), (0,)), 0.0).at(4.0).fraction == 0.4


def test_a_load_that_takes_longer_than_ever_has_no_time_left_to_tell() -> None:
    progress = Estimate(Past((10.0,), (0,)), 0.0).at(30.0)
    assert (progress.fraction, progress.left) == (MOST, None)


def test_the_last_few_loads_count() -> None:
    past = Past()
    for number in range(2 * KEPT):
        past = past.and_one(float(number), number)
    assert past.seconds == (5.0, 6.0, 7.0, 8.0, 9.0)


@given(st.lists(st.tuples(st.floats(0, 9), st.integers(0, 9 * GB))), st.floats(0.001, 99), st.integers(0, 9 * GB))
def test_it_never_goes_back_and_is_never_all(steps: list[tuple[float, int]], usual: float, whole: int) -> None:
    estimate = Estimate(Past((usual,), (whole,)), 0.0)
    now, last = 0.0, 0.0
    for step, amount in steps:
        now += step
        estimate.seen(amount)
        fraction = estimate.at(now).fraction
        assert fraction is not None
        assert last <= fraction < 1
        last = fraction
