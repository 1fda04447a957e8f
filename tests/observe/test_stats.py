"""Histograms and percentiles, by example and by their own sums."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llamaswap_py.observe.stats import histogram, percentile


def test_there_is_none_without_a_positive_value() -> None:
    assert histogram([]) is histogram([0, -1]) is None


def test_equal_values_are_one_bin() -> None:
    assert histogram([3.0, 3.0]) == {"bins": [2], "min": 3, "max": 3, "binSize": 0, "p50": 3, "p95": 3, "p99": 3}


def test_few_values_have_five_bins_between_the_least_and_the_greatest() -> None:
    told = histogram([-1.0, 1.0, 2.0, 3.0, 4.0, 6.0])
    assert told is not None
    assert (told["bins"], told["min"], told["max"], told["binSize"]) == ([1, 1, 1, 1, 1], 1, 6, 1)


@given(st.lists(st.floats(0.001, 1e9), min_size=1, max_size=300))
def test_every_value_is_in_a_bin_and_percentiles_are_in_order(values: list[float]) -> None:
    told = histogram(values)
    assert told is not None
    assert sum(told["bins"]) == len(values)
    assert len(told["bins"]) <= 20
    slack = told["max"] * 1e-9
    assert (
        told["min"] - slack <= told["p50"] <= told["p95"] + slack <= told["p99"] + 2 * slack <= told["max"] + 3 * slack
    )


@pytest.mark.parametrize(("percent", "value"), [(0, 10), (50, 25), (100, 40), (25, 17.5)])
def test_a_percentile_lies_between_its_neighbours(percent: float, value: float) -> None:
    assert percentile([10, 20, 30, 40], percent) == value
