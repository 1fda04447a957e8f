"""Who follows whom, told before it comes to that."""

from __future__ import annotations

from llamaswap_py.schedule.facts import Asked, Closed, Fact, Gone, Left, LoadAsked, Ready, UnloadAsked
from llamaswap_py.schedule.foresight import Succession, succession
from llamaswap_py.schedule.orders import Order, Refuse, Start
from llamaswap_py.schedule.plan import Entry, Evict, Plan, World
from llamaswap_py.schedule.scheduler import Scheduler
from tests.schedule.drive import drive

STEPS = 20_000


def one_at_a_time(model: str, world: World) -> Evict:
    return Evict(tuple(other for other in world if other != model))


def side_by_side(model: str, world: World) -> Evict:
    """Only c needs all the room."""
    return Evict(tuple(other for other in world if other != model and "c" in (model, other)))


def told(*facts: Fact, policy: object = one_at_a_time) -> Scheduler:
    assert callable(policy)
    scheduler = Scheduler(Plan({name: Entry(name) for name in "abc"}, policy, patience=0.0))
    for fact in facts:
        list(scheduler.handle(fact, 0.0))
    return scheduler


A_READY = (LoadAsked("a"), Ready("a", 1))


def follows(scheduler: Scheduler) -> Succession | None:
    return succession(scheduler.state, 0.0)


def test_whoever_waits_for_one_to_be_gone_follows_it() -> None:
    assert follows(told(*A_READY)) is None
    assert follows(told(*A_READY, Asked(1, "b"))) == Succession(1, "b")
    assert follows(told(*A_READY, LoadAsked("b"))) == Succession(1, "b")


def test_of_two_it_is_the_first() -> None:
    assert follows(told(*A_READY, Asked(1, "b"), Asked(2, "c"))) == Succession(1, "b")


def test_nobody_follows_where_nobody_waits_any_more() -> None:
    assert follows(told(*A_READY, Asked(1, "b"), Left(1))) is None
    assert follows(told(*A_READY, UnloadAsked(("a",)))) is None
    assert follows(told(*A_READY, Asked(1, "b"), Closed())) is None


def test_nobody_follows_where_more_than_one_has_to_go() -> None:
    both = (*A_READY, LoadAsked("b"), Ready("b", 2))
    assert follows(told(*both, Asked(1, "c"), policy=side_by_side)) is None
    last = told(*both, Asked(1, "c"), Gone("a", 1), policy=side_by_side)
    assert follows(last) == Succession(2, "c")


def test_a_model_does_not_follow_itself() -> None:
    """Its port and its folder are its old run's until that is gone."""
    assert follows(told(*A_READY, UnloadAsked(("a",)), Asked(1, "a"))) is None


class Watched(Scheduler):
    """What was foreseen is what is ordered, where nothing comes between."""

    foreseen = 0

    def handle(self, fact: Fact, now: float) -> list[Order]:
        expected = succession(self.state, now)
        orders = super().handle(fact, now)
        given_up = any(isinstance(order, Refuse) for order in orders)  # by the clock, in this very moment
        if expected is not None and isinstance(fact, Gone) and fact.run == expected.run and not given_up:
            Watched.foreseen += 1
            started = [order.model for order in orders if isinstance(order, Start)]
            assert started[:1] == [expected.model], (expected, fact, orders)
        return orders


def test_what_is_foreseen_comes() -> None:
    drive(Watched, 1, STEPS)
    assert Watched.foreseen > STEPS / 1000
