"""Which models' rows may differ from what was told: found out cheaply, for there may be a thousand and few at work."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from llamaswap_py.runtime.conductor import Conductor
from llamaswap_py.schedule.lives import Life

LOOK_AT_ALL = 10.0  # seconds between two looks at all models, where nothing is heard but requests


def mark(life: Life) -> tuple[Any, ...]:
    """What cannot stay the same where the row differs, as far as the scheduler knows."""
    counts = life.keeping, len(life.seats), tuple(life.waiting) if life.waiting else ()
    state = life.phase, life.run, life.why, life.failures.until
    return *state, *counts, life.last_use, life.wanted is None, life.pinned, life.evicted


class Marks:
    def __init__(self, conductor: Conductor) -> None:
        self.conductor = conductor
        self.forget()

    def forget(self) -> None:
        """Nobody was told anything."""
        self.marks: dict[str, tuple[Any, ...]] = {}
        self.touched: set[str] = set()  # rows that differ by something else than the scheduler's
        self.near: set[str] = set()  # up or asked for, at the last look
        self.leaked: set[str] = set()  # the same
        self.looked_at = 0.0  # loop time, at all of them
        self.look_at_all = True

    def touch(self, models: Collection[str], near: bool) -> None:
        self.touched.update(models)
        self.look_at_all |= not near

    def changed(self) -> tuple[set[str], bool]:
        """Since it was asked last; and whether all models were looked at."""
        lives, all_of_them = self.lives()
        marks = {model: mark(life) for model, life in lives.items()}
        changed = {model for model, each in marks.items() if self.marks.get(model) != each} | self.touched
        changed.update([life.model for life in lives.values() if life.waiting])  # others' places change theirs
        changed.update([run.model.id for run in self.conductor.runs.values() if run.load])
        leaked = set(self.conductor.ground.leaks.known)
        changed |= leaked | self.leaked
        self.marks = marks if all_of_them else {**self.marks, **marks}
        self.touched, self.leaked, self.look_at_all = set(), leaked, False
        return changed, all_of_them

    def lives(self) -> tuple[Mapping[str, Life], bool]:
        """All of them; or, if there were but requests, those that these can have changed."""
        state, before, now = self.conductor.scheduler.state, self.near, self.conductor.loop.time()
        self.near = {*state.up, *[ticket.model for ticket in state.tickets.values()]}
        if self.look_at_all or now >= self.looked_at + LOOK_AT_ALL:
            self.looked_at = now
            return state.lives, True
        return {model: state.lives[model] for model in self.near | before if model in state.lives}, False
