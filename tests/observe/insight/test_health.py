"""The health score, by the formulas that docs/api.md gives."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llamaswap_py.observe.insight.health import WEIGHTS, Vitals, components, score, status, told

WELL = Vitals(cpu=20, memory=40, gpu=50, errors=0, response=800)


def test_each_part_goes_by_its_formula() -> None:
    vitals = Vitals(cpu=30, memory=25.5, gpu=64, errors=3, response=10_000)
    assert components(vitals) == {"cpu": 70, "memory": 74.5, "gpu": 36, "errors": 70, "response": 80}


def test_the_whole_is_the_weighted_mean_less_twenty_for_each_alert() -> None:
    assert sum(WEIGHTS.values()) == pytest.approx(1)
    mean = sum(WEIGHTS[name] * (value or 0) for name, value in components(WELL).items())
    assert score(WELL) == round(mean, 1) == 82.5
    assert score(WELL._replace(alerts=2)) == 42.5
    assert score(WELL._replace(alerts=9)) == 0


def test_what_is_not_known_is_neither_good_nor_bad() -> None:
    assert score(Vitals(errors=0)) == 100
    assert score(Vitals(memory=40, errors=0)) == pytest.approx((0.2 * 60 + 0.35 * 100) / 0.55, abs=0.05)
    assert (score(Vitals()), status(None)) == (None, "unknown")
    assert told(Vitals(cpu=float("nan")))["components"]["cpu"]["score"] is None


def test_where_little_is_known_that_little_says_less() -> None:
    """A machine that has answered nobody yet, its memory half full, is no cause for a warning."""
    assert score(Vitals(cpu=10, memory=50)) == pytest.approx(100 - (0.1 * 10 + 0.2 * 50) / 0.5)
    assert score(Vitals(memory=85)) == pytest.approx(66)
    assert score(Vitals(memory=85, errors=0)) == pytest.approx(100 - 0.2 * 85 / 0.55, abs=0.05)


@pytest.mark.parametrize(("value", "word"), [(80.1, "healthy"), (80, "warning"), (60, "warning"), (59.9, "critical")])
def test_words(value: float, word: str) -> None:
    assert status(value) == word


SOME = st.none() | st.floats(-1e9, 1e9)


@given(st.builds(Vitals, SOME, SOME, SOME, SOME, SOME, st.integers(0, 50)))
def test_it_is_between_nothing_and_a_hundred_and_no_alert_makes_it_better(vitals: Vitals) -> None:
    now, worse = score(vitals), score(vitals._replace(alerts=vitals.alerts + 1))
    assert (now is None) == (worse is None)
    assert now is None or worse is None or 0 <= worse <= now <= 100
