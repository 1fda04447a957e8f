"""What a swap takes does not grow with the models that are only configured."""

from __future__ import annotations

from llamaswap_py.config.values import Group
from llamaswap_py.schedule.eviction import group
from llamaswap_py.schedule.facts import Asked, Fact, Gone, Left, Ready
from llamaswap_py.schedule.foresight import succession
from llamaswap_py.schedule.orders import Grant, Start, Stop
from llamaswap_py.schedule.plan import Entry, Plan
from llamaswap_py.schedule.scheduler import Scheduler
from tests.steps import counted

SWAP: tuple[Fact, ...] = (Asked(2, "b"), Gone("a", 1), Ready("b", 2), Left(2))


def swap(models: int) -> tuple[int, list[type]]:
    """How many functions are entered for it, and what is ordered."""
    names = ("a", "b", *(f"idle-{number}" for number in range(2, models)))
    entries = {name: Entry(name, ttl=60.0, wait=300.0) for name in names}
    scheduler = Scheduler(Plan(entries, group.policy((Group("all", names),)), queue=100))
    for before in (Asked(1, "a"), Ready("a", 1), Left(1)):
        scheduler.handle(before, 0.0)
    orders: list[type] = []
    with counted() as steps:
        for fact in SWAP:
            orders += map(type, scheduler.handle(fact, 1.0))
            succession(scheduler.state, 1.0)
            scheduler.deadline(1.0)
    return steps.entered, orders


def test_among_a_thousand_models_it_takes_the_steps_that_it_takes_among_two() -> None:
    steps, orders = swap(2)
    assert orders == [Stop, Start, Grant]
    assert swap(1000) == (steps, orders)
