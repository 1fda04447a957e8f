"""One model's life: its phase, its present run, who sits at it and who waits. No policy and no other model in here."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Iterator

import msgspec
from msgspec.structs import replace

from llamaswap_py.schedule.failures import Failures
from llamaswap_py.schedule.orders import Decision
from llamaswap_py.schedule.plan import FALLEN, Entry, Phase, Row
from llamaswap_py.schedule.turns import Line, Ticket, in_turn

UP = frozenset({Phase.STARTING, Phase.READY, Phase.STOPPING})


WEIGHT = 0.3  # of the newest in an average: a few answers later a change of habits is known


def blended(average: float, newest: float) -> float:
    return average + WEIGHT * (newest - average) if average else newest


class Sight(msgspec.Struct, frozen=True):
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
    pinned: bool = False
    evicted: Decision | None = None  # the last time it was


class Life(msgspec.Struct, eq=False):
    model: str
    entry: Entry | None  # None once the model has left the plan
    phase: Phase = Phase.DOWN
    run: int = 0
    version: Hashable = None  # the one the run was started with
    since: float = 0.0
    last_use: float = 0.0
    seats: dict[int, Ticket] = msgspec.field(default_factory=dict)  # at the present run
    keeping: int = 0  # of the seats, those that hold off the ttl
    waiting: dict[int, Ticket] = msgspec.field(default_factory=dict)  # in order of arrival
    wanted: Ticket | None = None
    served: dict[Line, int] = msgspec.field(default_factory=dict)  # when those with more waiting had their turn
    pinned: bool = False
    abandoned: float = -math.inf  # when the last caller of a load left
    load_took: float = 0.0  # seconds, the last loads on average; 0: none yet
    answer_took: float = 0.0  # seconds a caller kept its seat, the last ones on average; 0: none yet
    evicted: Decision | None = None
    stale_since: float | None = None  # the run is not what the plan says any more
    ready_at: float = math.inf  # of the present run; infinite until it is
    failures: Failures = msgspec.field(default_factory=Failures)
    why: str = ""
    second_try: bool = False  # its last start ran out of memory, and somebody went for this one
    after: tuple[str, int] = ("", 0)  # who that is, and in which run: it is started when that is gone
    cleared: int = -1  # the epoch in which the policy was last seen to evict nothing for this model

    def __post_init__(self) -> None:
        self.pinned = self.entry is not None and self.entry.pinned

    @property
    def up(self) -> bool:
        return self.phase in UP

    @property
    def full(self) -> bool:
        return self.entry is not None and self.entry.seats is not None and len(self.seats) >= self.entry.seats

    def first(self, tickets: Iterable[Ticket], patience: float) -> list[Ticket]:
        """Of those who wait, who may sit down: as many as there are seats, in fair order."""
        waiting = list(tickets)
        seats = self.entry.seats if self.entry else None
        free = len(waiting) if seats is None else max(seats - len(self.seats), 0)
        return in_turn(waiting, patience, self.served, free)

    def in_line(self, patience: float) -> list[Ticket]:
        """All who wait for it, in the order in which they would sit down."""
        return in_turn(self.waiting.values(), patience, self.served, len(self.waiting))

    @property
    def demanded(self) -> bool:
        return bool(self.waiting) or self.wanted is not None

    def backing_off(self, now: float) -> bool:
        return self.failures.pausing(now) and self.phase in FALLEN

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
        if self.phase is not Phase.READY or self.keeping or self.waiting or self.pinned:
            return math.inf
        if self.entry is None or self.entry.ttl <= 0:
            return math.inf
        return self.last_use + self.entry.ttl

    def waits_until(self) -> float:
        """When the first of those who wait has waited as long as it may."""
        if not self.waiting or self.entry is None or self.entry.wait <= 0:
            return math.inf
        return next(iter(self.waiting.values())).asked + self.entry.wait

    def stays_until(self, residency: float, hold: float) -> float:
        """Until then it keeps its room from others whose patience is not spent."""
        resident = self.since + residency if self.phase is Phase.READY else -math.inf
        return max(resident, self.abandoned + hold)

    def stale_at(self, patience: float) -> float:
        """When its outdated run ends at the latest."""
        if self.stale_since is None or self.phase is Phase.STOPPING:
            return math.inf
        return self.stale_since + patience if self.seats else self.stale_since

    def row(self) -> Row:
        return Row(
            self.model, self.phase, len(self.seats), len(self.waiting), self.since, self.last_use, pinned=self.pinned
        )

    def claim_row(self) -> Row:
        if self.phase is Phase.READY:
            return self.row()
        return replace(self.row(), phase=Phase.STARTING)

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
            self.pinned,
            self.evicted,
        )
