"""The witness's own books: what is alive and who waits, as told and ordered; with what can be read off them."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from llamaswap_py.schedule.facts import (
    Fact,
)
from llamaswap_py.schedule.lives import Sight
from llamaswap_py.schedule.orders import Order
from llamaswap_py.schedule.plan import Evict, Never, Phase, Plan, Row
from tests.schedule.ledger import Ledger


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
    caller: str = ""
    passes: Counter[str] = field(default_factory=Counter)  # turns of others while it is its caller's first


@dataclass(eq=False)
class Run:
    model: str
    number: int
    version: Hashable
    since: float
    phase: Phase = Phase.STARTING
    last_use: float = 0.0
    ready_at: float = math.inf
    seats: dict[int, Caller] = field(default_factory=dict)
    stale_since: float | None = None
    abandoned: float = -math.inf  # when the last caller of its load left


class Books:
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
        self.ledgers: dict[str, Ledger] = {}
        self.closed = False
        self.counter = 0
        self.second: set[str] = set()  # somebody went for their start, which had run out of memory
        self.after: dict[str, Run] = {}  # who that was
        self.pinned = {model for model, entry in plan.entries.items() if entry.pinned}

    def want(self, model: str) -> None:
        if model not in self.wants and not self.closed:
            self.counter += 1
            self.wants[model] = Caller(0, model, 0, False, self.now, self.counter)

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

    def full(self, run: Run) -> bool:
        entry = self.plan.entries.get(run.model)
        return entry is not None and entry.seats is not None and len(run.seats) >= entry.seats

    def ledger(self, model: str) -> Ledger:
        return self.ledgers.setdefault(model, Ledger())

    def backing_off(self, model: str) -> bool:
        return model not in self.alive and self.now < self.ledger(model).until

    def world(self) -> dict[str, Row]:
        return {
            run.model: Row(
                run.model,
                run.phase,
                len(run.seats),
                self.waiters(run.model),
                run.since,
                run.last_use,
                pinned=run.model in self.pinned,
            )
            for run in self.alive.values()
        }

    def idle_at(self, run: Run) -> float:
        entry = self.plan.entries.get(run.model)
        keeping = any(caller.keeps for caller in run.seats.values())
        if run.phase is not Phase.READY or keeping or self.waiters(run.model) or run.model in self.pinned:
            return math.inf
        if not entry or entry.ttl <= 0:
            return math.inf
        return run.last_use + entry.ttl

    def stale_at(self, run: Run) -> float:
        if run.stale_since is None or run.phase is Phase.STOPPING:
            return math.inf
        return run.stale_since + (self.plan.patience if run.seats else 0.0)

    def forget_impossible_wants(self) -> None:
        for model in tuple(self.wants):
            starting = self.phase(model) is Phase.STARTING  # then nobody looks any more whether it may
            if not starting and (isinstance(self.plan.policy(model, {}), Never) or denied(self, model)):
                del self.wants[model]


def evicts_nobody(books: Books, model: str) -> bool:
    return model not in books.wants and not books.ledger(model).may_evict(books.now, books.plan)


def crowded_out(books: Books, model: str) -> bool:
    """It may evict nobody, and somebody is in its way, or waits to be."""
    if model in books.alive or not evicts_nobody(books, model):
        return False
    return books.plan.policy(model, books.world()) != Evict(()) or bool(books.queued())


def pinned_in_the_way(books: Books, model: str) -> bool:
    """Something that stays is what the policy would have go."""
    verdict = books.plan.policy(model, books.world())
    named = verdict.models if isinstance(verdict, Evict) else ()
    up = [other for other in named if other != model and books.phase(other) in (Phase.STARTING, Phase.READY)]
    return any(other in books.pinned for other in up)


def spent(books: Books, model: str) -> bool:
    return books.now >= min(caller.asked for caller in books.demands(model)) + books.plan.patience


def stays_until(books: Books, run: Run) -> float:
    resident = run.since + books.plan.residency if run.phase is Phase.READY else -math.inf
    return max(resident, run.abandoned + books.plan.hold)


def waits_until(books: Books, caller: Caller) -> float:
    entry = books.plan.entries.get(caller.model)
    return caller.asked + entry.wait if entry and entry.wait > 0 else math.inf


def gives_room(books: Books, model: str) -> Run | None:
    """Whose memory a start of the model gets that ran out of it: the longest unused of the idle ones."""
    demanded = any(books.demands(model))
    if not books.plan.evicts_for_memory or model in books.second or model not in books.plan.entries or not demanded:
        return None
    idle = [run for run in books.alive.values() if gives(books, run)]
    return min(idle, key=lambda run: (run.last_use, run.model), default=None)


def gives(books: Books, run: Run) -> bool:
    used = run.seats or any(books.demands(run.model)) or run.model in books.pinned
    entry = books.plan.entries.get(run.model)
    stays = (entry is not None and entry.persistent) or books.now < stays_until(books, run)
    return run.phase is Phase.READY and not used and not stays


def denied(books: Books, model: str) -> bool:
    """A load by order that what is pinned has no room for."""
    if books.phase(model) is Phase.STARTING or not books.pinned:
        return False
    if books.scheduler.snapshot()[model].wanted:
        return False
    return not books.pairwise or pinned_in_the_way(books, model)


def expect(kept: bool, promise: str, details: str) -> None:
    if not kept:
        raise Breach(promise, details)
