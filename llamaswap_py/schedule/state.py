"""What is so, and the only ways in which it changes: each writes its order down. Decides nothing."""

from __future__ import annotations

import math
from collections.abc import Iterable

from llamaswap_py.errors import Refusal
from llamaswap_py.schedule.facts import Asked
from llamaswap_py.schedule.lives import Life
from llamaswap_py.schedule.orders import Decision, Grant, Order, Refuse, Start, Stop
from llamaswap_py.schedule.plan import Phase, Plan
from llamaswap_py.schedule.turns import Ticket


class State:
    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.lives = {model: Life(model, entry) for model, entry in plan.entries.items()}
        self.up: dict[str, Life] = {}
        self.called: dict[str, Life] = {}  # somebody waits for them or has ordered them, or did lately
        self.tickets: dict[int, Ticket] = {}  # waiting and seated
        self.orders: list[Order] = []
        self.closed = False
        self.epoch = 0  # grows whenever what is up has changed
        self.runs = 0
        self.arrivals = 0

    def ticket(self, fact: Asked, now: float) -> Ticket:
        self.arrivals += 1
        return Ticket(fact.ticket, fact.model, fact.priority, fact.keeps, now, self.arrivals, fact.caller)

    def want(self, life: Life, now: float) -> None:
        if life.wanted is None and not self.closed:
            self.arrivals += 1
            life.wanted = Ticket(0, life.model, 0, False, now, self.arrivals)
            self.called[life.model] = life

    def wait(self, life: Life, ticket: Ticket) -> None:
        self.tickets[ticket.number] = ticket
        life.waiting[ticket.number] = ticket
        self.called[life.model] = life

    def demanded(self) -> list[Life]:
        """Few of a thousand are, and nobody looks through all for them. Forgets those who are no more."""
        self.called = {model: life for model, life in self.called.items() if life.demanded}
        return list(self.called.values())

    def concerned(self) -> dict[str, Life]:
        """Whom the queue is about: who is up, and who is asked for."""
        return {**self.up, **{life.model: life for life in self.demanded()}}

    def give_up(self, life: Life, ticket: Ticket, now: float) -> bool:
        """Says whether it waited: whoever has no seat does, or its run has ended before."""
        if life.waiting.pop(ticket.number, None) is None:
            return False
        if life.phase is Phase.STARTING and not life.waiting:
            life.abandoned = now
        return True

    def enter(self, life: Life, phase: Phase, now: float) -> None:
        life.phase = phase
        life.since = now
        self.epoch += 1
        if life.up:
            self.up[life.model] = life
        else:
            self.up.pop(life.model, None)

    def start(self, life: Life, now: float) -> None:
        self.runs += 1
        life.run = self.runs
        life.version = life.entry and life.entry.version
        life.why = ""
        life.ready_at = math.inf
        self.enter(life, Phase.STARTING, now)
        self.orders.append(Start(life.model, life.run))

    def stop(self, life: Life, why: str, now: float, decision: Decision | None = None) -> None:
        life.why = why
        life.evicted = decision or life.evicted
        self.enter(life, Phase.STOPPING, now)
        self.orders.append(Stop(life.model, life.run, why, decision))

    def end(self, life: Life, phase: Phase, now: float) -> None:
        """The run is no more. Its seats are told `Left` in their own time and count no longer."""
        life.seats.clear()
        life.keeping = 0
        life.stale_since = None
        life.abandoned = -math.inf
        self.enter(life, phase, now)
        if life.entry is None:
            del self.lives[life.model]

    def grant(self, life: Life, ticket: Ticket, now: float) -> None:
        ticket.granted = now
        self.tickets[ticket.number] = ticket
        life.seats[ticket.number] = ticket
        life.abandoned = -math.inf
        life.keeping += ticket.keeps
        self.orders.append(Grant(ticket.number, life.model, life.run))

    def grant_waiting(self, life: Life, tickets: Iterable[Ticket], now: float) -> None:
        """They have had their turn: who still waits behind them comes first now."""
        for ticket in tickets:
            self.arrivals += 1
            life.served[ticket.line] = self.arrivals
            self.grant(life, life.waiting.pop(ticket.number), now)
        here = {ticket.line for ticket in life.waiting.values()}
        life.served = {line: turn for line, turn in life.served.items() if line in here}

    def refuse(self, life: Life, number: int, refusal: Refusal) -> None:
        """One of those who wait."""
        del life.waiting[number], self.tickets[number]
        self.orders.append(Refuse(number, refusal))

    def refuse_waiting(self, life: Life, refusal: Refusal) -> None:
        for number in tuple(life.waiting):
            self.refuse(life, number, refusal)
        life.wanted = None
