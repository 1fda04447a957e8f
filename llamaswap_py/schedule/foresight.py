"""What would be ordered next, if nothing happened but what is under way. Changes nothing."""

from __future__ import annotations

from copy import copy

import msgspec

from llamaswap_py.schedule.lives import Life
from llamaswap_py.schedule.plan import Phase
from llamaswap_py.schedule.queue import Begin, turn
from llamaswap_py.schedule.state import State


class Succession(msgspec.Struct, frozen=True):
    run: int  # the one that is stopping
    model: str  # starts as soon as it is gone


def succession(state: State, now: float) -> Succession | None:
    """Where one run is stopping, and a model waits for nothing else."""
    stopping = [life for life in state.up.values() if life.phase is Phase.STOPPING]
    if len(stopping) != 1:
        return None
    old = stopping[0]
    step = turn({**state.concerned(), old.model: ended(old)}, state.plan, now)
    if not isinstance(step, Begin) or step.life.model == old.model:
        return None
    return Succession(old.run, step.life.model)


def ended(life: Life) -> Life:
    after = copy(life)
    after.phase, after.seats, after.stale_since = Phase.DOWN, {}, None
    return after
