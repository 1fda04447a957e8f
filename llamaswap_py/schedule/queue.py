"""Whose turn it is: looks at every model that is waited for, in order, and names the one next move, or who goes on
waiting for what. Changes nothing."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from operator import itemgetter

import msgspec

from llamaswap_py.errors import Refusal
from llamaswap_py.schedule.lives import Life
from llamaswap_py.schedule.plan import Evict, Never, Phase, Plan, Row, Verdict
from llamaswap_py.schedule.refusals import in_the_way, no_room
from llamaswap_py.schedule.state import State
from llamaswap_py.schedule.turns import Rank


class Begin(msgspec.Struct, frozen=True):
    life: Life


class Seat(msgspec.Struct, frozen=True):
    life: Life
    tickets: tuple[int, ...]


class MakeRoom(msgspec.Struct, frozen=True):
    life: Life
    victims: tuple[Life, ...]


class Deny(msgspec.Struct, frozen=True):
    life: Life
    refusal: Refusal


Move = Begin | Seat | MakeRoom | Deny


class Claim(msgspec.Struct, frozen=True):
    """A model goes on waiting. Those who come later must not take what it waits for."""

    life: Life
    rank: Rank
    spent_at: float  # when its oldest waiter's patience is spent
    victims: tuple[str, ...]  # what has to be gone first
    world: Mapping[str, Row]  # what the policy was shown
    verdict: Verdict


def rank(life: Life, patience: float) -> Rank:
    return min(ticket.rank(patience) for ticket in life.demands())


def spent_at(life: Life, patience: float) -> float:
    return min(ticket.asked for ticket in life.demands()) + patience


def held(claims: Iterable[Claim], model: str, caller: Rank, now: float) -> bool:
    """Whether somebody in front, whose patience is spent, waits for this model to drain."""
    return any(now >= claim.spent_at and claim.rank < caller and model in claim.victims for claim in claims)


def changes_at(claim: Claim, state: State, now: float) -> float:
    """When the clock next changes what stands in its way."""
    plan, up = state.plan, state.up
    stays = [up[model].stays_until(plan.residency, plan.hold) for model in claim.victims if model in up]
    times = (claim.spent_at, *stays)
    return min((time for time in times if time > now), default=math.inf)


def turn(lives: Mapping[str, Life], plan: Plan, now: float) -> Move | tuple[Claim, ...]:
    """The next move; when there is none, everybody's claim. `lives`: of all that are up or asked for."""
    return Pass(lives, plan, now).move()


class Pass:
    """One look along the queue, on a state that does not change meanwhile."""

    def __init__(self, lives: Mapping[str, Life], plan: Plan, now: float) -> None:
        self.lives = lives
        self.plan = plan
        self.now = now
        self.claims: list[Claim] = []
        waiting = (life for life in lives.values() if life.demanded and life.phase is not Phase.STARTING)
        self.queue = sorted(((rank(life, plan.patience), life) for life in waiting), key=itemgetter(0))
        self.real = {life.model: life.row() for life in lives.values() if life.up}
        self.world: dict[str, Row] = dict(self.real)  # with the claims so far

    def move(self) -> Move | tuple[Claim, ...]:
        for place, life in self.queue:
            step = self.look(life, place)
            if not isinstance(step, Claim):
                return step
            self.claims.append(step)
            self.world[life.model] = life.claim_row()
        return tuple(self.claims)

    def look(self, life: Life, place: Rank) -> Move | Claim:
        # What is ready already may be overtaken but not be kept from serving by those who wait for something else.
        world = self.real if life.phase is Phase.READY else dict(self.world)
        verdict = self.plan.policy(life.model, world)
        if isinstance(verdict, Never):
            return Deny(life, verdict.refusal)
        if isinstance(verdict, Evict) and (staying := self.pinned(verdict.models, life)):
            return Deny(life, no_room(life.model, staying))
        claim = self.claim(life, place, world, verdict)
        if self.fails_again(claim):
            return Deny(life, in_the_way(life, claim.victims, self.plan, self.now))
        if not isinstance(verdict, Evict) or self.gives_way(claim):
            return claim
        return self.act(claim)

    def pinned(self, models: Iterable[str], wanted: Life) -> list[str]:
        lives = [self.lives[model] for model in models if model in self.real and model != wanted.model]
        return [life.model for life in lives if life.pinned and life.phase is not Phase.STOPPING]

    def claim(self, life: Life, place: Rank, world: Mapping[str, Row], verdict: Verdict) -> Claim:
        named = verdict.models if isinstance(verdict, Evict) else ()
        victims = tuple(model for model in named if model in world and model != life.model)
        return Claim(life, place, spent_at(life, self.plan.patience), victims, world, verdict)

    def fails_again(self, claim: Claim) -> bool:
        """It failed again and again, and would stop others for one more try that nobody ordered. Its callers would
        take turns with those of a model that works, and each turn costs that one a load."""
        life = claim.life
        if life.up or life.wanted is not None or self.now >= life.failures.evicts_at(self.plan.crash_limit):
            return False
        return any(claim.world[model].phase is not Phase.STOPPING for model in claim.victims)

    def gives_way(self, claim: Claim) -> bool:
        """Its own old run is still there, a victim is not free yet, or somebody in front would suffer."""
        life = claim.life
        if self.awaits(*life.after):
            return True
        if life.phase is Phase.STOPPING or life.stale_since is not None:
            return True
        if life.phase is Phase.READY and life.full:
            return True
        if any(self.taken(model, bool(life.waiting)) for model in claim.victims):
            return True
        if self.now < claim.spent_at and any(self.stays(self.lives[model]) for model in claim.victims):
            return True
        if life.phase is Phase.READY:
            return held(self.claims, life.model, claim.rank, self.now)
        return any(self.harms(life, earlier) for earlier in self.claims)

    def awaits(self, model: str, run: int) -> bool:
        """Whose memory it gets is still there."""
        return model in self.real and self.lives[model].run == run

    def taken(self, model: str, for_caller: bool) -> bool:
        return any(model == earlier.life.model for earlier in self.claims) or self.lives[model].busy(for_caller)

    def stays(self, life: Life) -> bool:
        """It may go on for a while, at the cost of somebody whose patience is not spent."""
        return self.now < life.stays_until(self.plan.residency, self.plan.hold) or self.goes_on(life)

    def goes_on(self, life: Life) -> bool:
        """It is up, and a seat has just become free for those who wait for it."""
        if life.phase is not Phase.READY or life.stale_since is not None or life.full or not life.waiting:
            return False
        mine = rank(life, self.plan.patience)
        held_up = any(place < mine and self.needs_gone(other, life) for place, other in self.queue)
        return not held_up and self.plan.policy(life.model, self.real) == Evict(())

    def harms(self, life: Life, earlier: Claim) -> bool:
        """Policies need not be symmetric: it may see no conflict where the earlier one does."""
        beside = {**earlier.world, life.model: life.claim_row()}
        return self.plan.policy(earlier.life.model, beside) != earlier.verdict

    def act(self, claim: Claim) -> Move | Claim:
        if not claim.victims:
            return self.seat(claim) if claim.life.phase is Phase.READY else Begin(claim.life)
        victims = tuple(self.lives[model] for model in claim.victims)
        idle = tuple(victim for victim in victims if victim.phase is not Phase.STOPPING)
        return MakeRoom(claim.life, idle) if idle else claim

    def seat(self, claim: Claim) -> Seat:
        """All who wait for it, but those only who stand in front of whoever waits for it to drain."""
        life, patience = claim.life, self.plan.patience
        behind = (place for place, other in self.queue if place > claim.rank and self.needs_gone(other, life))
        limit = next(behind, (math.inf, 0))
        fitting = [ticket for ticket in life.waiting.values() if ticket.rank(patience) < limit]
        return Seat(life, tuple(ticket.number for ticket in life.first(fitting, patience)))

    def needs_gone(self, other: Life, life: Life) -> bool:
        if self.now < spent_at(other, self.plan.patience):
            return False
        verdict = self.plan.policy(other.model, self.real)
        return isinstance(verdict, Evict) and life.model in verdict.models
