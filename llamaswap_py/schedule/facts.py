"""What happened, in the past tense: everything the scheduler may be told."""

from __future__ import annotations

import msgspec

from llamaswap_py.errors import Refusal
from llamaswap_py.schedule.plan import Plan


class Asked(msgspec.Struct, frozen=True):
    """A caller wants a seat at a model. Followed by exactly one `Left` of the same ticket, whatever happens."""

    ticket: int
    model: str
    caller: str = ""
    priority: int = 0
    wakes: bool = True  # may start the model
    keeps: bool = True  # counts as use: holds off the ttl while seated, restarts it when it leaves


class Left(msgspec.Struct, frozen=True):
    ticket: int


class LoadAsked(msgspec.Struct, frozen=True):
    """Somebody wants the model up, without a seat (preload, the load button)."""

    model: str


class UnloadAsked(msgspec.Struct, frozen=True):
    models: tuple[str, ...]


class ResetAsked(msgspec.Struct, frozen=True):
    """Forget that the model failed."""

    model: str


class PinAsked(msgspec.Struct, frozen=True):
    """From now on the model is pinned, or is not, whatever its entry says."""

    model: str
    pinned: bool


class Ready(msgspec.Struct, frozen=True):
    model: str
    run: int


class Gone(msgspec.Struct, frozen=True):
    """The run is over and nothing of it is left. Exactly once per `Start`. `why` is None where it ended as
    ordered; otherwise the refusal that describes the failure."""

    model: str
    run: int
    why: Refusal | None = None
    served: bool = False  # it gave somebody an answer, or the beginning of one
    starved: bool = False  # it ran out of memory


class Replanned(msgspec.Struct, frozen=True):
    plan: Plan


class Closed(msgspec.Struct, frozen=True):
    """We are going away: whoever waits is refused, whoever is seated may finish, nothing starts any more."""


class Woke(msgspec.Struct, frozen=True):
    """The deadline has passed."""


Fact = Asked | Left | LoadAsked | UnloadAsked | ResetAsked | PinAsked | Ready | Gone | Replanned | Closed | Woke
