"""Random lives for a scheduler: what can happen next, given what the witness has seen. The dice are handed in."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from msgspec.structs import replace

from llamaswap_py.config.values import CrashLimit, Group
from llamaswap_py.errors import StartFailed, UpstreamFailed
from llamaswap_py.schedule.eviction import group
from llamaswap_py.schedule.facts import (
    Asked,
    Closed,
    Gone,
    Left,
    LoadAsked,
    PinAsked,
    Ready,
    Replanned,
    ResetAsked,
    UnloadAsked,
    Woke,
)
from llamaswap_py.schedule.plan import Entry, Evict, Never, Phase, Plan, Policy, Verdict, Wait, World
from tests.schedule.books import Run, Scheduling
from tests.schedule.witness import Witness

MODELS = ("a", "b", "c", "d", "e")


class Dice(Protocol):
    def __call__(self, choices: Sequence[Any], /) -> Any: ...


def groups(dice: Dice) -> Policy:
    flags = (True, True, False)
    members: Mapping[int, list[str]] = {0: [], 1: [], 2: []}
    for model in MODELS:
        members[dice((0, 0, 1, 2))].append(model)
    return group.policy(
        [
            Group(str(n), tuple(names), dice(flags), dice(flags), dice((True, False, False)))
            for n, names in members.items()
        ]
    )


def room(dice: Dice) -> Policy:
    """So much fits; the least lately used goes first. A model may be too big for ever."""
    sizes = {model: dice((1, 1, 2, 3)) for model in MODELS}
    capacity = dice((2, 3, 4))

    def verdict(wanted: str, world: World) -> Verdict:
        if sizes[wanted] > capacity:
            return Never(StartFailed(f"{wanted} is too big"))
        free = capacity - sizes[wanted] - sum(sizes[model] for model in world if model != wanted)
        victims: list[str] = []
        for row in sorted(world.values(), key=lambda row: (row.last_use, row.model)):
            if free < 0 and row.model != wanted:
                victims.append(row.model)
                free += sizes[row.model]
        return Evict(tuple(victims))

    return verdict


def one_load_at_a_time(policy: Policy) -> Policy:
    def verdict(wanted: str, world: World) -> Verdict:
        first = policy(wanted, world)
        starting = any(row.phase is Phase.STARTING for row in world.values() if row.model != wanted)
        up = wanted in world and world[wanted].phase is Phase.READY
        return Wait() if starting and not up and first == Evict(()) else first

    return verdict


def entries(dice: Dice) -> dict[str, Entry]:
    named = [model for model in MODELS if dice((True, True, True, True, False))]
    return {
        model: Entry(
            model,
            dice((0, 0, 0, 1)),
            dice((0.0, 0.0, 2.0, 10.0)),
            dice((None, None, None, 1, 3)),
            dice((None, None, 1, 2)),
            queue=dice((*[None] * 8, 0, 2)),
            wait=dice((*[0.0] * 6, 3.0)),
            pinned=dice((*[False] * 12, True)),
            persistent=dice((*[False] * 6, True)),
        )
        for model in named
    }


POLICIES: Mapping[str, Callable[[Dice], Policy]] = {
    "groups": groups,
    "room": room,
    "one load at a time": lambda dice: one_load_at_a_time(groups(dice)),
}
PAIRWISE = frozenset({"groups"})


def plan(dice: Dice, kind: str) -> Plan:
    patience = dice((0.0, 1.0, 5.0, 30.0, math.inf))
    window = dice((5.03, 60.07))  # no sum of other times: at the very edge rounding would decide
    limit = CrashLimit(dice((0, 2, 3)), window, dice((4.0, 30.0)))
    return Plan(
        entries(dice),
        POLICIES[kind](dice),
        patience,
        dice(((), (1.0,), (1.0, 2.0, 5.0))),
        limit,
        dice((*[None] * 6, 4)),
        dice((0.0, 0.0, 0.0, 2.0)),
        dice((0.0, 0.0, 0.0, 3.0)),
        dice((True, True, False)),
    )


class Player:
    def __init__(self, dice: Dice, make: Callable[[Plan], Scheduling], watch: type[Witness] = Witness) -> None:
        self.kind: str = dice(("groups", "groups", "room", "one load at a time"))
        self.witness = watch(plan(dice, self.kind), make, pairwise=self.kind in PAIRWISE)
        self.tickets = 0
        self.unlucky = dice((*MODELS, *MODELS, None))  # whose starts fail more often than not

    def ask(self, dice: Dice) -> None:
        self.tickets += 1
        wakes = dice((True, True, True, True, True, True, False))
        keeps = dice((True, True, True, False))
        self.witness.tell(
            Asked(
                self.tickets,
                dice((*MODELS, "nobody")),
                caller=dice(("ann", "ann", "ann", "bob", "eve")),
                priority=dice((0, 0, 0, 0, 0, 1, -1, 7)),
                wakes=wakes,
                keeps=keeps,
            )
        )

    def leave(self, dice: Dice) -> None:
        if self.witness.here:
            self.witness.tell(Left(dice(tuple(self.witness.here))))

    def load(self, dice: Dice) -> None:
        self.witness.tell(LoadAsked(dice((*MODELS, "nobody"))))

    def unload(self, dice: Dice) -> None:
        self.witness.tell(UnloadAsked(dice((MODELS, *((model,) for model in (*MODELS, "nobody"))))))

    def reset(self, dice: Dice) -> None:
        model = dice((*MODELS, "nobody"))
        self.witness.tell(dice((ResetAsked(model), PinAsked(model, True), PinAsked(model, False))))

    def runs(self, *phases: Phase) -> list[Run]:
        return [run for run in self.witness.alive.values() if run.phase in phases]

    def finish(self, dice: Dice) -> None:
        """A start or a stop comes to its good end."""
        runs = self.runs(Phase.STARTING, Phase.STOPPING)
        if not runs:
            return
        run = dice(runs)
        if run.phase is Phase.STOPPING:
            self.witness.tell(Gone(run.model, run.number))
        elif run.model == self.unlucky and dice((True, True, True, False)):
            self.witness.tell(Gone(run.model, run.number, StartFailed("exit code 1"), starved=dice((False, True))))
        else:
            self.witness.tell(Ready(run.model, run.number))

    def fail(self, dice: Dice) -> None:
        runs = self.runs(Phase.STARTING, Phase.STOPPING)
        if runs:
            run = dice(runs)
            why = dice((StartFailed("exit code 1"), None))
            self.witness.tell(Gone(run.model, run.number, why, starved=dice((False, True))))

    def crash(self, dice: Dice) -> None:
        runs = self.runs(Phase.READY)
        if runs:
            run = dice(runs)
            why = dice((UpstreamFailed("killed by signal 9"), UpstreamFailed("exit code 1"), None))
            self.witness.tell(Gone(run.model, run.number, why, served=dice((False, False, True))))

    def tell_late(self, dice: Dice) -> None:
        """News of a run that is over, or that is being stopped."""
        old = sorted(self.witness.runs_seen - {run.number for run in self.witness.alive.values()})
        if old:
            model, number = dice(MODELS), dice(old)
            self.witness.tell(dice((Ready(model, number), Gone(model, number, StartFailed("late")))))
        for run in self.runs(Phase.STOPPING):
            self.witness.tell(Ready(run.model, run.number))

    def replan(self, dice: Dice) -> None:
        now = self.witness.plan
        fresh = plan(dice, self.kind)
        mixed = {model: dice((now.entries.get(model, entry), entry)) for model, entry in fresh.entries.items()}
        change = dice((fresh, replace(now, entries={**now.entries, **mixed}), now))
        self.witness.tell(Replanned(change))

    def close(self, dice: Dice) -> None:
        if dice((True, *[False] * 30)):
            self.witness.tell(Closed())

    def wake(self, dice: Dice) -> None:
        """In time, or late, or for nothing; time never goes back."""
        deadline = self.witness.scheduler.deadline(self.witness.now)
        late = dice((0.0, 0.0, 0.25, 3.0))
        self.witness.now = self.witness.now if deadline is None else deadline + late
        self.witness.tell(Woke())
        orders = self.witness.tell(Woke())
        assert not orders, f"Woke twice at one moment gave {orders}"

    def pass_time(self, dice: Dice) -> None:
        """Nobody wakes the scheduler: whatever was due is late."""
        self.witness.now += dice((0.001, 0.5, 1.0, 4.0, 30.0))

    def end(self) -> None:
        self.witness.drain()


MOVES: tuple[Callable[[Player, Dice], None], ...] = (
    Player.ask,
    Player.leave,
    Player.load,
    Player.unload,
    Player.reset,
    Player.finish,
    Player.fail,
    Player.crash,
    Player.tell_late,
    Player.replan,
    Player.close,
    Player.wake,
    Player.pass_time,
)
WEIGHTS = (30, 20, 3, 1, 2, 25, 3, 2, 2, 2, 1, 5, 8)
