"""Watches a scheduler from outside: keeps its own books of what is alive and who waits, names every broken promise."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from llamaswap_py.errors import (
    NotLoaded,
    Refusal,
    ShuttingDown,
    StartBackoff,
    StartFailed,
    TooManyRequests,
    UnknownModel,
    Unloaded,
)
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
    Woke,
)
from llamaswap_py.schedule.lives import Sight
from llamaswap_py.schedule.orders import Grant, Order, Refuse, Start, Stop
from llamaswap_py.schedule.plan import Evict, Never, Phase, Plan, Row, Wait


class Scheduling(Protocol):
    def handle(self, fact: Fact, now: float) -> list[Order]: ...
    def deadline(self, now: float) -> float | None: ...
    def snapshot(self) -> Mapping[str, Sight]: ...


class Breach(AssertionError):
    def __init__(self, promise: str, details: str) -> None:
        super().__init__(f"{promise}: {details}")
        self.promise = promise


@dataclass(eq=False)
class Caller:
    ticket: int
    model: str
    priority: int
    keeps: bool
    asked: float
    order: int


@dataclass(eq=False)
class Run:
    model: str
    number: int
    version: Hashable
    since: float
    phase: Phase = Phase.STARTING
    last_use: float = 0.0
    seats: dict[int, Caller] = field(default_factory=dict)
    stale_since: float | None = None


class Witness:
    def __init__(self, plan: Plan, make: Callable[[Plan], Scheduling], pairwise: bool = True) -> None:
        self.plan = plan
        self.pairwise = pairwise  # the policy judges any two models alone (groups do)
        self.scheduler = make(plan)
        self.now = 0.0
        self.steps = 0
        self.orders: list[Order] = []
        self.granted: list[Caller] = []
        self.alive: dict[str, Run] = {}
        self.runs_seen: set[int] = set()
        self.waiting: dict[int, Caller] = {}
        self.seated: dict[int, Run] = {}
        self.answered: set[int] = set()
        self.here: dict[int, str] = {}  # tickets that have not left, and their model
        self.wants: dict[str, Caller] = {}
        self.closed = False
        self.counter = 0

    # ------------------------------------------------------------------ telling

    def tell(self, fact: Fact) -> list[Order]:
        self.steps += 1
        fresh = self.told(fact)
        self.granted.clear()
        self.orders = self.scheduler.handle(fact, self.now)
        for order in self.orders:
            self.ordered(order, fact, fresh)
        self.forget_impossible_wants()
        self.check_grants(fact)
        self.check_answers(fact, fresh)
        self.check_books()
        self.check_times(fact)
        self.check_moves()
        return self.orders

    def told(self, fact: Fact) -> str:
        """Take it into the books; for `Asked` the answer that must come now, where one must."""
        match fact:
            case Asked():
                return self.told_asked(fact)
            case Left(ticket):
                self.told_left(ticket)
            case Ready(model, run):
                self.told_ready(model, run)
            case Gone(model, run, why):
                self.told_gone(model, run, why)
            case LoadAsked(model):
                self.told_load(model)
            case UnloadAsked(models):
                for model in models:
                    self.wants.pop(model, None)
            case Replanned(plan):
                self.told_plan(plan)
            case Closed():
                self.closed = True
                self.wants.clear()
            case ResetAsked() | Woke():
                pass
        return ""

    def told_asked(self, fact: Asked) -> str:
        self.counter += 1
        must = self.answer_due(fact)
        caller = Caller(fact.ticket, fact.model, fact.priority, fact.keeps, self.now, self.counter)
        self.waiting[fact.ticket] = caller
        self.here[fact.ticket] = fact.model
        return must

    def answer_due(self, fact: Asked) -> str:
        if self.closed:
            return ShuttingDown.__name__
        entry = self.plan.entries.get(fact.model)
        if entry is None:
            return UnknownModel.__name__
        run = self.alive.get(fact.model)
        callers = self.waiters(fact.model) + (len(run.seats) if run else 0)
        if entry.limit is not None and callers >= entry.limit:
            return TooManyRequests.__name__
        if self.backing_off(fact.model):
            return StartBackoff.__name__
        if run and run.phase is Phase.READY and run.stale_since is None:
            if self.free(fact, run):
                return Grant.__name__
            if not self.pairwise and self.queued():
                return ""  # what those in front need depends on more than these books know
        return "" if fact.wakes else NotLoaded.__name__

    def free(self, fact: Asked, run: Run) -> bool:
        """Whether nothing at all stands between this caller and the seat."""
        if self.waiters(fact.model) or self.plan.policy(fact.model, self.world()) != Evict(()):
            return False
        mine = self.rank(Caller(0, fact.model, fact.priority, True, self.now, self.counter))
        if not self.pairwise:
            return not self.queued()
        return not any(self.spent_in_front(model, run.model, mine) for model in self.queued())

    def told_left(self, ticket: int) -> None:
        self.here.pop(ticket, None)
        self.waiting.pop(ticket, None)
        run = self.seated.pop(ticket, None)
        if run:
            caller = run.seats.pop(ticket)
            run.last_use = self.now if caller.keeps else run.last_use

    def told_ready(self, model: str, number: int) -> None:
        run = self.alive.get(model)
        if run and run.number == number and run.phase is Phase.STARTING:
            run.phase, run.since, run.last_use = Phase.READY, self.now, self.now
            self.wants.pop(model, None)

    def told_gone(self, model: str, number: int, why: Refusal | None) -> None:
        run = self.alive.get(model)
        if run is None or run.number != number:
            return
        if run.phase is Phase.STARTING:
            self.wants.pop(model, None)
        for ticket in run.seats:
            del self.seated[ticket]
        del self.alive[model]

    def told_load(self, model: str) -> None:
        run = self.alive.get(model)
        if self.closed or model not in self.plan.entries or self.backing_off(model):
            return
        if run is None or run.phase is not Phase.READY or run.stale_since is not None:
            self.want(model)

    def told_plan(self, plan: Plan) -> None:
        self.plan = plan
        for model in [model for model in self.wants if model not in plan.entries]:
            del self.wants[model]
        for model in self.scheduler.snapshot():  # in this order they want to be up again
            if model in self.alive:
                self.compare(self.alive[model])

    def compare(self, run: Run) -> None:
        entry = self.plan.entries.get(run.model)
        if run.phase is Phase.STOPPING:
            return
        if entry is not None and entry.version == run.version:
            run.stale_since = None
            if run.phase is Phase.READY:
                self.wants.pop(run.model, None)
            return
        run.stale_since = self.now if run.stale_since is None else run.stale_since
        if entry is not None:
            self.want(run.model)

    def want(self, model: str) -> None:
        if model not in self.wants and not self.closed:
            self.counter += 1
            self.wants[model] = Caller(0, model, 0, False, self.now, self.counter)

    # ------------------------------------------------------------------ orders

    def ordered(self, order: Order, fact: Fact, fresh: str) -> None:
        match order:
            case Start(model, run):
                self.ordered_start(model, run)
            case Stop(model, run, why):
                self.ordered_stop(model, run, why, fact)
            case Grant(ticket, model, run):
                self.ordered_grant(ticket, model, run, fact)
            case Refuse(ticket, refusal):
                self.ordered_refuse(ticket, refusal, fact, fresh)

    def ordered_start(self, model: str, number: int) -> None:
        expect(not self.closed, "closed", f"{model} started")
        expect(model not in self.alive, "one run", f"{model} has a run already")
        expect(number not in self.runs_seen, "one run", f"run {number} was there before")
        expect(model in self.plan.entries, "plan", f"{model} is not in the plan")
        verdict = self.plan.policy(model, self.world())
        expect(verdict == Evict(()), "policy", f"{model} started though {verdict}")
        expect(model in self.wants or self.waiters(model) > 0, "policy", f"{model} started for nobody")
        self.check_turn(model)
        self.runs_seen.add(number)
        last_use = self.scheduler.snapshot()[model].last_use  # outlives the run
        self.alive[model] = Run(model, number, self.plan.entries[model].version, self.now, last_use=last_use)

    def check_turn(self, model: str) -> None:
        """Nothing starts in the way of somebody in front, whichever of the two the policy would have go."""
        if not self.pairwise:
            return
        place = self.model_rank(model)
        for other in self.queued():
            if other == model or self.model_rank(other) > place:
                continue
            for one, two in ((model, other), (other, model)):
                verdict = self.plan.policy(one, {two: Row(two, Phase.STARTING, 0, 1, self.now, 0.0)})
                expect(verdict == Evict(()), "older waiters first", f"{model} started in front of {other}")

    def ordered_stop(self, model: str, number: int, why: str, fact: Fact) -> None:
        run = self.alive.get(model)
        if run is None or run.number != number:
            raise Breach("stopped once", f"{model} has no run {number}")
        expect(run.phase is not Phase.STOPPING, "stopped once", f"{model} is stopping already")
        callers = self.waiters(model) if run.phase is Phase.STARTING else 0
        if why.startswith("evicted"):
            expect(not run.seats and not callers, "seats are safe", f"{model} {why}")
            loading = run.phase is Phase.STARTING and model in self.wants
            for_caller = self.waiters(why.removeprefix("evicted for ")) > 0
            expect(for_caller or not loading, "seats are safe", f"loading {model} {why}, for which nobody waits")
            self.wants.pop(model, None)
        elif why == "idle":
            expect(self.now >= self.idle_at(run), "idle", f"{model} is not idle")
        elif why in ("replaced", "removed"):
            expect(self.now >= self.stale_at(run), "callers of an old run", f"{model} {why} under its callers")
        elif why == "unloaded":
            expect(isinstance(fact, UnloadAsked) and model in fact.models, "unload", f"nobody asked for {model}")
        else:
            expect(why == "closed" and run.phase is Phase.STARTING and self.closed, "closed", f"{model} {why}")
        run.phase, run.since, run.stale_since = Phase.STOPPING, self.now, None

    def ordered_grant(self, ticket: int, model: str, number: int, fact: Fact) -> None:
        caller = self.waiting.pop(ticket, None)
        if caller is None or ticket in self.answered:
            raise Breach("answered once", f"{ticket} does not wait")
        run = self.alive.get(model)
        if run is None or run.number != number or caller.model != model:
            raise Breach("grants", f"{ticket} granted run {number} of {model}")
        expect(run.phase is Phase.READY and run.stale_since is None, "grants", f"{model} is {run.phase}")
        expect(not self.closed, "closed", f"{ticket} granted")
        if not isinstance(fact, Ready) or fact.run != number:
            verdict = self.plan.policy(model, self.world())
            expect(verdict == Evict(()), "policy", f"{model} serves though {verdict}")
        if not isinstance(fact, Asked) or fact.ticket != ticket:
            run.last_use = self.now  # it was waited for
        run.seats[ticket] = caller
        self.seated[ticket] = run
        self.answered.add(ticket)
        self.granted.append(caller)

    def ordered_refuse(self, ticket: int, refusal: Refusal, fact: Fact, fresh: str) -> None:
        caller = self.waiting.pop(ticket, None)
        if caller is None or ticket in self.answered:
            raise Breach("answered once", f"{ticket} does not wait")
        self.answered.add(ticket)
        expect(self.excused(caller, refusal, fact, fresh), "refusals", f"{ticket} refused: {refusal!r} after {fact}")

    def excused(self, caller: Caller, refusal: Refusal, fact: Fact, fresh: str) -> bool:
        match fact:
            case Asked(ticket) if ticket == caller.ticket and fresh:
                return type(refusal).__name__ == fresh
            case Asked(ticket, wakes=False) if ticket == caller.ticket and isinstance(refusal, NotLoaded):
                return True
            case UnloadAsked(models) if caller.model in models:
                return isinstance(refusal, Unloaded)
            case Closed():
                return isinstance(refusal, ShuttingDown)
            case Gone(model, _, why) if model == caller.model and isinstance(refusal, StartFailed):
                return why is None or why is refusal
            case Replanned(plan) if caller.model not in plan.entries:
                return isinstance(refusal, UnknownModel)
        return isinstance(self.plan.policy(caller.model, {}), Never)

    # ------------------------------------------------------------------ what must be true after each step

    def check_answers(self, fact: Fact, fresh: str) -> None:
        if isinstance(fact, Asked) and fresh:
            promise = "closed" if self.closed else "at once"
            expect(fact.ticket in self.answered, promise, f"{fact} must be answered by {fresh}")
            granted = any(isinstance(order, Grant) and order.ticket == fact.ticket for order in self.orders)
            expect(granted == (fresh == Grant.__name__), promise, f"{fact} must be answered by {fresh}")
        if isinstance(fact, Asked) and not fact.wakes:
            expect(fact.ticket in self.answered, "at once", f"{fact} must not wait")
        if isinstance(fact, UnloadAsked):
            for model in fact.models:
                expect(not self.waiters(model), "unload", f"somebody still waits for {model}")
                run = self.alive.get(model)
                stopped = run is None or run.phase is Phase.STOPPING
                expect(stopped, "unload", f"{model} goes on")
        if isinstance(fact, Ready):
            run = self.alive.get(fact.model)
            if run and run.number == fact.run and run.phase is Phase.READY and run.stale_since is None:
                expect(not self.waiters(fact.model), "served at ready", f"callers of {fact.model} left out")
        expect(not (self.closed and self.waiting), "closed", "somebody waits")

    def check_grants(self, fact: Fact) -> None:
        """Nobody sits down in front of one whose patience is spent and who waits for that model to drain."""
        at_ready = fact.model if isinstance(fact, Ready) else None
        for caller in self.granted if self.pairwise else ():
            for other in self.queued() if caller.model != at_ready else ():
                passed = self.spent_in_front(other, caller.model, self.rank(caller))
                expect(not passed, "patience", f"{caller} was served in front of {other}")

    def check_books(self) -> None:
        sights = self.scheduler.snapshot()
        expect(set(self.plan.entries) <= set(sights), "nobody is forgotten", "a model is missing")
        expect(set(self.alive) <= set(sights), "nobody is forgotten", "a run is missing")
        for model, sight in sights.items():
            run = self.alive.get(model)
            mine = (run.number, run.phase, len(run.seats)) if run else (0, sight.phase, 0)
            theirs = (sight.run, sight.phase, sight.seated)
            expect(mine == theirs, "nobody is forgotten", f"{model} is {mine}, shown as {theirs}")
            waiting = self.waiters(model)
            expect(
                waiting == sight.waiting, "nobody is forgotten", f"{waiting} wait for {model}, shown {sight.waiting}"
            )

    def check_times(self, fact: Fact) -> None:
        deadline = self.scheduler.deadline(self.now)
        expect(deadline is None or deadline >= self.now, "deadline", f"{deadline} is past at {self.now}")
        if isinstance(fact, Woke):
            expect(deadline != self.now, "deadline", f"spins at {self.now}")
        latest = math.inf if deadline is None else deadline
        for run in self.alive.values():
            due = min(self.idle_at(run), self.stale_at(run))
            expect(due > self.now, "deadline", f"{run.model} is overdue at {self.now}")
            expect(due >= latest, "deadline", f"{run.model} is due at {due}, deadline {deadline}")

    def check_moves(self) -> None:
        """Whoever is first in the queue waits for something that will happen."""
        queued = self.queued()
        if not queued:
            return
        first = min(queued, key=self.model_rank)
        expect(self.blocked(first), "something moves", f"{first} waits for nothing")

    def blocked(self, model: str) -> bool:
        run = self.alive.get(model)
        if run and (run.phase is Phase.STOPPING or (run.stale_since is not None and run.seats)):
            return True
        verdict = self.plan.policy(model, self.world())
        if isinstance(verdict, Wait):
            return any(other.phase is not Phase.READY for other in self.alive.values())
        if isinstance(verdict, Never):
            return False
        victims = [self.alive[victim] for victim in verdict.models]
        return any(victim.phase is Phase.STOPPING or self.in_use(victim, model) for victim in victims)

    def in_use(self, victim: Run, for_model: str) -> bool:
        if victim.phase is not Phase.STARTING:
            return bool(victim.seats)
        by_order = victim.model in self.wants and not self.waiters(for_model)
        return self.waiters(victim.model) > 0 or by_order

    # ------------------------------------------------------------------ reading the books

    def waiters(self, model: str) -> int:
        return sum(caller.model == model for caller in self.waiting.values())

    def demands(self, model: str) -> Iterator[Caller]:
        yield from (caller for caller in self.waiting.values() if caller.model == model)
        if model in self.wants:
            yield self.wants[model]

    def queued(self) -> list[str]:
        models = {caller.model for caller in self.waiting.values()} | set(self.wants)
        return sorted(model for model in models if self.phase(model) is not Phase.STARTING)

    def phase(self, model: str) -> Phase:
        return self.alive[model].phase if model in self.alive else Phase.DOWN

    def rank(self, caller: Caller) -> tuple[float, int]:
        if math.isinf(self.plan.patience):
            return (-caller.priority, caller.order)
        return (caller.asked - caller.priority * self.plan.patience, caller.order)

    def model_rank(self, model: str) -> tuple[float, int]:
        return min(self.rank(caller) for caller in self.demands(model))

    def spent_in_front(self, other: str, model: str, rank: tuple[float, int]) -> bool:
        if other == model or self.model_rank(other) > rank:
            return False
        if self.now < min(caller.asked for caller in self.demands(other)) + self.plan.patience:
            return False
        verdict = self.plan.policy(other, self.world())
        return isinstance(verdict, Evict) and model in verdict.models

    def backing_off(self, model: str) -> bool:
        sight = self.scheduler.snapshot()[model]
        return sight.phase is Phase.FAILED and self.now < sight.failed_until

    def world(self) -> dict[str, Row]:
        return {
            run.model: Row(run.model, run.phase, len(run.seats), self.waiters(run.model), run.since, run.last_use)
            for run in self.alive.values()
        }

    def idle_at(self, run: Run) -> float:
        entry = self.plan.entries.get(run.model)
        keeping = any(caller.keeps for caller in run.seats.values())
        if run.phase is not Phase.READY or keeping or self.waiters(run.model) or not entry or entry.ttl <= 0:
            return math.inf
        return run.last_use + entry.ttl

    def stale_at(self, run: Run) -> float:
        if run.stale_since is None or run.phase is Phase.STOPPING:
            return math.inf
        return run.stale_since + (self.plan.patience if run.seats else 0.0)

    def forget_impossible_wants(self) -> None:
        for model in tuple(self.wants):
            if isinstance(self.plan.policy(model, {}), Never):
                del self.wants[model]

    # ------------------------------------------------------------------ the end

    def drain(self) -> None:
        """Let everything that is on its way arrive; then everybody must have had an answer."""
        for _ in range(20 + 10 * (len(self.here) + len(self.alive) + len(self.wants))):
            if not self.waiting and not self.wants:
                break
            self.let_happen()
        expect(not self.waiting, "everyone is answered", f"{list(self.waiting)} wait for ever")
        expect(not self.wants, "everyone is answered", f"loads of {list(self.wants)} are forgotten")
        for ticket in tuple(self.here):
            self.tell(Left(ticket))

    def let_happen(self) -> None:
        """The longer nothing else can happen, the further the clock goes."""
        seated, alive = tuple(self.seated), tuple(self.alive.values())
        deadline = self.scheduler.deadline(self.now)
        for ticket in seated:
            self.tell(Left(ticket))
        for run in alive:
            if self.alive.get(run.model) is not run:
                continue
            if run.phase is Phase.STARTING:
                self.tell(Ready(run.model, run.number))
            elif run.phase is Phase.STOPPING:
                self.tell(Gone(run.model, run.number))
        if not seated and deadline is not None:
            self.now = deadline
            self.tell(Woke())


def expect(kept: bool, promise: str, details: str) -> None:
    if not kept:
        raise Breach(promise, details)
