"""A start that ran out of memory: whether somebody goes for one more try, and who."""

from __future__ import annotations

from llamaswap_py.schedule.explain import decided
from llamaswap_py.schedule.lives import Life
from llamaswap_py.schedule.plan import Phase
from llamaswap_py.schedule.state import State

RULE = "out of memory"


def spare(state: State, life: Life, now: float) -> Life | None:
    """Whoever is idle and has been for the longest time, though the policy would let both be up. None: the start has
    failed for good, as its second try has in any case."""
    if life.second_try or not state.plan.evicts_for_memory or life.entry is None or not life.demanded:
        return None
    idle = [other for other in state.up.values() if may_go(state, other, now)]
    return min(idle, key=lambda other: (other.last_use, other.model), default=None)


def may_go(state: State, other: Life, now: float) -> bool:
    if other.phase is not Phase.READY or other.seats or other.demanded or other.pinned:
        return False
    if other.entry is not None and other.entry.persistent:
        return False
    return now >= other.stays_until(state.plan.residency, state.plan.hold)


def try_again(state: State, life: Life, victim: Life, now: float) -> None:
    """Its callers wait on: it starts when the victim is gone."""
    decision = decided(state, life, (victim,), now, RULE)
    life.second_try = True
    life.after = victim.model, victim.run
    state.stop(victim, f"evicted for {life.model}: it ran out of memory", now, decision)
    state.end(life, Phase.DOWN, now)
