"""The scheduler in simulated time: who asks when, how long loads, stops and answers take, in; what happened, out."""

from __future__ import annotations

import heapq
from collections.abc import Mapping, Sequence

import msgspec

from llamaswap_py.schedule.facts import Asked, Fact, Gone, Left, Ready, Woke
from llamaswap_py.schedule.orders import Grant, Order, Start, Stop
from llamaswap_py.schedule.plan import Plan
from llamaswap_py.schedule.scheduler import Scheduler


class Arrival(msgspec.Struct, frozen=True):
    at: float
    model: str
    answer: float  # seconds the caller keeps its seat
    priority: int = 0


class Pace(msgspec.Struct, frozen=True):
    load: float = 1.0
    stop: float = 0.0


class Happened(msgspec.Struct, frozen=True):
    at: float
    what: Fact | Order


class Simulation(msgspec.Struct):
    scheduler: Scheduler
    paces: Mapping[str, Pace]
    answers: Mapping[int, float]  # by ticket
    coming: list[tuple[float, int, Fact]] = msgspec.field(default_factory=list)
    story: list[Happened] = msgspec.field(default_factory=list)
    told: int = 0

    def expect(self, at: float, fact: Fact) -> None:
        self.told += 1  # of two facts at one time the one expected first comes first
        heapq.heappush(self.coming, (at, self.told, fact))

    def run(self) -> None:
        now = 0.0
        while self.coming:
            now, _, fact = heapq.heappop(self.coming)
            self.tell(fact, now)
            deadline = self.scheduler.deadline(now)
            if deadline is not None and not (self.coming and self.coming[0][0] <= deadline):
                self.expect(deadline, Woke())

    def tell(self, fact: Fact, now: float) -> None:
        self.story.append(Happened(now, fact))
        for order in self.scheduler.handle(fact, now):
            self.story.append(Happened(now, order))
            self.carry_out(order, now)

    def carry_out(self, order: Order, now: float) -> None:
        match order:
            case Start(model, run):
                self.expect(now + self.pace(model).load, Ready(model, run))
            case Stop(model, run):
                self.expect(now + self.pace(model).stop, Gone(model, run))
            case Grant(ticket):
                self.expect(now + self.answers[ticket], Left(ticket))
            case _:
                self.expect(now, Left(order.ticket))  # refused

    def pace(self, model: str) -> Pace:
        return self.paces.get(model, Pace())


def simulate(plan: Plan, arrivals: Sequence[Arrival], paces: Mapping[str, Pace]) -> tuple[Happened, ...]:
    """Until nobody is left and nothing is on its way. Tickets are numbered from 1 in the order of `arrivals`."""
    simulation = Simulation(Scheduler(plan), paces, {n: arrival.answer for n, arrival in enumerate(arrivals, 1)})
    for ticket, arrival in enumerate(arrivals, 1):
        simulation.expect(arrival.at, Asked(ticket, arrival.model, priority=arrival.priority))
    simulation.run()
    return tuple(simulation.story)


def waits(story: Sequence[Happened]) -> dict[int, float]:
    """How long each granted caller waited, by ticket."""
    asked = {event.what.ticket: event.at for event in story if isinstance(event.what, Asked)}
    return {event.what.ticket: event.at - asked[event.what.ticket] for event in story if isinstance(event.what, Grant)}
