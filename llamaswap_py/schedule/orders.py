"""What to do about it, in the imperative: everything the scheduler may order."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from llamaswap_py.errors import Refusal
from llamaswap_py.schedule.plan import Phase


@dataclass(frozen=True, slots=True)
class Candidate:
    """A model that was up when room was made."""

    model: str
    phase: Phase
    seated: int
    waiting: int
    unused: float  # seconds since its last use
    pinned: bool


@dataclass(frozen=True, slots=True)
class Decision:
    """Who was evicted for whom, and what there was to choose from: enough to take the decision again."""

    at: float
    wanted: str
    caller: str  # the first of those who wait for it; empty: loaded by order
    waiting: int
    waited: float  # seconds, the longest
    candidates: tuple[Candidate, ...]
    chosen: tuple[str, ...]
    rule: str


@dataclass(frozen=True, slots=True)
class Start:
    model: str
    run: int  # never used twice in one scheduler's life


@dataclass(frozen=True, slots=True)
class Stop:
    model: str
    run: int
    why: str  # "evicted for X" | "idle" | "unloaded" | "replaced" | "removed" | "closed" ...: for logs and events
    decision: Decision | None = None  # of an eviction


class Grant(msgspec.Struct, frozen=True):
    ticket: int
    model: str
    run: int


@dataclass(frozen=True, slots=True)
class Refuse:
    ticket: int
    refusal: Refusal


Order = Start | Stop | Grant | Refuse
