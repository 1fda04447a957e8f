"""The scheduler in scenarios: who is served, who waits, and what has to go."""

from __future__ import annotations

import math

import pytest

from llamaswap_py.config.values import Group
from llamaswap_py.errors import StartFailed
from llamaswap_py.schedule.eviction import group
from llamaswap_py.schedule.plan import Entry, Evict, Never, Phase, Verdict, Wait, World
from tests.schedule.story import TOGETHER, Story, plan

# ---------------------------------------------------------------------- starting, joining, swapping


def test_a_hundred_callers_start_a_cold_model_once_and_are_served_in_order() -> None:
    story = Story()
    assert story.asked(1, "a") == ["start a1"]
    assert [story.asked(ticket, "a") for ticket in range(2, 101)] == [[]] * 99
    assert story.ready("a", 1) == [f"grant {ticket} a1" for ticket in range(1, 101)]
    assert story.asked(101, "a") == ["grant 101 a1"]


@pytest.mark.fault("F30")
def test_an_idle_model_makes_room_and_the_next_starts_when_it_is_gone() -> None:
    story = Story()
    story.served(1, "a", 1)
    assert story.asked(2, "b") == ["stop a1: evicted for b"]
    assert story.asked(3, "b") == []
    assert story.phase("a") == Phase.STOPPING
    assert story.gone("a", 1) == ["start b2"]
    assert story.ready("b", 2) == ["grant 2 b2", "grant 3 b2"]


def test_a_busy_model_is_drained_before_it_goes() -> None:
    story = Story()
    story.asked(1, "a")
    story.ready("a", 1)
    assert story.asked(2, "a") == ["grant 2 a1"]
    assert story.asked(3, "b") == []
    assert story.left(1) == []
    assert story.left(2) == ["stop a1: evicted for b"]


@pytest.mark.fault("F3")
def test_a_model_that_starts_for_a_caller_serves_it_before_it_goes() -> None:
    story = Story()
    story.asked(1, "a")
    assert story.asked(2, "b") == []
    assert story.ready("a", 1) == ["grant 1 a1"]
    assert story.left(1) == ["stop a1: evicted for b"]


def test_a_load_that_nobody_waits_for_goes_on_and_gives_way_at_once() -> None:
    story = Story()
    story.asked(1, "a")
    assert story.left(1) == []
    assert story.phase("a") == Phase.STARTING
    assert story.asked(2, "b") == ["stop a1: evicted for b"]


def test_a_waiter_takes_the_room_when_the_last_caller_of_a_starting_model_leaves() -> None:
    story = Story()
    story.asked(1, "a")
    story.asked(2, "b")
    assert story.left(1) == ["stop a1: evicted for b"]


def test_waiters_that_leave_are_forgotten() -> None:
    story = Story()
    story.asked(1, "a")
    story.asked(2, "b")
    assert story.left(2) == []
    assert story.left(2) == []
    assert story.ready("a", 1) == ["grant 1 a1"]
    assert story.left(1) == []
    assert story.phase("a") == Phase.READY


def test_compatible_models_start_side_by_side() -> None:
    story = Story(plan(policy=TOGETHER))
    assert story.asked(1, "a") == ["start a1"]
    assert story.asked(2, "b") == ["start b2"]


# ---------------------------------------------------------------------- order in the queue


def test_the_oldest_waiter_is_first_and_the_highest_priority_before_it() -> None:
    story = Story()
    story.asked(1, "a")
    story.ready("a", 1)
    story.asked(2, "b")
    story.asked(3, "c")
    story.asked(4, "d", priority=1)
    assert [story.scheduler.waiting_position(ticket) for ticket in (1, 2, 3, 4, 9)] == [None, 2, 3, 1, None]
    assert story.left(1) == ["stop a1: evicted for d"]
    assert story.gone("a", 1) == ["start d2"]
    assert story.scheduler.waiting_position(4) == 0
    story.ready("d", 2)
    assert story.left(4) == ["stop d2: evicted for b"]


@pytest.mark.parametrize(("patience", "first"), [(30.0, "b"), (math.inf, "c")])
def test_one_point_of_priority_is_worth_one_patience(patience: float, first: str) -> None:
    """So that nobody is overtaken for ever; with infinite patience priority alone decides."""
    story = Story(plan(patience=patience))
    story.asked(1, "a")
    story.ready("a", 1)
    story.asked(2, "b", at=10.0)
    story.asked(3, "c", at=41.0, priority=1)
    assert story.left(1) == [f"stop a1: evicted for {first}"]


def test_nothing_starts_that_an_older_waiter_needs_gone() -> None:
    """The policy lets c start beside everything, but b in front must be alone."""
    story = Story(plan(policy=group.policy([Group("x", ("a", "b")), Group("y", ("c",), exclusive=False)])))
    story.asked(1, "a")
    story.ready("a", 1)
    story.asked(2, "b")
    assert story.asked(3, "c") == []
    story.left(1)
    assert story.gone("a", 1) == ["start b2", "start c3"]


def test_what_an_older_waiter_claims_is_not_taken() -> None:
    """b waits for a's callers; c, which fits beside a, would be in b's way."""

    def two_fit_unless_b(wanted: str, world: World) -> Verdict:
        others = sorted(model for model in world if model != wanted)
        return Evict(tuple(others if "b" in (wanted, *others) else ()))

    story = Story(plan(policy=two_fit_unless_b))
    story.asked(1, "a")
    story.ready("a", 1)
    story.asked(2, "b")
    assert story.asked(3, "c") == []
    assert story.left(2) == ["start c2"]


def test_a_younger_waiter_does_not_evict_what_an_older_one_waits_for() -> None:
    """a is up and idle, its caller waits for b to drain; c may not push a out meanwhile."""
    beside = group.policy([Group("x", ("a", "b")), Group("y", ("c",), persistent=True), Group("z", ("d",))])
    alone = group.policy([Group("g", ("a", "b", "c", "d"), swap=False)])
    story = Story(plan(policy=alone))
    story.served(1, "a", 1)
    story.asked(2, "b")
    story.ready("b", 2)
    assert story.replanned(plan(policy=beside)) == []
    assert story.asked(3, "a") == []
    assert story.asked(4, "d") == []
    assert story.left(2) == ["stop b2: evicted for a"]
    assert story.gone("b", 2) == ["grant 3 a1"]


# ---------------------------------------------------------------------- patience


def test_callers_of_what_is_up_overtake_until_patience_is_spent_and_then_queue_behind() -> None:
    story = Story()
    story.asked(1, "a")
    story.ready("a", 1)
    story.asked(2, "b", at=5.0)
    assert story.asked(3, "a", at=34.9) == ["grant 3 a1"]
    assert story.deadline() == 35.0
    assert story.asked(4, "a", at=35.0) == []
    assert story.asked(5, "a") == []
    assert story.asked(6, "a", priority=2) == ["grant 6 a1"], "only who is in front"
    for ticket in (1, 3):
        assert story.left(ticket) == []
    assert story.left(6) == ["stop a1: evicted for b"]
    assert story.asked(7, "a") == []
    story.gone("a", 1)
    story.ready("b", 2)
    assert story.left(2) == ["stop b2: evicted for a"]


def test_infinite_patience_lets_a_busy_model_be_busy_for_ever() -> None:
    story = Story(plan(patience=math.inf))
    story.asked(1, "a")
    story.ready("a", 1)
    story.asked(2, "b")
    assert story.asked(3, "a", at=1e9) == ["grant 3 a1"]
    assert story.deadline() == math.inf


def test_two_models_asked_for_in_turn_are_each_served_before_they_go() -> None:
    story = Story(plan(patience=0.0))
    story.asked(1, "a")
    for ticket in range(2, 20, 2):
        one, other = ("a", "b") if ticket % 4 == 2 else ("b", "a")
        run = ticket // 2
        assert story.asked(ticket, other) == []
        assert story.ready(one, run) == [f"grant {ticket - 1} {one}{run}"]
        assert story.asked(ticket + 1, other) == []
        assert story.left(ticket - 1) == [f"stop {one}{run}: evicted for {other}"]
        assert story.left(ticket) == []
        assert story.gone(one, run) == [f"start {other}{run + 1}"]


def test_a_ready_model_waits_for_the_evictions_it_demands() -> None:
    """c was loaded beside a; a's next caller needs c gone, drains it and is served."""
    story = Story(plan(policy=group.policy([Group("x", ("a",)), Group("y", ("c",), exclusive=False)])))
    story.served(1, "a", 1)
    story.asked(2, "c")
    story.ready("c", 2)
    assert story.asked(3, "a") == []
    assert story.asked(4, "a") == []
    assert story.left(2) == ["stop c2: evicted for a"]
    assert story.gone("c", 2) == ["grant 3 a1", "grant 4 a1"]


# ---------------------------------------------------------------------- refusals


def test_callers_are_turned_away_at_the_door() -> None:
    story = Story(plan(Entry("a", limit=2)))
    assert story.asked(1, "x") == ["refuse 1 UnknownModel"]
    story.asked(2, "a")
    story.asked(3, "a")
    assert story.asked(4, "a") == ["refuse 4 TooManyRequests"]
    assert story.refusals[4].retry_after == 1
    story.ready("a", 1)
    assert story.asked(5, "a") == ["refuse 5 TooManyRequests"]
    story.left(2)
    assert story.asked(6, "a") == ["grant 6 a1"]


def test_a_caller_that_does_not_wake_is_served_by_what_is_ready_and_else_refused() -> None:
    story = Story()
    assert story.asked(1, "a", wakes=False) == ["refuse 1 NotLoaded"]
    story.asked(2, "a")
    assert story.asked(3, "a", wakes=False) == ["refuse 3 NotLoaded"]
    story.ready("a", 1)
    assert story.asked(4, "a", wakes=False) == ["grant 4 a1"]


def test_a_policy_may_say_never_or_not_yet() -> None:
    verdicts: dict[str, Verdict] = {"a": Never(StartFailed("too big")), "b": Wait()}
    story = Story(plan(policy=lambda wanted, _: verdicts[wanted]))
    assert story.asked(1, "a") == ["refuse 1 StartFailed"]
    assert story.asked(2, "b") == []
    verdicts["b"] = Evict(("nobody", "b"))
    assert story.woke() == ["start b1"]


def test_of_a_model_that_nobody_planned_there_is_no_sight() -> None:
    assert Story(plan(Entry("a"))).phase("nobody") == "unknown"


# ---------------------------------------------------------------------- seats


def test_who_finds_no_seat_waits_in_order() -> None:
    """And is not turned away; the first in rank sits down first."""
    story = Story(plan(Entry("a", seats=2)))
    story.asked(1, "a")
    assert [story.asked(2, "a"), story.asked(3, "a"), story.asked(4, "a", priority=1)] == [[], [], []]
    assert story.ready("a", 1) == ["grant 4 a1", "grant 1 a1"]
    assert story.asked(5, "a") == []
    assert story.left(1) == ["grant 2 a1"]
    assert story.left(3) == []
    assert story.left(4) == ["grant 5 a1"]


def test_a_free_seat_goes_to_who_waits_for_it_until_a_patience_is_spent() -> None:
    """A caller of another model waits for the drain no longer than it would without seats."""
    story = Story(plan(Entry("a", seats=1), Entry("b"), patience=30.0))
    story.served(1, "a", 1)
    assert story.asked(2, "a") == ["grant 2 a1"]
    assert story.asked(3, "b") == []
    assert story.asked(4, "a") == []
    assert story.left(2) == ["grant 4 a1"]
    assert story.asked(5, "a", at=31.0) == []
    assert story.left(4) == ["stop a1: evicted for b"]


def test_more_seats_are_taken_at_once() -> None:
    story = Story(plan(Entry("a", seats=1)))
    story.asked(1, "a")
    story.asked(2, "a")
    assert story.ready("a", 1) == ["grant 1 a1"]
    assert story.replanned(plan(Entry("a", seats=3))) == ["grant 2 a1"]
    assert story.replanned(plan(Entry("a", seats=1))) == []
    assert story.asked(3, "a") == []
    assert story.left(1) == []
    assert story.left(2) == ["grant 3 a1"]
