"""Which model runs next: facts in, orders out. No clock, no tasks; `now` is handed in and never goes back."""

from __future__ import annotations

import math
from collections.abc import Mapping

from llamaswap_py.errors import Refusal
from llamaswap_py.schedule import changes
from llamaswap_py.schedule.explain import decided
from llamaswap_py.schedule.facts import (
    Asked,
    Closed,
    Fact,
    Gone,
    Left,
    LoadAsked,
    PinAsked,
    Ready,
    Replanned,
    ResetAsked,
    UnloadAsked,
)
from llamaswap_py.schedule.lives import Life, Sight, blended
from llamaswap_py.schedule.orders import Order, Refuse
from llamaswap_py.schedule.plan import Evict, Phase, Plan
from llamaswap_py.schedule.queue import Begin, Claim, Deny, Move, Seat, changes_at, held, turn
from llamaswap_py.schedule.refusals import no_place, turned_away, waited_enough
from llamaswap_py.schedule.state import State
from llamaswap_py.schedule.turns import Ticket

READY = Phase.READY  # looked at for every request: on Python 3.11 a member of an Enum takes long to look up
GLANCE = 0.001  # seconds; shorter than that is no answer but a sign of use


class Scheduler:
    def __init__(self, plan: Plan) -> None:
        self.state = State(plan)
        self.claims: tuple[Claim, ...] = ()  # of everybody who waits and whose model is not starting
        self.alarm = math.inf  # no time rule is due before; it may be told of earlier than there is something to do

    def handle(self, fact: Fact, now: float) -> list[Order]:
        orders: list[Order] = []
        self.state.orders = orders
        # A deadline may have passed without `Woke`: whatever the fact, what is due is done.
        if self.heard(fact, now) or now >= self.alarm:
            self.settle(now)
        elif self.claims:  # what stands in their way may change sooner by what was heard
            self.alarm = min(self.alarm, self.due(now))
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
            case PinAsked():
                return changes.pin_asked(self.state, fact)
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
            self.state.grant(life, ticket, now)
            return False
        refusal = no_place(life, fact, self.state, now)
        if refusal is not None:
            self.state.orders.append(Refuse(fact.ticket, refusal))
            return False
        self.state.wait(life, ticket)
        self.alarm = min(self.alarm, life.waits_until())
        return self.news(life, ticket)

    def admits(self, life: Life, ticket: Ticket, now: float) -> bool:
        """Whether the caller may sit down at once: the hot path."""
        if life.phase is not READY or life.stale_since is not None or life.waiting or life.full:
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
        life = self.state.lives.get(ticket.model) if ticket is not None else None
        if ticket is None or life is None:
            return False
        if life.seats.pop(ticket.number, None) is None:
            return self.state.give_up(life, ticket, now) and bool(self.claims)
        took = now - ticket.granted
        if took > GLANCE:
            life.answer_took = blended(life.answer_took, took)
        if ticket.keeps:
            life.keeping -= 1
            life.last_use = now
        if not life.keeping and (idle_at := life.idle_at()) < self.alarm:
            self.alarm = idle_at
        return bool(self.claims) or (not life.seats and life.stale_since is not None)

    def settle(self, now: float) -> None:
        """Do what is due, then give everybody their turn, until nobody can move."""
        self.lapse(now)
        step = turn(self.state.concerned(), self.state.plan, now)
        while not isinstance(step, tuple):
            self.carry_out(step, now)
            self.lapse(now)
            step = turn(self.state.concerned(), self.state.plan, now)
        self.claims = step
        self.alarm = self.due(now)

    def lapse(self, now: float) -> None:
        """What ends by the clock: waiting, runs that nobody uses, outdated ones whose callers had their time."""
        for life in self.state.demanded():
            while now >= life.waits_until() and life.entry is not None:
                number = next(iter(life.waiting))
                self.state.refuse(life, number, waited_enough(life, life.entry.wait))
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
                self.state.grant_waiting(life, [life.waiting[ticket] for ticket in tickets], now)
            case Deny(life, refusal):
                self.state.refuse_waiting(life, refusal)
            case _:
                decision = decided(self.state, move.life, move.victims, now)
                for victim in move.victims:
                    victim.wanted = None
                    self.state.stop(victim, f"evicted for {move.life.model}", now, decision)

    def deadline(self, now: float) -> float | None:
        """When to tell `Woke` at the latest. What fell due and was not done yet is due now."""
        if now < self.alarm:
            self.alarm = self.due(now)
        return None if math.isinf(self.alarm) else max(self.alarm, now)

    def due(self, now: float) -> float:
        earliest = math.inf
        for life in self.state.up.values():
            earliest = min(earliest, life.idle_at())
            if life.waiting or life.stale_since is not None:
                earliest = min(earliest, life.stale_at(self.state.plan.patience), life.waits_until())
        for claim in self.claims:
            earliest = min(earliest, changes_at(claim, self.state, now), claim.life.waits_until())
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
        others = (claim.life.waiting.values() for claim in self.claims if claim.life is not life)
        before = sum(other.rank(patience) <= mine.rank(patience) for waiting in others for other in waiting)
        return before + life.in_line(patience).index(mine) + 1
