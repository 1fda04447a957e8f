"""What to do about it, in the imperative: everything the scheduler may order."""

from __future__ import annotations

import msgspec

from llamaswap_py.errors import Refusal
from llamaswap_py.schedule.plan import Phase


class Candidate(msgspec.Struct, frozen=True):
    """A model that was up when room was made."""

    model: str
    phase: Phase
    seated: int
    waiting: int
    unused: float  # seconds since its last use
    pinned: bool


class Decision(msgspec.Struct, frozen=True):
    """Who was evicted for whom, and what there was to choose from: enough to take the decision again."""

    at: float
    wanted: str
    caller: str  # the first of those who wait for it; empty: loaded by order
    waiting: int
    waited: float  # seconds, the longest
    candidates: tuple[Candidate, ...]
    chosen: tuple[str, ...]
    rule: str


class Start(msgspec.Struct, frozen=True):
    model: str
    run: int  # never used twice in one scheduler's life


class Stop(msgspec.Struct, frozen=True):
    model: str
    run: int
    why: str  # "evicted for X" | "idle" | "unloaded" | "replaced" | "removed" | "closed" ...: for logs and events
    decision: Decision | None = None  # of an eviction


class Grant(msgspec.Struct, frozen=True):
    ticket: int
    model: str
    run: int


class Refuse(msgspec.Struct, frozen=True):
    ticket: int
    refusal: Refusal


Order = Start | Stop | Grant | Refuse
