"""A scheduler told a story: facts in, orders out as short lines, so that a test reads as what happened."""

from __future__ import annotations

import math

from llamaswap_py.config.values import Group
from llamaswap_py.errors import Refusal
from llamaswap_py.schedule.eviction import group
from llamaswap_py.schedule.facts import Asked, Fact, Gone, Left, LoadAsked, Ready, Replanned, UnloadAsked, Woke
from llamaswap_py.schedule.orders import Grant, Order, Refuse, Start, Stop
from llamaswap_py.schedule.plan import Entry, Plan, Policy
from llamaswap_py.schedule.scheduler import Scheduler

ONE_AT_A_TIME = group.policy([Group("g", ("a", "b", "c", "d"))])
TOGETHER = group.policy([Group("g", ("a", "b", "c", "d"), swap=False)])


def plan(*entries: Entry, policy: Policy = ONE_AT_A_TIME, patience: float = 30.0, backoff: float | None = 1.0) -> Plan:
    named = entries or tuple(Entry(model) for model in "abcd")
    steps = () if backoff is None else (backoff, 5 * backoff)
    return Plan({entry.model: entry for entry in named}, policy, patience, steps)


def line(order: Order) -> str:
    match order:
        case Start(model, run):
            return f"start {model}{run}"
        case Stop(model, run, why):
            return f"stop {model}{run}: {why}"
        case Grant(ticket, model, run):
            return f"grant {ticket} {model}{run}"
        case Refuse(ticket, refusal):
            return f"refuse {ticket} {type(refusal).__name__}"


class Story:
    def __init__(self, first: Plan | None = None) -> None:
        self.scheduler = Scheduler(first or plan())
        self.now = 0.0
        self.refusals: dict[int, Refusal] = {}

    def tell(self, fact: Fact, at: float | None = None) -> list[str]:
        self.now = self.now if at is None else at
        orders = self.scheduler.handle(fact, self.now)
        self.refusals |= {order.ticket: order.refusal for order in orders if isinstance(order, Refuse)}
        return [line(order) for order in orders]

    def asked(
        self,
        ticket: int,
        model: str,
        at: float | None = None,
        *,
        priority: int = 0,
        wakes: bool = True,
        keeps: bool = True,
    ) -> list[str]:
        return self.tell(Asked(ticket, model, priority=priority, wakes=wakes, keeps=keeps), at)

    def asked_by(self, caller: str, ticket: int, model: str, at: float | None = None) -> list[str]:
        return self.tell(Asked(ticket, model, caller), at)

    def left(self, ticket: int, at: float | None = None) -> list[str]:
        return self.tell(Left(ticket), at)

    def ready(self, model: str, run: int, at: float | None = None) -> list[str]:
        return self.tell(Ready(model, run), at)

    def gone(
        self, model: str, run: int, why: Refusal | None = None, at: float | None = None, *, served: bool = False
    ) -> list[str]:
        return self.tell(Gone(model, run, why, served), at)

    def load(self, model: str, at: float | None = None) -> list[str]:
        return self.tell(LoadAsked(model), at)

    def unload(self, *models: str, at: float | None = None) -> list[str]:
        return self.tell(UnloadAsked(models), at)

    def replanned(self, fresh: Plan, at: float | None = None) -> list[str]:
        return self.tell(Replanned(fresh), at)

    def woke(self, at: float | None = None) -> list[str]:
        return self.tell(Woke(), at)

    def deadline(self) -> float:
        deadline = self.scheduler.deadline(self.now)
        return math.inf if deadline is None else deadline

    def phase(self, model: str) -> str:
        sight = self.scheduler.sight(model)
        return str(sight.phase) if sight else "unknown"

    def served(self, ticket: int, model: str, run: int) -> None:
        """A model that is down is asked for, started, and has answered."""
        assert self.asked(ticket, model) == [f"start {model}{run}"]
        assert self.ready(model, run) == [f"grant {ticket} {model}{run}"]
        assert self.left(ticket) == []
