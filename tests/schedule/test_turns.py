"""The fair order among those who wait for one model."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llamaswap_py.schedule.plan import Entry
from llamaswap_py.schedule.turns import Line, Ticket, in_turn
from tests.schedule.story import Story, plan


def line(*who: str, served: dict[Line, int] | None = None) -> list[int]:
    """Who waits, in the order of arrival; a priority may follow the name."""
    tickets = []
    for order, name in enumerate(who, 1):
        caller, _, priority = name.partition(":")
        tickets.append(Ticket(order, "a", int(priority or 0), True, float(order), order, caller))
    return [ticket.number for ticket in in_turn(tickets, 30.0, served or {}, len(tickets))]


def test_one_caller_is_served_in_its_own_order() -> None:
    assert line("ann", "ann", "ann") == [1, 2, 3]


def test_callers_take_turns() -> None:
    assert line("ann", "ann", "ann", "bob", "bob", "eve") == [1, 4, 6, 2, 5, 3]


def test_who_has_just_had_a_turn_stands_behind_those_who_have_not() -> None:
    assert line("ann", "ann", "bob", served={(0, "ann"): 9}) == [3, 1, 2]


def test_a_higher_priority_comes_first_and_is_shared_in_its_own_turns() -> None:
    assert line("ann", "ann", "bob", "eve:1", "eve:1", "ann:1") == [4, 6, 5, 1, 3, 2]


def test_a_lower_priority_comes_first_where_it_has_waited_long_enough() -> None:
    tickets = [Ticket(1, "a", 0, True, 0.0, 1), Ticket(2, "a", 1, True, 31.0, 2), Ticket(3, "a", 0, True, 40.0, 3)]
    assert [ticket.number for ticket in in_turn(tickets, 30.0, {}, 3)] == [1, 2, 3]
    assert [ticket.number for ticket in in_turn(tickets, math.inf, {}, 2)] == [2, 1]


CALLERS = st.lists(st.sampled_from(["ann", "bob", "eve", "ann:1", "bob:-1"]), max_size=12)


@given(CALLERS)
def test_everybody_is_in_the_line_once(who: list[str]) -> None:
    assert sorted(line(*who)) == list(range(1, len(who) + 1))


@given(st.lists(st.sampled_from(["ann", "bob", "eve"]), min_size=1, max_size=12))
def test_seats_given_one_by_one_and_all_at_once_are_the_same_order(who: list[str]) -> None:
    """So that a place told in the queue is the place that is kept."""
    story = Story(plan(Entry("a", seats=1)))
    story.asked_by("first", 100, "a")
    for number, caller in enumerate(who, 1):
        story.asked_by(caller, number, "a")
    story.ready("a", 1)
    foretold = sorted(range(1, len(who) + 1), key=lambda number: story.scheduler.waiting_position(number) or 0)
    served, last = [], 100
    while granted := story.left(last):
        last = int(granted[0].split()[1])
        served.append(last)
    assert served == foretold == line(*who)


@pytest.mark.fault("F39")
def test_one_callers_fifty_do_not_keep_another_from_its_one() -> None:
    """Two seats, both taken: the single one sits down after at most two answers."""
    story = Story(plan(Entry("a", seats=2)))
    for number in range(50):
        story.asked_by("agent", number, "a")
    story.ready("a", 1)
    story.asked_by("person", 99, "a")
    assert story.scheduler.waiting_position(99) == 2
    assert story.left(0) == ["grant 2 a1"]
    assert story.left(1) == ["grant 99 a1"]
