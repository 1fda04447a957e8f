"""How the state takes in news that no caller brings: from the runs, and from the operator. Each says whether the
queue must be looked at again."""

from __future__ import annotations

import math

from llamaswap_py.errors import Refusal, ShuttingDown, StartFailed, UnknownModel, Unloaded
from llamaswap_py.schedule.facts import Gone, LoadAsked, PinAsked, Ready, ResetAsked, UnloadAsked
from llamaswap_py.schedule.failures import Failures, Kind
from llamaswap_py.schedule.lives import Life, blended
from llamaswap_py.schedule.memory import spare, try_again
from llamaswap_py.schedule.plan import FALLEN, Entry, Phase, Plan
from llamaswap_py.schedule.refusals import left_alone
from llamaswap_py.schedule.state import State


def ready(state: State, fact: Ready, now: float) -> bool:
    life = state.lives.get(fact.model)
    if life is None or life.run != fact.run or life.phase is not Phase.STARTING:
        return False  # news of an old run, or of one that is being stopped
    life.last_use = life.ready_at = now
    life.failures.loaded(now - life.since)
    life.wanted = None
    life.second_try = False
    life.load_took = blended(life.load_took, now - life.since)
    state.enter(life, Phase.READY, now)
    state.grant_waiting(life, life.first(life.waiting.values(), state.plan.patience), now)
    return True


def gone(state: State, fact: Gone, now: float) -> bool:
    life = state.lives.get(fact.model)
    if life is None or life.run != fact.run or not life.up:
        return False
    if life.phase is Phase.STARTING:
        life.failures.loaded(now - life.since)
        victim = spare(state, life, now) if fact.starved else None
        if victim is not None:
            try_again(state, life, victim, now)
            return True
        failed(state, life, fact.why or StartFailed(f"model {life.model} ended before it was ready"), now)
        return True
    kind = Kind.SUCCESS if fact.served or now - life.ready_at >= steady(life) else Kind.READY
    if kind is Kind.SUCCESS:
        life.failures.proved()
    if life.phase is Phase.READY and fact.why is not None and not fact.served:
        crashed(state, life, fact.why, kind, now)
    else:
        life.why = fact.why.message if fact.why else ""
        state.end(life, Phase.DOWN, now)
    return True


def steady(life: Life) -> float:
    return life.entry.steady if life.entry else math.inf


def failed(state: State, life: Life, why: Refusal, now: float) -> None:
    note(state, life, why, Kind.START, now)
    life.second_try = False
    state.end(life, fallen(life, Phase.FAILED), now)
    state.refuse_waiting(life, why)


def crashed(state: State, life: Life, why: Refusal, kind: Kind, now: float) -> None:
    note(state, life, why, kind, now)
    state.end(life, fallen(life, Phase.FAILED if life.failures.pausing(now) else Phase.DOWN), now)
    if life.backing_off(now):
        state.refuse_waiting(life, left_alone(life, now))


def note(state: State, life: Life, why: Refusal, kind: Kind, now: float) -> None:
    life.failures.add(now, state.plan.backoff, state.plan.crash_limit, kind)
    life.why = why.message


def fallen(life: Life, phase: Phase) -> Phase:
    return Phase.GAVE_UP if life.failures.given_up else phase


def reset(state: State, fact: ResetAsked) -> bool:
    life = state.lives.get(fact.model)
    if life is not None:
        forgive(life)
    return False


def forgive(life: Life) -> None:
    life.failures = Failures()
    life.second_try = False
    if life.phase in FALLEN:
        life.phase = Phase.DOWN
        life.why = ""


def pin_asked(state: State, fact: PinAsked) -> bool:
    life = state.lives.get(fact.model)
    if life is not None:
        life.pinned = fact.pinned
    return True


def load_asked(state: State, fact: LoadAsked, now: float) -> bool:
    life = state.lives.get(fact.model)
    if life is None or life.entry is None or life.backing_off(now):
        return False
    if life.phase is Phase.READY and life.stale_since is None:
        return False
    state.want(life, now)
    return True


def unload_asked(state: State, fact: UnloadAsked, now: float) -> bool:
    for life in [state.lives[model] for model in fact.models if model in state.lives]:
        refusal = Unloaded(f"model {life.model} was unloaded by order while this request waited")
        state.refuse_waiting(life, refusal)
        if life.phase in (Phase.STARTING, Phase.READY):
            state.stop(life, "unloaded", now)
    return True


def closed(state: State, now: float) -> bool:
    state.closed = True
    for life in state.lives.values():
        state.refuse_waiting(life, ShuttingDown("the proxy is shutting down"))
        if life.phase is Phase.STARTING:
            state.stop(life, "closed", now)
    return True


def replanned(state: State, plan: Plan, now: float) -> bool:
    state.plan = plan
    state.epoch += 1
    for life in tuple(state.lives.values()):
        revise(state, life, plan.entries.get(life.model), now)
    for model, entry in plan.entries.items():
        if model not in state.lives:
            state.lives[model] = Life(model, entry)
    return True


def revise(state: State, life: Life, entry: Entry | None, now: float) -> None:
    before, life.entry = life.entry, entry
    if before is None or entry is None or before.pinned != entry.pinned:
        life.pinned = entry is not None and entry.pinned
    if entry is None:
        state.refuse_waiting(life, UnknownModel(f"model {life.model} was removed from the configuration"))
        if not life.up:
            del state.lives[life.model]
    elif before is None or before.version != entry.version:
        forgive(life)
    if life.phase in (Phase.STARTING, Phase.READY):
        compare(state, life, now)


def compare(state: State, life: Life, now: float) -> None:
    """A run that is not what the plan says is outdated from the first plan on that says so."""
    entry = life.entry
    if entry is not None and life.version == entry.version:
        life.stale_since = None
        life.wanted = None if life.phase is Phase.READY else life.wanted
        return
    if life.stale_since is None:
        life.stale_since = now
    if entry is not None:
        state.want(life, now)
