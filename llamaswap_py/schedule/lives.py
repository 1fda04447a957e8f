"""One model's life: its phase, its present run, who sits at it and who waits. No policy and no other model in here."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass, field

from llamaswap_py.schedule.failures import Failures
from llamaswap_py.schedule.plan import FALLEN, Entry, Phase, Row

UP = frozenset({Phase.STARTING, Phase.READY, Phase.STOPPING})

Rank = tuple[float, int]  # the smaller goes first


@dataclass(slots=True, eq=False)
class Ticket:
    """One caller, or (number 0) a want: somebody wants the model up but takes no seat."""

    number: int
    model: str
    priority: int
    keeps: bool
    asked: float
    order: int

    def rank(self, patience: float) -> Rank:
        """One point of priority is worth one patience of waiting, so that nobody is overtaken for ever;
        with infinite patience priority alone decides."""
        if math.isinf(patience):
            return (-self.priority, self.order)
        return (self.asked - self.priority * patience, self.order)


@dataclass(frozen=True, slots=True)
class Sight:
    """What an onlooker may know of a model."""

    model: str
    phase: Phase
    run: int  # 0 where none is alive
    seated: int
    waiting: int
    since: float
    last_use: float
    failed_until: float
    why: str  # of the last failure, or of the stop in progress
    wanted: bool = False  # a load by order is still to come


@dataclass(slots=True, eq=False)
class Life:
    model: str
    entry: Entry | None  # None once the model has left the plan
    phase: Phase = Phase.DOWN
    run: int = 0
    version: Hashable = None  # the one the run was started with
    since: float = 0.0
    last_use: float = 0.0
    seats: dict[int, Ticket] = field(default_factory=dict)  # at the present run
    keeping: int = 0  # of the seats, those that hold off the ttl
    waiting: dict[int, Ticket] = field(default_factory=dict)  # in order of arrival
    wanted: Ticket | None = None
    stale_since: float | None = None  # the run is not what the plan says any more
    ready_at: float = math.inf  # of the present run; infinite until it is
    failures: Failures = field(default_factory=Failures)
    why: str = ""
    cleared: int = -1  # the epoch in which the policy was last seen to evict nothing for this model

    @property
    def up(self) -> bool:
        return self.phase in UP

    @property
    def full(self) -> bool:
        return self.entry is not None and self.entry.seats is not None and len(self.seats) >= self.entry.seats

    def first(self, tickets: Iterable[Ticket], patience: float) -> list[Ticket]:
        """Of those who wait, who may sit down: as many as there are seats, the first in rank."""
        waiting = list(tickets)
        if self.entry is None or self.entry.seats is None:
            return waiting
        free = max(self.entry.seats - len(self.seats), 0)
        return sorted(waiting, key=lambda ticket: ticket.rank(patience))[:free]

    @property
    def demanded(self) -> bool:
        return bool(self.waiting) or self.wanted is not None

    def backing_off(self, now: float) -> bool:
        return self.phase in FALLEN and self.failures.pausing(now)

    def demands(self) -> Iterator[Ticket]:
        yield from self.waiting.values()
        if self.wanted is not None:
            yield self.wanted

    def busy(self, for_caller: bool) -> bool:
        """Whether it must be drained before it may be evicted. A load by order, begun for nobody in particular,
        gives way to a caller but not to another load by order: two of them would evict each other for ever."""
        if self.seats:
            return True
        return self.phase is Phase.STARTING and (bool(self.waiting) or (self.wanted is not None and not for_caller))

    def idle_at(self) -> float:
        """When its ttl ends; infinite while something holds it off."""
        if self.phase is not Phase.READY or self.keeping or self.waiting:
            return math.inf
        if self.entry is None or self.entry.ttl <= 0:
            return math.inf
        return self.last_use + self.entry.ttl

    def stale_at(self, patience: float) -> float:
        """When its outdated run ends at the latest."""
        if self.stale_since is None or self.phase is Phase.STOPPING:
            return math.inf
        return self.stale_since + patience if self.seats else self.stale_since

    def row(self) -> Row:
        return Row(self.model, self.phase, len(self.seats), len(self.waiting), self.since, self.last_use)

    def claim_row(self) -> Row:
        if self.phase is Phase.READY:
            return self.row()
        return Row(self.model, Phase.STARTING, len(self.seats), len(self.waiting), self.since, self.last_use)

    def sight(self) -> Sight:
        return Sight(
            self.model,
            self.phase,
            self.run if self.up else 0,
            len(self.seats),
            len(self.waiting),
            self.since,
            self.last_use,
            self.failures.until if self.phase in FALLEN else 0.0,
            self.why,
            self.wanted is not None,
        )
