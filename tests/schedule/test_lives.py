"""A model's clock: its ttl, and the deadline that follows from it."""

from __future__ import annotations

import math

import pytest

from llamaswap_py.schedule.facts import ResetAsked
from llamaswap_py.schedule.plan import Entry
from tests.schedule.story import TOGETHER, Story, plan

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


@pytest.mark.fault("R84")
def test_a_changed_ttl_takes_effect_on_the_running_clock() -> None:
    story = Story(plan(Entry("a", ttl=10.0)))
    story.served(1, "a", 1)
    assert story.replanned(plan(Entry("a", ttl=50.0)), at=9.0) == []
    assert story.deadline() == 50.0
    assert story.replanned(plan(Entry("a", ttl=20.0)), at=30.0) == ["stop a1: idle"]
