"""The scheduler in simulated time, and with it how long anybody waits."""

from __future__ import annotations

import math
from collections.abc import Sequence
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llamaswap_py.schedule.facts import Asked, Gone, Left, Ready, Woke
from llamaswap_py.schedule.orders import Grant, Refuse, Start, Stop
from llamaswap_py.schedule.plan import Entry
from llamaswap_py.schedule.simulate import Arrival, Happened, Pace, simulate, waits
from tests.schedule.story import ONE_AT_A_TIME, plan

PACE = Pace(load=6.0, stop=1.0)
PACES = dict.fromkeys("abcd", PACE)


def test_a_story_is_told_in_order_with_its_times() -> None:
    story = simulate(plan(Entry("a", ttl=10.0)), [Arrival(1.0, "a", 2.0)], {"a": PACE})
    assert story[:5] == (
        Happened(1.0, Asked(1, "a")),
        Happened(1.0, Start("a", 1)),
        Happened(7.0, Ready("a", 1)),
        Happened(7.0, Grant(1, "a", 1)),
        Happened(9.0, Left(1)),
    )
    assert story[5:7] == (Happened(19.0, Woke()), Happened(19.0, Stop("a", 1, "idle")))
    assert [event.at for event in story[7:]] == [20.0]


def test_who_is_refused_leaves_at_once() -> None:
    story = simulate(plan(Entry("a", limit=1)), [Arrival(0.0, "a", 5.0), Arrival(1.0, "a", 5.0)], {})
    assert any(isinstance(event.what, Refuse) and event.at == 1.0 for event in story)
    assert waits(story) == {1: 1.0}


def hour(every: float, answer: float) -> list[Arrival]:
    """a is asked all the time, b now and then; they exclude each other."""
    busy = [Arrival(n * every, "a", answer) for n in range(int(3600 / every))]
    return sorted([*busy, *(Arrival(n * 300.0 + 7.0, "b", 3.0) for n in range(12))], key=lambda arrival: arrival.at)


@pytest.mark.parametrize("patience", [0.0, 5.0, 20.0, 60.0])
def test_nobody_waits_longer_than_patience_the_longest_answer_and_one_swap(patience: float) -> None:
    arrivals = hour(every=2.0, answer=8.0)
    longest = max(waits(simulate(plan(patience=patience), arrivals, PACES)).values())
    swap = 8.0 + PACE.load + PACE.stop
    assert longest <= max(patience, swap) + swap, "with less patience than a swap takes, one swap may follow another"


def test_with_infinite_patience_a_busy_model_starves_the_other() -> None:
    waited = waits(simulate(plan(patience=math.inf), hour(every=2.0, answer=8.0), PACES))
    assert max(waited.values()) > 300


ARRIVALS = st.lists(
    st.builds(Arrival, st.floats(0, 600), st.sampled_from("abcd"), st.floats(0, 20), st.integers(-1, 1)),
    min_size=1,
    max_size=60,
)


@given(arrivals=ARRIVALS, patience=st.sampled_from([0.0, 1.0, 10.0, 30.0]))
def test_everybody_is_served_within_a_bound_that_patience_sets(arrivals: Sequence[Arrival], patience: float) -> None:
    """Priorities overtake by one patience a point; then each other model is served at most once more, after a drain."""
    waited = waits(simulate(plan(patience=patience, policy=ONE_AT_A_TIME), arrivals, PACES))
    assert len(waited) == len(arrivals)
    swap = PACE.load + PACE.stop + 20.0
    assert max(waited.values()) <= patience + 2 * patience + 5 * swap


def test_ten_thousand_races_between_a_ttl_and_a_request() -> None:
    """Each request comes within a blink of the end of its model's ttl, before, at or after it, some while it is being
    stopped: every one is served, none waits longer than a stop and a load, and the model never has two runs."""
    ttl, load, stop, answer = 1.0, 0.05, 0.02, 0.01
    dice = Random(7)
    arrivals, idle_since = [], 0.0
    for _ in range(10_000):
        blink = dice.choice((-1e-9, 0.0, 1e-9, dice.uniform(-0.03, 0.03)))
        at, over = idle_since + ttl + blink, idle_since + ttl
        arrivals.append(Arrival(at, "a", answer))
        idle_since = (at if at <= over and idle_since else max(at, over + stop) + load) + answer
    story = simulate(plan(Entry("a", ttl=ttl)), arrivals, {"a": Pace(load=load, stop=stop)})
    took = waits(story)
    assert len(took) == len(arrivals)
    assert max(took.values()) <= stop + load + 1e-6
    assert 2_000 < sum(isinstance(event.what, Stop) for event in story) < 8_000, "either side wins thousands of times"
    up = 0
    for event in story:
        up += isinstance(event.what, Start) - isinstance(event.what, Gone)
        assert up in (0, 1)
