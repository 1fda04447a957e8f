"""What the runs and the operator tell the scheduler: loads, failures, new plans, the end."""

from __future__ import annotations

from llamaswap_py.config.values import Group
from llamaswap_py.errors import StartFailed, UpstreamFailed
from llamaswap_py.schedule.eviction import group
from llamaswap_py.schedule.facts import Closed, Gone, ResetAsked
from llamaswap_py.schedule.plan import Entry, Phase
from tests.schedule.story import TOGETHER, Story, plan

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
    assert story.gone("a", 3, UpstreamFailed("killed"), served=True) == []
    assert story.asked(7, "a") == ["start a4"]
    story.gone("a", 4, why)
    assert story.scheduler.snapshot()["a"].failed_until == 8.0, "a run that served has reset the count"


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
