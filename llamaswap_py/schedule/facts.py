"""What happened, in the past tense: everything the scheduler may be told."""

from __future__ import annotations

from dataclasses import dataclass

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


@dataclass(frozen=True, slots=True)
class LoadAsked:
    """Somebody wants the model up, without a seat (preload, the load button)."""

    model: str


@dataclass(frozen=True, slots=True)
class UnloadAsked:
    models: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ResetAsked:
    """Forget that the model failed."""

    model: str


@dataclass(frozen=True, slots=True)
class PinAsked:
    """From now on the model is pinned, or is not, whatever its entry says."""

    model: str
    pinned: bool


@dataclass(frozen=True, slots=True)
class Ready:
    model: str
    run: int


@dataclass(frozen=True, slots=True)
class Gone:
    """The run is over and nothing of it is left. Exactly once per `Start`. `why` is None where it ended as
    ordered; otherwise the refusal that describes the failure."""

    model: str
    run: int
    why: Refusal | None = None
    served: bool = False  # it gave somebody an answer, or the beginning of one
    starved: bool = False  # it ran out of memory


@dataclass(frozen=True, slots=True)
class Replanned:
    plan: Plan


@dataclass(frozen=True, slots=True)
class Closed:
    """We are going away: whoever waits is refused, whoever is seated may finish, nothing starts any more."""


@dataclass(frozen=True, slots=True)
class Woke:
    """The deadline has passed."""


Fact = Asked | Left | LoadAsked | UnloadAsked | ResetAsked | PinAsked | Ready | Gone | Replanned | Closed | Woke
