"""Why a caller is turned away at the door, in sentences."""

from __future__ import annotations

from collections.abc import Sequence

from llamaswap_py.errors import (
    GaveUp,
    NoRoom,
    NotLoaded,
    Overloaded,
    QueueFull,
    QueueTimeout,
    Refusal,
    ShuttingDown,
    StartBackoff,
    TooManyRequests,
    UnknownModel,
)
from llamaswap_py.schedule.facts import Asked
from llamaswap_py.schedule.lives import Life
from llamaswap_py.schedule.plan import Phase, Plan
from llamaswap_py.schedule.state import State

RETRY_AFTER = 1.0  # seconds, where nothing is known yet; llama-swap's callers are used to this number
LONGEST_RETRY = 600.0  # seconds; beyond that a guess is worth nothing


def turned_away(closed: bool, life: Life | None, model: str, now: float) -> Life | Refusal:
    """The model's life where nothing speaks against serving it."""
    if closed:
        return ShuttingDown("the proxy is shutting down")
    if life is None or life.entry is None:
        return UnknownModel(f"no model named {model} is configured")
    if life.entry.limit is not None and len(life.seats) + len(life.waiting) >= life.entry.limit:
        return too_many(life, now)
    if life.backing_off(now):
        return left_alone(life, now)
    return life


def left_alone(life: Life, now: float) -> Refusal:
    wait = life.failures.until - now
    if life.phase is not Phase.GAVE_UP:
        return StartBackoff(life.why, retry_after=wait)
    message = f"model {life.model} was given up because it failed again and again (crashLimit)"
    return GaveUp(
        f"{message}; it is tried again when it is loaded by order, or in {wait:.0f} s. {life.why}", retry_after=wait
    )


def in_the_way(life: Life, victims: tuple[str, ...], plan: Plan, now: float) -> StartBackoff:
    others = " and ".join(victims)
    message = (
        f"model {life.model} has just failed {life.failures.row} times in a row, and its start would stop {others}"
    )
    wait = life.failures.evicts_at(plan.crash_limit) - now
    return StartBackoff(
        f"{message}: that is done once in {plan.crash_limit.retry:g} s (crashLimit). {life.why}", retry_after=wait
    )


def room_in(life: Life, now: float) -> float:
    """Seconds until one of its callers will have been served, going by its earlier loads and answers."""
    load = 0.0
    if life.phase is not Phase.READY:
        passed = now - life.since if life.phase is Phase.STARTING else 0.0
        load = max(life.load_took - passed, 0.0)
    seats = life.entry.seats if life.entry else None
    together = len(life.seats) or min(len(life.waiting) or 1, seats or len(life.waiting) or 1)
    return min(max(load + life.answer_took / together, RETRY_AFTER), LONGEST_RETRY)


def no_place(life: Life, fact: Asked, state: State, now: float) -> Refusal | None:
    """Why a caller for whom there is no seat may not wait for one."""
    if not fact.wakes:
        return not_loaded(fact.model)
    entry, most = life.entry, state.plan.queue
    waiting = sum(len(other.waiting) for other in state.demanded())
    if entry is not None and entry.queue is not None and len(life.waiting) >= entry.queue:
        waits = f"{len(life.waiting)} callers wait for model {life.model}, as many as its queueLimit lets in"
        return QueueFull(f"{waits}: try again later, or raise that limit", retry_after=room_in(life, now))
    if most is not None and waiting >= most:
        waits = f"{waiting} callers wait for models, as many as queueLimit lets in"
        return Overloaded(f"{waits}: try again later, or raise that limit", retry_after=room_in(life, now))
    return None


def waited_enough(life: Life, seconds: float) -> Refusal:
    what = "was still starting" if life.phase is Phase.STARTING else "had no seat free"
    return QueueTimeout(f"after {seconds:g} s (queueTimeout) model {life.model} {what}")


def no_room(model: str, pinned: Sequence[str]) -> Refusal:
    held = " and ".join(pinned)
    stay = "is pinned and stays" if len(pinned) == 1 else "are pinned and stay"
    remedy = "unpin it (POST /api/models/unpin/<model>, or `pin` in the configuration), or unload it"
    return NoRoom(f"model {model} cannot be loaded beside {held}, which {stay}: {remedy}")


def too_many(life: Life, now: float) -> Refusal:
    callers = len(life.seats) + len(life.waiting)
    message = (
        f"model {life.model} has {callers} caller{'' if callers == 1 else 's'}, as many as its concurrencyLimit lets in"
    )
    return TooManyRequests(f"{message}: try again in a moment, or raise that limit", retry_after=room_in(life, now))


def not_loaded(model: str) -> Refusal:
    return NotLoaded(f"model {model} is not free to answer, and this kind of request does not load it")
