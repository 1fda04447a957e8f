"""Why a caller is turned away at the door, in sentences."""

from __future__ import annotations

from llamaswap_py.errors import NotLoaded, Refusal, ShuttingDown, StartBackoff, TooManyRequests, UnknownModel
from llamaswap_py.schedule.lives import Life

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
        return StartBackoff(life.why, retry_after=life.failed_until - now)
    return life


def too_many(life: Life) -> Refusal:
    callers = len(life.seats) + len(life.waiting)
    message = (
        f"model {life.model} has {callers} caller{'' if callers == 1 else 's'}, as many as its concurrencyLimit lets in"
    )
    return TooManyRequests(f"{message}: try again in a moment, or raise that limit", retry_after=RETRY_AFTER)


def not_loaded(model: str) -> Refusal:
    return NotLoaded(f"model {model} is not free to answer, and this kind of request does not load it")
