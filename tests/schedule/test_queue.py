"""Bounds of the queue, what stays though others wait for its room, and what callers are told about it."""

from __future__ import annotations

import math

import pytest
from msgspec.structs import replace

from llamaswap_py.schedule.explain import explained
from llamaswap_py.schedule.facts import PinAsked, UnloadAsked
from llamaswap_py.schedule.line import Place, places
from llamaswap_py.schedule.plan import Entry
from tests.schedule.story import TOGETHER, Story, plan

# ---------------------------------------------------------------------- bounds


def test_a_full_queue_turns_callers_away_at_once_and_has_room_again_when_somebody_leaves() -> None:
    story = Story(plan(Entry("a", queue=2)))
    story.asked(1, "a")
    story.asked(2, "a")
    assert story.asked(3, "a") == ["refuse 3 QueueFull"]
    story.left(1)
    assert story.asked(4, "a") == []
    story.ready("a", 1)
    assert story.asked(5, "a") == ["grant 5 a1"]


def test_the_bound_of_all_queues_together() -> None:
    story = Story(replace(plan(), queue=1))
    story.asked(1, "a")
    assert story.asked(2, "b") == ["refuse 2 Overloaded"]
    story.ready("a", 1)
    assert story.asked(3, "a") == ["grant 3 a1"], "who need not wait is let in"


def test_a_caller_who_has_waited_long_enough_is_told_so() -> None:
    story = Story(plan(Entry("a", wait=5.0, seats=1), Entry("b", wait=3.0)))
    story.asked(1, "a", at=0.0)
    story.asked(2, "b", at=1.0)
    assert story.deadline() == 4.0
    assert story.woke(at=4.0) == ["refuse 2 QueueTimeout"]
    assert "no seat" in story.refusals[2].message
    assert story.deadline() == 5.0
    assert story.woke(at=5.0) == ["refuse 1 QueueTimeout"]
    assert "starting" in story.refusals[1].message
    assert story.deadline() == math.inf
    assert story.ready("a", 1) == []
    assert story.asked(3, "a") == ["grant 3 a1"]
    assert story.asked(4, "a") == []
    assert story.deadline() == 10.0


def test_who_is_seated_in_time_hears_nothing_of_the_deadline() -> None:
    story = Story(plan(Entry("a", wait=5.0)))
    story.asked(1, "a", at=0.0)
    assert story.ready("a", 1, at=4.0) == ["grant 1 a1"]
    assert story.woke(at=99.0) == []


# ---------------------------------------------------------------------- when to come again


@pytest.mark.parametrize(
    ("seats", "callers", "after"),
    [(1, 2, 10.0), (2, 3, 5.0), (None, 2, 5.0)],
)
def test_when_to_come_again_follows_from_earlier_answers(seats: int | None, callers: int, after: float) -> None:
    story = Story(plan(Entry("a", seats=seats, limit=callers)))
    story.asked(1, "a", at=0.0)
    story.ready("a", 1)
    story.left(1, at=10.0)
    for ticket in range(2, 2 + callers):
        story.asked(ticket, "a")
    story.asked(9, "a")
    assert story.refusals[9].retry_after == pytest.approx(after)


def test_when_to_come_again_counts_what_is_left_of_a_load_that_takes_its_usual_time() -> None:
    story = Story(plan(Entry("a", queue=1)))
    story.asked(1, "a", at=0.0)
    story.ready("a", 1, at=30.0)
    story.left(1, at=34.0)
    story.unload("a")
    story.gone("a", 1)
    story.asked(2, "a", at=100.0)
    story.asked(3, "a", at=110.0)
    assert story.refusals[3].retry_after == pytest.approx(20.0 + 4.0)
    story.asked(4, "a", at=200.0)
    assert story.refusals[4].retry_after == pytest.approx(4.0)


def test_averages_follow_what_is_new_and_a_glance_is_no_answer() -> None:
    story = Story(plan(Entry("a", limit=1)))
    story.asked(1, "a", at=0.0)
    story.ready("a", 1)
    story.left(1, at=10.0)
    story.asked(2, "a", at=10.0)
    story.left(2, at=30.0)
    story.asked(3, "a", at=30.0)
    story.left(3, at=30.0)
    story.asked(4, "a")
    story.asked(5, "a")
    assert story.refusals[5].retry_after == pytest.approx(13.0)


def test_where_nothing_is_known_it_is_a_second_and_never_beyond_ten_minutes() -> None:
    story = Story(plan(Entry("a", limit=1)))
    story.asked(1, "a", at=0.0)
    story.asked(2, "a")
    assert story.refusals[2].retry_after == 1
    story.ready("a", 1)
    story.left(1, at=9999.0)
    story.asked(3, "a")
    story.asked(4, "a")
    assert story.refusals[4].retry_after == 600


def test_of_a_model_that_waits_for_room_the_whole_load_is_counted() -> None:
    story = Story(plan(Entry("a", queue=1), Entry("b")))
    story.asked(1, "a", at=0.0)
    story.ready("a", 1, at=30.0)
    story.left(1)
    story.asked(2, "b")
    story.gone("a", 1)
    story.asked(3, "a")
    story.asked(4, "a")
    assert story.refusals[4].retry_after == pytest.approx(30.0)


# ---------------------------------------------------------------------- residency and abandoned loads


def test_a_model_that_became_ready_stays_for_its_residency() -> None:
    story = Story(replace(plan(), residency=8.0))
    story.asked(1, "a", at=0.0)
    story.ready("a", 1, at=2.0)
    story.left(1, at=3.0)
    assert story.asked(2, "b") == []
    assert story.deadline() == 10.0
    assert story.asked(3, "a", at=4.0) == ["grant 3 a1"]
    assert story.left(3, at=9.0) == []
    assert story.woke(at=10.0) == ["stop a1: evicted for b"]


def test_residency_ends_with_the_patience_of_whoever_waits() -> None:
    story = Story(replace(plan(patience=5.0), residency=100.0))
    story.asked(1, "a", at=0.0)
    story.ready("a", 1)
    story.left(1)
    assert story.asked(2, "b", at=1.0) == []
    assert story.deadline() == 6.0
    assert story.woke(at=6.0) == ["stop a1: evicted for b"]


def test_a_load_whose_last_caller_left_is_held_for_a_while_and_what_it_loaded_too() -> None:
    story = Story(replace(plan(), hold=10.0))
    story.asked(1, "a", at=0.0)
    story.asked(2, "b", at=1.0)
    assert story.left(1, at=4.0) == []
    assert story.deadline() == 14.0
    assert story.ready("a", 1, at=8.0) == []
    assert story.asked(3, "a", at=9.0) == ["grant 3 a1"]
    assert story.left(3, at=9.5) == ["stop a1: evicted for b"], "who came back has been served"


def test_a_load_that_nobody_came_back_to_gives_way_when_its_time_is_over() -> None:
    story = Story(replace(plan(), hold=10.0))
    story.asked(1, "a", at=0.0)
    story.left(1, at=4.0)
    assert story.asked(2, "b", at=5.0) == []
    assert story.woke(at=14.0) == ["stop a1: evicted for b"]


# ---------------------------------------------------------------------- pins


def test_what_is_pinned_stays_and_whoever_needs_its_room_hears_why() -> None:
    story = Story(plan(Entry("a", pinned=True, ttl=5.0), Entry("b")))
    story.served(1, "a", 1)
    assert story.deadline() == math.inf
    assert story.asked(2, "b") == ["refuse 2 NoRoom"]
    assert "beside a, which is pinned" in story.refusals[2].message
    story.tell(PinAsked("a", False))
    assert story.deadline() == 5.0
    assert story.asked(3, "b") == ["stop a1: evicted for b"]


def test_a_pin_by_order_is_heard_by_those_who_wait() -> None:
    story = Story()
    story.asked(1, "a")
    story.ready("a", 1)
    story.asked(2, "b")
    assert story.tell(PinAsked("a", True)) == ["refuse 2 NoRoom"]
    assert story.tell(PinAsked("nobody", True)) == []
    assert [story.left(1), story.asked(3, "b")] == [[], ["refuse 3 NoRoom"]]
    assert story.tell(UnloadAsked(("a",))) == ["stop a1: unloaded"]
    assert story.asked(4, "b") == [], "an order goes before a pin"
    assert story.gone("a", 1) == ["start b2"]


def test_several_that_are_pinned_are_all_named() -> None:
    story = Story(plan(Entry("a", pinned=True), Entry("b", pinned=True), Entry("c"), policy=TOGETHER))
    story.served(1, "a", 1)
    story.served(2, "b", 2)
    story.replanned(plan(Entry("a", pinned=True), Entry("b", pinned=True), Entry("c")))
    story.asked(3, "c")
    assert "beside a and b, which are pinned" in story.refusals[3].message


def test_the_configuration_takes_a_pin_back_only_where_it_changes() -> None:
    story = Story(plan(Entry("a")))
    story.tell(PinAsked("a", True))
    story.replanned(plan(Entry("a", ttl=9.0)))
    assert pinned(story)
    story.replanned(plan(Entry("a", pinned=True)))
    story.replanned(plan(Entry("a")))
    assert not pinned(story)


def pinned(story: Story) -> bool:
    sight = story.scheduler.sight("a")
    return sight is not None and sight.pinned


# ---------------------------------------------------------------------- why


def test_an_eviction_says_who_asked_and_what_there_was_to_choose_from() -> None:
    groups = replace(plan(), rule="groups")
    story = Story(groups)
    story.served(1, "a", 1)
    story.asked_by("ann", 2, "b", at=7.0)
    sight = story.scheduler.sight("a")
    assert sight is not None
    assert explained(sight.evicted) == {
        "wanted": "b",
        "caller": "ann",
        "waiting": 1,
        "waited": 0.0,
        "rule": "groups",
        "chosen": ["a"],
        "candidates": [
            {"model": "a", "state": "ready", "seated": 0, "waiting": 0, "unused": 7.0, "pinned": False},
        ],
    }
    assert explained(None) == {}


def test_everybody_can_see_its_place() -> None:
    """The same that each is told alone."""
    story = Story(plan(Entry("a", seats=1), Entry("b"), Entry("c"), patience=9.0))
    story.served(1, "a", 1)
    story.asked(2, "a", at=0.0)
    for ticket, (caller, model) in enumerate((("ann", "a"), ("ann", "a"), ("bob", "b"), ("eve", "a"), ("bob", "c")), 3):
        story.asked_by(caller, ticket, model, at=float(ticket))
    found = places(story.scheduler.state, 10.0)
    assert [(place.model, place.caller) for place in found if place.model == "a"] == [
        ("a", "ann"),
        ("a", "eve"),
        ("a", "ann"),
    ]
    alone = sorted(story.scheduler.waiting_position(ticket) or 0 for ticket in range(3, 8))
    assert sorted(place.position for place in found) == alone
    starting = Story()
    starting.asked_by("ann", 1, "a", at=1.0)
    assert places(starting.scheduler.state, 3.0) == [Place("a", 0, "ann", 2.0)]
