"""How often a model may fail: pauses, the limit, the one try in a while, and whom its tries may cost anything."""

from __future__ import annotations

import pytest

from llamaswap_py.config.values import CrashLimit
from llamaswap_py.errors import StartFailed, UpstreamFailed
from llamaswap_py.schedule.facts import ResetAsked
from llamaswap_py.schedule.failures import Failures, Kind
from llamaswap_py.schedule.plan import Entry, Plan, Policy
from tests.schedule.story import ONE_AT_A_TIME, TOGETHER, Story, plan

LIMIT = CrashLimit(failures=3, window=60.0, retry=100.0)
NO = StartFailed("model a: exit code 1")
DIED = UpstreamFailed("model a: SIGKILL")


def limited(limit: CrashLimit = LIMIT, policy: Policy = TOGETHER) -> Plan:
    entries = {model: Entry(model) for model in "ab"}
    return Plan(entries, policy, backoff=(1.0, 5.0), crash_limit=limit)


class Unlucky(Story):
    """Where every start of `a` fails at once."""

    def __init__(self, first: Plan | None = None) -> None:
        super().__init__(first or limited())
        self.tickets = 100

    def fails(self, run: int, at: float) -> list[str]:
        self.tickets += 1
        assert self.asked(self.tickets, "a", at=at) == [f"start a{run}"]
        return self.gone("a", run, NO)

    def turned_away(self, at: float) -> tuple[str, float | None]:
        self.tickets += 1
        self.asked(self.tickets, "a", at=at)
        refusal = self.refusals[self.tickets]
        return refusal.code, refusal.retry_after


def given_up() -> Unlucky:
    story = Unlucky()
    story.fails(1, 0.0)
    story.fails(2, 1.0)
    story.fails(3, 6.0)
    return story


def test_after_so_many_failures_in_the_window_a_model_is_given_up() -> None:
    """Its callers hear at once that it is, why, and when it is tried again; nothing is started for them."""
    story = given_up()
    assert story.phase("a") == "gave-up"
    assert story.turned_away(7.0) == ("model_gave_up", 99.0)
    message = story.refusals[story.tickets].message
    assert "model a: exit code 1" in message
    assert "in 99 s" in message
    assert story.asked(1, "b") == ["start b4"]


def test_one_try_in_a_while_and_a_failure_of_it_is_the_next_while() -> None:
    story = given_up()
    story.fails(4, 106.0)
    assert story.phase("a") == "gave-up"
    assert story.turned_away(107.0) == ("model_gave_up", 99.0)


def test_who_comes_during_the_one_try_waits_for_it() -> None:
    story = given_up()
    assert story.asked(1, "a", at=106.0) == ["start a4"]
    assert story.asked(2, "a") == []
    assert story.ready("a", 4) == ["grant 1 a4", "grant 2 a4"]


def test_a_try_that_serves_wipes_the_failures_out() -> None:
    story = given_up()
    story.asked(1, "a", at=106.0)
    story.ready("a", 4)
    assert story.gone("a", 4, DIED, served=True) == []
    story.fails(5, 107.0)
    assert story.phase("a") == "failed"


def test_a_try_that_is_ready_and_dies_before_it_served_is_a_failure() -> None:
    story = given_up()
    story.asked(1, "a", at=106.0)
    story.ready("a", 4)
    story.gone("a", 4, DIED, at=115.0)
    assert story.turned_away(116.0) == ("model_gave_up", 99.0)


def test_a_try_that_stays_ready_for_long_enough_is_a_success() -> None:
    story = given_up()
    story.asked(1, "a", at=106.0)
    story.ready("a", 4)
    story.gone("a", 4, DIED, at=116.0)
    assert story.phase("a") == "stopped"
    assert story.asked(2, "a") == ["start a5"]


@pytest.mark.parametrize("order", ["reset", "edit"])
def test_a_reset_and_an_edit_of_the_model_forget_it_all(order: str) -> None:
    story = given_up()
    fresh = Plan({"a": Entry("a", version=2), "b": Entry("b")}, TOGETHER, backoff=(1.0, 5.0), crash_limit=LIMIT)
    assert (story.tell(ResetAsked("a")) if order == "reset" else story.replanned(fresh)) == []
    assert story.phase("a") == "stopped"
    story.fails(4, 7.0)
    assert story.phase("a") == "failed"


def test_failures_outlive_a_new_plan_that_leaves_the_model_as_it_was() -> None:
    story = given_up()
    story.replanned(limited())
    assert story.turned_away(7.0) == ("model_gave_up", 99.0)


def test_failures_that_are_far_apart_never_give_it_up() -> None:
    story = Unlucky()
    for number in range(1, 20):
        story.fails(number, number * 100.0)
    assert story.phase("a") == "failed"


def test_what_loads_take_is_no_time_of_the_window() -> None:
    """Or a model that fails after four minutes could fail for ever."""
    story = Unlucky()
    for number in range(1, 4):
        story.asked(number, "a", at=number * 1000.0)
        story.gone("a", number, NO, at=number * 1000.0 + 990.0)
    assert story.phase("a") == "gave-up"


def test_without_a_limit_it_is_never_given_up() -> None:
    story = Unlucky(limited(CrashLimit(failures=0)))
    for number in range(1, 20):
        story.fails(number, number * 10.0)
    assert story.phase("a") == "failed"


def test_a_limit_that_was_taken_away_counts_from_the_next_failure_on() -> None:
    story = given_up()
    story.replanned(limited(CrashLimit(failures=0)))
    story.fails(4, 106.0)
    assert story.phase("a") == "failed"


def test_stops_by_order_are_no_failures() -> None:
    story = Story(limited())
    for number in range(1, 9):
        story.asked(number, "a")
        story.unload("a")
        story.gone("a", number)
    assert story.phase("a") == "stopped"
    assert story.asked(10, "a") == ["start a9"]


def test_a_crash_after_ready_starts_anew_at_once_and_then_backs_off() -> None:
    """Also of a server that is never probed: `ready` alone is no success."""
    story = Story(limited())
    story.asked(1, "a", at=0.0)
    story.ready("a", 1)
    story.gone("a", 1, DIED)
    assert story.asked(2, "a") == ["start a2"]
    story.ready("a", 2)
    story.gone("a", 2, DIED)
    assert story.asked(3, "a") == ["refuse 3 StartBackoff"]
    assert story.refusals[3].retry_after == 1.0


def test_who_waits_for_a_seat_of_a_run_that_dies_again_is_told_when_to_come_back() -> None:
    story = Story(Plan({"a": Entry("a", seats=1)}, TOGETHER, backoff=(1.0,), crash_limit=LIMIT))
    story.asked(1, "a")
    story.asked(2, "a")
    story.ready("a", 1)
    assert story.gone("a", 1, DIED) == ["start a2"]
    story.asked(3, "a")
    assert story.ready("a", 2) == ["grant 2 a2"]
    assert story.gone("a", 2, DIED) == ["refuse 3 StartBackoff"]


def test_a_model_that_keeps_failing_stops_nobody_else_for_it() -> None:
    """Once more, yes; from then on once in a while. Its callers are told whom its start would stop."""
    story = Story(limited(CrashLimit(failures=9, window=60.0, retry=100.0), ONE_AT_A_TIME))
    story.served(1, "b", 1)
    for run, at in ((2, 0.0), (4, 10.0)):
        assert story.asked(run, "a", at=at) == [f"stop b{run - 1}: evicted for a"]
        assert story.gone("b", run - 1) == [f"start a{run}"]
        story.gone("a", run, NO)
        story.served(10 + run, "b", run + 1)
    assert story.asked(20, "a", at=30.0) == ["refuse 20 StartBackoff"]
    assert story.refusals[20].retry_after == 80.0
    assert "would stop b" in story.refusals[20].message
    assert story.asked(21, "a", at=110.0) == ["stop b5: evicted for a"]


def test_it_is_tried_where_there_is_room_and_by_order() -> None:
    story = Story(limited(CrashLimit(failures=9, window=60.0, retry=100.0), ONE_AT_A_TIME))
    for run, at in ((1, 0.0), (2, 10.0), (3, 20.0)):
        assert story.asked(run, "a", at=at) == [f"start a{run}"]
        story.gone("a", run, NO)
    story.served(10, "b", 4)
    assert story.load("a", at=30.0) == ["stop b4: evicted for a"]


def test_it_waits_where_somebody_is_leaving_anyway() -> None:
    story = Story(limited(CrashLimit(failures=9, window=60.0, retry=100.0), ONE_AT_A_TIME))
    for run, at in ((1, 0.0), (2, 10.0)):
        story.asked(run, "a", at=at)
        story.gone("a", run, NO)
    story.served(10, "b", 3)
    story.unload("b")
    assert story.asked(11, "a", at=30.0) == []
    assert story.gone("b", 3) == ["start a4"]


def test_without_pauses_it_is_left_alone_for_no_time() -> None:
    failures = Failures()
    failures.add(5.0, (), CrashLimit(failures=0), Kind.START)
    assert not failures.pausing(5.0)
    assert plan().crash_limit == CrashLimit()
