"""Why a caller is turned away at the door, in sentences."""

from __future__ import annotations

from llamaswap_py.errors import GaveUp, NotLoaded, Refusal, ShuttingDown, StartBackoff, TooManyRequests, UnknownModel
from llamaswap_py.schedule.lives import Life
from llamaswap_py.schedule.plan import Phase, Plan

RETRY_AFTER = 1.0  # seconds; a seat may be free any moment, and llama-swap's callers are used to this number


def turned_away(closed: bool, life: Life | None, model: str, now: float) -> Life | Refusal:
    """The model's life where nothing speaks against serving it."""
    if closed:
        return ShuttingDown("the proxy is shutting down")
    if life is None or life.entry is None:
        return UnknownModel(f"no model named {model} is configured")
    if life.entry.limit is not None and len(life.seats) + len(life.waiting) >= life.entry.limit:
        return too_many(life)
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


def too_many(life: Life) -> Refusal:
    callers = len(life.seats) + len(life.waiting)
    message = (
        f"model {life.model} has {callers} caller{'' if callers == 1 else 's'}, as many as its concurrencyLimit lets in"
    )
    return TooManyRequests(f"{message}: try again in a moment, or raise that limit", retry_after=RETRY_AFTER)


def not_loaded(model: str) -> Refusal:
    return NotLoaded(f"model {model} is not free to answer, and this kind of request does not load it")
