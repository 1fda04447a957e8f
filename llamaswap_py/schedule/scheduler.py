"""Which model runs next: facts in, orders out. No clock, no tasks; `now` is handed in and never goes back."""

from __future__ import annotations

import math
from collections.abc import Mapping

from llamaswap_py.errors import Refusal
from llamaswap_py.schedule import changes
from llamaswap_py.schedule.facts import (
    Asked,
    Closed,
    Fact,
    Gone,
    Left,
    LoadAsked,
    Ready,
    Replanned,
    ResetAsked,
    UnloadAsked,
)
from llamaswap_py.schedule.lives import Life, Sight, Ticket
from llamaswap_py.schedule.orders import Order, Refuse
from llamaswap_py.schedule.plan import Evict, Phase, Plan
from llamaswap_py.schedule.queue import Begin, Claim, Deny, Move, Seat, held, turn
from llamaswap_py.schedule.refusals import not_loaded, turned_away
from llamaswap_py.schedule.state import State


class Scheduler:
    def __init__(self, plan: Plan) -> None:
        self.state = State(plan)
        self.claims: tuple[Claim, ...] = ()  # of everybody who waits and whose model is not starting
        self.alarm = math.inf  # no time rule is due before

    def handle(self, fact: Fact, now: float) -> list[Order]:
        orders: list[Order] = []
        self.state.orders = orders
        # A deadline may have passed without `Woke`: whatever the fact, what is due is done.
        if self.heard(fact, now) or now >= self.alarm:
            self.settle(now)
        return orders

    def heard(self, fact: Fact, now: float) -> bool:
        """Take the fact in; says whether the queue must be looked at again."""
        match fact:
            case Asked():
                return self.asked(fact, now)
            case Left():
                return self.left(fact, now)
            case Ready():
                return changes.ready(self.state, fact, now)
            case Gone():
                return changes.gone(self.state, fact, now)
            case LoadAsked():
                return changes.load_asked(self.state, fact, now)
            case UnloadAsked():
                return changes.unload_asked(self.state, fact, now)
            case ResetAsked():
                return changes.reset(self.state, fact)
            case Replanned():
                return changes.replanned(self.state, fact.plan, now)
            case Closed():
                return changes.closed(self.state, now)
            case _:  # Woke
                return True

    def asked(self, fact: Asked, now: float) -> bool:
        life = turned_away(self.state.closed, self.state.lives.get(fact.model), fact.model, now)
        if isinstance(life, Refusal):
            self.state.orders.append(Refuse(fact.ticket, life))
            return False
        ticket = self.state.ticket(fact, now)
        if self.admits(life, ticket, now):
            self.state.grant(life, ticket)
            return False
        if not fact.wakes:
            self.state.orders.append(Refuse(fact.ticket, not_loaded(fact.model)))
            return False
        self.state.wait(life, ticket)
        return self.news(life, ticket)

    def admits(self, life: Life, ticket: Ticket, now: float) -> bool:
        """Whether the caller may sit down at once: the hot path."""
        if life.phase is not Phase.READY or life.stale_since is not None or life.waiting or life.full:
            return False
        if life.cleared != self.state.epoch and not self.clear(life):
            return False
        return not (self.claims and held(self.claims, life.model, ticket.rank(self.state.plan.patience), now))

    def clear(self, life: Life) -> bool:
        """Whether the policy evicts nothing for it; remembered until what is up changes."""
        world = {model: other.row() for model, other in self.state.up.items()}
        if self.state.plan.policy(life.model, world) != Evict(()):
            return False
        life.cleared = self.state.epoch
        return True

    def news(self, life: Life, ticket: Ticket) -> bool:
        """Whether one more waiter changes anything: not where it joins a start, nor behind others of its model."""
        if life.phase is Phase.STARTING:
            return False
        place = ticket.rank(self.state.plan.patience)
        behind = any(claim.life is life and claim.rank < place for claim in self.claims)
        return not behind or len(life.waiting) == 1  # the first caller after a want: it may ask more room than that

    def left(self, fact: Left, now: float) -> bool:
        ticket = self.state.tickets.pop(fact.ticket, None)
        life = self.state.lives.get(ticket.model) if ticket else None
        if ticket is None or life is None:
            return False
        if life.waiting.pop(ticket.number, None):
            return bool(self.claims)
        if not life.seats.pop(ticket.number, None):
            return False  # its run has ended before
        if ticket.keeps:
            life.keeping -= 1
            life.last_use = now
        self.alarm = min(self.alarm, life.idle_at())
        return bool(self.claims) or (not life.seats and life.stale_since is not None)

    def settle(self, now: float) -> None:
        """Do what is due, then give everybody their turn, until nobody can move."""
        self.lapse(now)
        step = turn(self.state.lives, self.state.plan, now)
        while not isinstance(step, tuple):
            self.carry_out(step, now)
            self.lapse(now)
            step = turn(self.state.lives, self.state.plan, now)
        self.claims = step
        self.alarm = self.due(now)

    def lapse(self, now: float) -> None:
        """What ends by the clock: runs that nobody uses, and outdated ones whose callers had their time."""
        for life in tuple(self.state.up.values()):
            if now >= life.stale_at(self.state.plan.patience):
                self.state.stop(life, "replaced" if life.entry else "removed", now)
            elif now >= life.idle_at():
                self.state.stop(life, "idle", now)

    def carry_out(self, move: Move, now: float) -> None:
        match move:
            case Begin(life):
                self.state.start(life, now)
            case Seat(life, tickets):
                life.wanted = None
                life.last_use = now  # the ttl of what was waited for begins anew
                for ticket in tickets:
                    self.state.grant(life, life.waiting.pop(ticket))
            case Deny(life, refusal):
                self.state.refuse_waiting(life, refusal)
            case _:
                for victim in move.victims:
                    victim.wanted = None
                    self.state.stop(victim, f"evicted for {move.life.model}", now)

    def deadline(self, now: float) -> float | None:
        """When to tell `Woke` at the latest."""
        self.alarm = self.due(now)
        return None if math.isinf(self.alarm) else max(self.alarm, now)

    def due(self, now: float) -> float:
        earliest = math.inf
        for life in self.state.up.values():
            earliest = min(earliest, life.idle_at(), life.stale_at(self.state.plan.patience))
        for claim in self.claims:
            if now < claim.spent_at < earliest:
                earliest = claim.spent_at
        return earliest

    def snapshot(self) -> Mapping[str, Sight]:
        return {model: life.sight() for model, life in self.state.lives.items()}

    def sight(self, model: str) -> Sight | None:
        life = self.state.lives.get(model)
        return life.sight() if life else None

    def waiting_position(self, ticket: int) -> int | None:
        """From 1; 0 while its model is starting; None where it does not wait."""
        mine = self.state.tickets.get(ticket)
        life = self.state.lives.get(mine.model) if mine else None
        if mine is None or life is None or ticket not in life.waiting:
            return None
        if life.phase is Phase.STARTING:
            return 0
        patience = self.state.plan.patience
        queued = (claim.life.waiting.values() for claim in self.claims)
        return sum(other.rank(patience) <= mine.rank(patience) for waiting in queued for other in waiting)
