"""What a page that comes back is told: all that followed, once, and whether some of it is forgotten."""

from __future__ import annotations

import pytest

from llamaswap_py.runtime.feed import ModelChanged
from llamaswap_py.schedule.plan import Phase
from llamaswap_py.server.remembered import ROWS, Missed, Remembered


def swap(model: str) -> ModelChanged:
    return ModelChanged(model, 1, Phase.READY)


def test_what_followed_is_told_once_and_in_order() -> None:
    past = Remembered()
    past.add_swap(swap("a"))
    past.add_rows([7, 8], ["seven", "eight"])
    seen = past.name
    past.add_swap(swap("b"))
    past.add_rows([9], ["nine"])
    missed = past.after(seen)
    assert [change.model for _, change in missed.swaps] == ["b"]
    assert missed.rows == [(9, "nine")]
    assert not missed.gap
    assert past.after(missed.swaps[0][0]).rows == missed.rows
    assert past.after(past.name) == Missed([], [], gap=False)


def test_a_page_that_was_never_here_has_missed_nothing() -> None:
    past = Remembered()
    past.add_rows([1], ["one"])
    assert past.after("") == Missed()


@pytest.mark.parametrize("last", ["0-1", "x-", "beef-99999999999999999999999999"])
def test_who_saw_an_earlier_start_hears_all_and_that_there_was_more(last: str) -> None:
    past = Remembered()
    past.add_rows([1], ["one"])
    assert past.after(last) == Missed([], [(1, "one")], gap=True)


def test_what_is_forgotten_is_a_gap() -> None:
    past = Remembered()
    seen = past.name
    past.add_rows(range(ROWS), range(ROWS))
    assert not past.after(seen).gap
    past.add_rows([ROWS], [ROWS])
    assert past.after(seen).gap
    assert len(past.after(seen).rows) == ROWS
    assert not past.after(f"{past.epoch}-1").gap
