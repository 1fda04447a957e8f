"""The scheduler in scenarios: who is served, who waits, and what has to go."""

from __future__ import annotations

import math

import pytest

from llamaswap_py.config.values import Group
from llamaswap_py.errors import StartFailed, UpstreamFailed
from llamaswap_py.schedule.eviction import group
from llamaswap_py.schedule.facts import Closed, Gone, ResetAsked
from llamaswap_py.schedule.plan import Entry, Evict, Never, Phase, Verdict, Wait, World
from tests.schedule.story import TOGETHER, Story, plan

# ---------------------------------------------------------------------- starting, joining, swapping


def test_a_hundred_callers_start_a_cold_model_once_and_are_served_in_order() -> None:
    story = Story()
    assert story.asked(1, "a") == ["start a1"]
    assert [story.asked(ticket, "a") for ticket in range(2, 101)] == [[]] * 99
    assert story.ready("a", 1) == [f"grant {ticket} a1" for ticket in range(1, 101)]
    assert story.asked(101, "a") == ["grant 101 a1"]


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


# ---------------------------------------------------------------------- ttl


def test_an_idle_model_is_stopped_at_the_end_of_its_ttl() -> None:
    story = Story(plan(Entry("a", ttl=10.0)))
    story.asked(1, "a", at=0.0)
    story.ready("a", 1, at=2.0)
    assert story.deadline() == math.inf
    story.left(1, at=5.0)
    assert story.deadline() == 15.0
    assert story.woke(at=14.9) == []
    assert story.woke(at=15.0) == ["stop a1: idle"]
    assert story.deadline() == math.inf


def test_the_ttl_runs_from_ready_when_nobody_came() -> None:
    story = Story(plan(Entry("a", ttl=10.0)))
    story.load("a", at=0.0)
    story.ready("a", 1, at=3.0)
    assert story.deadline() == 13.0


def test_a_caller_that_does_not_keep_neither_holds_the_ttl_off_nor_restarts_it() -> None:
    story = Story(plan(Entry("a", ttl=10.0)))
    story.load("a")
    story.ready("a", 1, at=0.0)
    assert story.asked(1, "a", at=4.0, keeps=False) == ["grant 1 a1"]
    assert story.deadline() == 10.0
    story.left(1, at=6.0)
    assert story.deadline() == 10.0


def test_a_deadline_that_passed_unnoticed_is_done_with_the_next_fact() -> None:
    story = Story(plan(Entry("a", ttl=10.0), Entry("b"), policy=TOGETHER))
    story.served(1, "a", 1)
    assert story.tell(ResetAsked("b"), at=99.0) == ["stop a1: idle"]


def test_a_deadline_is_never_in_the_past() -> None:
    story = Story(plan(Entry("a", ttl=10.0)))
    story.served(1, "a", 1)
    story.now = 99.0
    assert story.deadline() == 99.0
    assert story.asked(2, "a") == ["grant 2 a1"]


def test_a_changed_ttl_takes_effect_on_the_running_clock() -> None:
    story = Story(plan(Entry("a", ttl=10.0)))
    story.served(1, "a", 1)
    assert story.replanned(plan(Entry("a", ttl=50.0)), at=9.0) == []
    assert story.deadline() == 50.0
    assert story.replanned(plan(Entry("a", ttl=20.0)), at=30.0) == ["stop a1: idle"]


# ---------------------------------------------------------------------- load, unload, reset


def test_a_load_by_order_starts_the_model_and_evicts_only_what_is_idle() -> None:
    story = Story()
    assert story.load("a") == ["start a1"]
    assert story.load("b") == []
    assert story.ready("a", 1) == ["stop a1: evicted for b"]
    assert story.gone("a", 1) == ["start b2"]
    story.asked(1, "b")
    story.ready("b", 2)
    assert story.load("b") == []
    assert story.load("c") == []
    assert story.left(1) == ["stop b2: evicted for c"]


def test_a_load_by_order_gives_way_to_a_caller_and_is_dropped() -> None:
    story = Story()
    story.load("a")
    assert story.asked(1, "b") == ["stop a1: evicted for b"]
    assert story.gone("a", 1) == ["start b2"]
    story.ready("b", 2)
    assert story.left(1) == []


def test_a_caller_joins_a_load_that_waits_and_asks_more_room_than_it() -> None:
    story = Story()
    story.load("a")
    assert story.load("b") == []
    assert story.asked(1, "b") == ["stop a1: evicted for b"]


def test_loads_that_cannot_be_are_dropped() -> None:
    story = Story()
    assert story.load("x") == []
    story.load("a")
    story.gone("a", 1, StartFailed("exit code 1"))
    assert story.load("a") == []
    assert story.woke(at=5.0) == []
    assert story.load("a") == ["start a2"]
    story.tell(Closed())
    assert story.load("b") == []


def test_unload_stops_even_what_is_busy_and_refuses_who_waits() -> None:
    story = Story()
    story.asked(1, "a")
    story.ready("a", 1)
    story.asked(2, "b")
    story.load("c")
    assert story.unload("a", "b", "c", "x") == ["stop a1: unloaded", "refuse 2 Unloaded"]
    assert story.unload("a") == []
    assert story.left(1) == []
    assert story.gone("a", 1) == []


def test_a_load_after_an_unload_is_a_restart() -> None:
    story = Story()
    story.served(1, "a", 1)
    assert story.unload("a") == ["stop a1: unloaded"]
    assert story.load("a") == []
    assert story.asked(2, "a") == []
    assert story.gone("a", 1) == ["start a2"]
    assert story.ready("a", 2) == ["grant 2 a2"]


# ---------------------------------------------------------------------- failures and late news


def test_a_failed_start_is_told_to_all_who_wait_and_backs_off() -> None:
    story = Story()
    story.asked(1, "a")
    story.asked(2, "a")
    why = StartFailed("exit code 3: no such file")
    assert story.gone("a", 1, why, at=1.0) == ["refuse 1 StartFailed", "refuse 2 StartFailed"]
    assert story.refusals[1] is story.refusals[2] is why
    assert story.asked(3, "a", at=1.5) == ["refuse 3 StartBackoff"]
    assert (story.refusals[3].message, story.refusals[3].retry_after) == (why.message, 0.5)
    assert story.scheduler.snapshot()["a"].failed_until == 2.0
    assert story.asked(4, "a", at=2.0) == ["start a2"]
    assert story.gone("a", 2) == ["refuse 4 StartFailed"]
    assert story.asked(5, "a", at=6.9) == ["refuse 5 StartBackoff"]
    assert story.asked(6, "a", at=7.0) == ["start a3"]
    story.ready("a", 3)
    assert story.gone("a", 3, UpstreamFailed("killed")) == []
    assert story.asked(7, "a") == ["start a4"]
    story.gone("a", 4, why)
    assert story.scheduler.snapshot()["a"].failed_until == 8.0, "ready has reset the count"


def test_a_reset_forgets_the_failure() -> None:
    story = Story()
    story.asked(1, "a")
    story.gone("a", 1, StartFailed("no"))
    assert story.tell(ResetAsked("a")) == []
    assert story.tell(ResetAsked("x")) == []
    assert story.asked(2, "a") == ["start a2"]


def test_without_backoff_a_failed_model_is_tried_again_at_once() -> None:
    story = Story(plan(backoff=None))
    story.asked(1, "a")
    story.gone("a", 1, StartFailed("no"))
    assert story.asked(2, "a") == ["start a2"]


def test_the_seats_of_a_dead_run_do_not_count_at_the_next() -> None:
    story = Story(plan(Entry("a", limit=1), Entry("b")))
    story.asked(1, "a")
    story.ready("a", 1)
    story.gone("a", 1, UpstreamFailed("killed"))
    assert story.asked(2, "a") == ["start a2"]
    story.ready("a", 2)
    story.asked(3, "b")
    assert story.left(1) == []
    assert story.left(2) == ["stop a2: evicted for b"]


def test_late_news_of_an_old_run_is_harmless() -> None:
    story = Story()
    story.served(1, "a", 1)
    story.asked(2, "b")
    assert story.ready("a", 1) == []
    story.gone("a", 1)
    assert story.gone("a", 1) == []
    assert story.ready("b", 1) == []
    assert story.gone("b", 1) == []
    assert story.ready("x", 1) == []
    assert story.tell(Gone("x", 1)) == []
    assert story.phase("b") == Phase.STARTING


# ---------------------------------------------------------------------- a new plan


def test_an_equal_plan_changes_nothing() -> None:
    story = Story()
    story.asked(1, "a")
    story.asked(2, "b")
    assert story.replanned(plan()) == []
    assert story.ready("a", 1) == ["grant 1 a1"]
    assert story.replanned(plan(policy=TOGETHER)) == ["start b2"]
    assert story.ready("b", 2) == ["grant 2 b2"]
    assert story.replanned(plan()) == [], "a policy alone stops nothing"


def test_a_changed_model_serves_its_callers_to_the_end_and_starts_again() -> None:
    story = Story()
    story.asked(1, "a")
    story.ready("a", 1)
    changed = plan(Entry("a", version=2), Entry("b"))
    assert story.replanned(changed) == []
    assert story.asked(2, "a") == []
    assert story.left(1) == ["stop a1: replaced"]
    assert story.gone("a", 1) == ["start a2"]
    assert story.ready("a", 2) == ["grant 2 a2"]


def test_a_changed_model_waits_for_its_callers_no_longer_than_patience() -> None:
    story = Story()
    story.asked(1, "a", at=0.0)
    story.ready("a", 1)
    assert story.replanned(plan(Entry("a", version=2)), at=10.0) == []
    assert story.replanned(plan(Entry("a", version=3)), at=20.0) == []
    assert story.deadline() == 40.0
    assert story.woke(at=40.0) == ["stop a1: replaced"]
    assert story.gone("a", 1) == ["start a2"]


def test_what_was_up_starts_again_even_when_nobody_waits() -> None:
    story = Story(plan(policy=TOGETHER))
    story.served(1, "a", 1)
    story.asked(2, "b")
    fresh = plan(Entry("a", version=2), Entry("b", version=2), policy=TOGETHER)
    assert story.replanned(fresh) == ["stop a1: replaced", "stop b2: replaced"]
    assert story.gone("a", 1) == ["start a3"]
    assert story.gone("b", 2) == ["start b4"]
    assert story.ready("b", 4) == ["grant 2 b4"]


def test_a_change_taken_back_leaves_the_run_alone() -> None:
    story = Story()
    story.asked(1, "a")
    story.ready("a", 1)
    story.replanned(plan(Entry("a", version=2)))
    story.asked(2, "a")
    assert story.replanned(plan()) == ["grant 2 a1"]
    story.left(1)
    assert story.left(2) == []


def test_a_model_taken_out_refuses_who_waits_and_ends_with_its_callers() -> None:
    story = Story()
    story.asked(1, "a")
    story.ready("a", 1)
    story.asked(2, "b")
    assert story.replanned(plan(Entry("c"), Entry("a"))) == ["refuse 2 UnknownModel"]
    assert story.replanned(plan(Entry("c"))) == []
    assert story.asked(3, "a") == ["refuse 3 UnknownModel"]
    assert story.asked(4, "c") == []
    assert story.left(1) == ["stop a1: removed"]
    assert story.gone("a", 1) == ["start c2"]
    assert set(story.scheduler.snapshot()) == {"c"}


def test_a_caller_may_outlive_its_model() -> None:
    story = Story()
    story.asked(1, "a")
    story.ready("a", 1)
    story.replanned(plan(Entry("b"), patience=0.0))
    story.gone("a", 1)
    assert story.left(1) == []


def test_a_model_put_back_while_it_drains_is_as_if_never_gone() -> None:
    story = Story()
    story.asked(1, "a")
    story.ready("a", 1)
    story.replanned(plan(Entry("b")))
    assert story.replanned(plan()) == []
    assert story.asked(2, "a") == ["grant 2 a1"]


def test_a_changed_model_is_forgiven_its_failure() -> None:
    story = Story()
    story.asked(1, "a")
    story.gone("a", 1, StartFailed("no"))
    assert story.replanned(plan()) == []
    assert story.asked(2, "a") == ["refuse 2 StartBackoff"]
    story.replanned(plan(Entry("a", version=2)))
    assert story.asked(3, "a") == ["start a2"]


# ---------------------------------------------------------------------- the end


def test_closing_refuses_who_waits_stops_what_starts_and_lets_the_seated_finish() -> None:
    story = Story(plan(policy=group.policy([Group("x", ("a", "b"), swap=False), Group("y", ("c",))])))
    story.asked(1, "a")
    story.ready("a", 1)
    story.asked(2, "b")
    story.asked(3, "c")
    story.load("d")
    assert story.tell(Closed()) == ["refuse 2 ShuttingDown", "stop b2: closed", "refuse 3 ShuttingDown"]
    assert story.asked(4, "a") == ["refuse 4 ShuttingDown"]
    assert story.gone("b", 2) == []
    assert story.replanned(plan(Entry("a", version=2))) == []
    assert story.left(1) == ["stop a1: replaced"]
    assert story.gone("a", 1) == []


def test_an_onlooker_sees_what_is_so() -> None:
    story = Story()
    story.asked(1, "a", at=1.0)
    story.ready("a", 1, at=2.0)
    story.asked(2, "b", at=3.0)
    sight = story.scheduler.snapshot()["a"]
    assert (sight.phase, sight.run, sight.seated, sight.since, sight.last_use) == (Phase.READY, 1, 1, 2.0, 2.0)
    assert (story.scheduler.snapshot()["b"].waiting, story.scheduler.snapshot()["b"].run) == (1, 0)
    story.left(1)
    assert story.scheduler.snapshot()["a"].why == "evicted for b"
