"""From single answers to figures."""

from __future__ import annotations

import pytest

from llamaswap_py.bench.figures import before, cell, change, percentile, together
from llamaswap_py.bench.values import Cell, Plan, Result, Sample, Session


def sample(began: float = 0.0, first: float = 0.5, gap: float = 0.1, **more: object) -> Sample:
    gaps = (gap,) * 10
    return Sample(100, 11, first, first + sum(gaps), began, gaps, **more)  # type: ignore[arg-type]


def test_the_rate_is_counted_from_the_first_token() -> None:
    assert sample().speed == pytest.approx(10.0)
    assert Sample(1, 1, 0.1, 0.1).speed == Sample().speed == 0.0


def test_a_cell_has_middles_and_what_the_engine_says() -> None:
    samples = [sample(first=first, gap=gap, engine_prompt=900.0, engine_speed=1 / gap) for first, gap in
               ((0.1, 0.1), (0.2, 0.2), (0.9, 0.4))]  # fmt: skip
    found = cell(128, 1, samples)
    assert (found.answers, found.prompt, found.output, found.first, found.first_95) == (3, 100, 11, 0.2, 0.9)
    assert found.speed == pytest.approx(5.0)
    assert found.engine_speed == pytest.approx(5.0)
    assert (found.prompt_speed, found.prompt_by_engine) == (900.0, True)
    assert (found.gap, found.gap_95, found.gap_most) == (0.2, 0.4, 0.4)


def test_a_server_that_says_nothing_of_itself_is_measured_by_its_first_token() -> None:
    found = cell(128, 1, [sample(first=0.5)])
    assert (found.prompt_speed, found.prompt_by_engine, found.engine_speed) == (200.0, False, None)


def test_callers_together_are_counted_while_any_is_answered() -> None:
    """Two at once for 1.5 s, a pause that counts for nothing, and one more."""
    samples = [sample(began=0.0), sample(began=0.0), sample(began=100.0)]
    assert together(samples) == pytest.approx(33 / 3.0)
    assert together([]) == 0.0


def test_failures_are_counted_and_the_first_is_named() -> None:
    found = cell(128, 2, [Sample(error="400: too long"), sample(), Sample(error="x")])
    assert (found.answers, found.failed, found.why) == (1, 2, "400: too long")
    assert cell(128, 2, [Sample(error="a")]) == Cell(128, 2, failed=1, why="a")


def test_the_nearest_rank() -> None:
    assert percentile([5.0, 1.0, 3.0], 95) == 5.0
    assert percentile([], 95) == 0.0


def session(number: int, name: str, speed: float) -> Session:
    return Session(str(number), float(number), "", Plan(), (Result(name, "", cells=(Cell(128, 1, 1, speed=speed),)),))


def test_it_is_compared_with_the_last_of_the_same_name() -> None:
    sessions = [session(1, "a", 10), session(2, "a", 20), session(3, "b", 99), session(4, "a", 1)]
    then = before(sessions, "a", 4.0)
    assert then is not None
    now = Cell(128, 1, 1, speed=25.0)
    assert change(now, then, lambda each: each.speed) == pytest.approx(25.0)
    assert change(Cell(512, 1, 1, speed=25.0), then, lambda each: each.speed) is None
    assert change(now, None, lambda each: each.speed) is None
    assert before(sessions, "a", 1.0) is None
