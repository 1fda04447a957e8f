"""Starts that run out of memory, in scenarios: one idle model goes, once."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from llamaswap_py.errors import StartFailed
from llamaswap_py.schedule.facts import Gone, LoadAsked
from llamaswap_py.schedule.orders import Stop
from llamaswap_py.schedule.plan import Entry, Phase
from tests.schedule.story import TOGETHER, Story, plan

FULL = StartFailed("out of memory")


def story(*entries: Entry, residency: float = 0.0, evicts: bool = True) -> Story:
    """a and b are up and idle, a for longer."""
    first = plan(*entries, policy=TOGETHER)
    told = Story(replace(first, evicts_for_memory=evicts, residency=residency))
    told.served(1, "a", 1)
    told.now = 5.0
    told.served(2, "b", 2)
    return told


def starves(told: Story, model: str, run: int) -> list[str]:
    return told.tell(Gone(model, run, FULL, starved=True))


def test_who_has_been_idle_for_the_longest_time_goes_and_the_start_is_tried_again() -> None:
    told = story()
    told.asked(3, "c")
    assert starves(told, "c", 3) == ["stop a1: evicted for c: it ran out of memory"]
    assert told.asked(4, "c") == []
    assert told.gone("a", 1) == ["start c4"]
    assert told.ready("c", 4) == ["grant 3 c4", "grant 4 c4"]


def test_a_second_failure_is_one_and_a_new_load_has_its_try_again() -> None:
    told = story()
    told.asked(3, "c")
    starves(told, "c", 3)
    told.gone("a", 1)
    assert starves(told, "c", 4) == ["refuse 3 StartFailed"]
    assert told.phase("b") == Phase.READY
    told.now += 10
    told.asked(4, "c")
    assert starves(told, "c", 5) == ["stop b2: evicted for c: it ran out of memory"]


def test_the_decision_names_its_rule_and_who_there_was() -> None:
    told = story()
    told.asked(3, "c")
    orders = told.scheduler.handle(Gone("c", 3, FULL, starved=True), told.now)
    decision = orders[0].decision if isinstance(orders[0], Stop) else None
    assert decision is not None
    assert (decision.rule, decision.wanted, decision.chosen) == ("out of memory", "c", ("a",))
    assert {each.model for each in decision.candidates} == {"a", "b"}


def test_a_load_by_order_is_tried_again_too() -> None:
    told = story()
    told.tell(LoadAsked("c"))
    assert starves(told, "c", 3) == ["stop a1: evicted for c: it ran out of memory"]
    assert told.gone("a", 1) == ["start c4"]


@pytest.mark.parametrize("kept", [Entry("a", pinned=True), Entry("a", persistent=True)])
def test_what_is_pinned_or_persistent_stays(kept: Entry) -> None:
    told = story(kept, Entry("b"), Entry("c"))
    told.asked(3, "c")
    assert starves(told, "c", 3) == ["stop b2: evicted for c: it ran out of memory"]


def test_who_is_in_use_or_has_just_become_ready_stays() -> None:
    told = story(residency=100.0)
    told.asked(3, "a")
    told.asked(4, "c")
    assert starves(told, "c", 3) == ["refuse 4 StartFailed"]


def test_nobody_goes_for_a_load_that_nobody_waits_for() -> None:
    told = story()
    told.asked(3, "c")
    told.left(3)
    assert starves(told, "c", 3) == []
    assert told.phase("c") == Phase.FAILED


def test_it_can_be_left_off() -> None:
    told = story(evicts=False)
    told.asked(3, "c")
    assert starves(told, "c", 3) == ["refuse 3 StartFailed"]


def test_a_victim_that_is_up_again_is_not_waited_for() -> None:
    """It went, its callers came back first, and its new run is being stopped for another reason."""
    told = story()
    told.asked(3, "c")
    starves(told, "c", 3)
    told.left(3)
    told.gone("a", 1)
    told.served(4, "a", 4)
    told.unload("a")
    assert told.asked(5, "c") == ["start c5"]
