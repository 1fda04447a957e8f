"""What to do about it, in the imperative: everything the scheduler may order."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from llamaswap_py.errors import Refusal


@dataclass(frozen=True, slots=True)
class Start:
    model: str
    run: int  # never used twice in one scheduler's life


@dataclass(frozen=True, slots=True)
class Stop:
    model: str
    run: int
    why: str  # "evicted for X" | "idle" | "unloaded" | "replaced" | "removed" | "closed" ...: for logs and events


class Grant(msgspec.Struct, frozen=True):
    ticket: int
    model: str
    run: int


@dataclass(frozen=True, slots=True)
class Refuse:
    ticket: int
    refusal: Refusal


Order = Start | Stop | Grant | Refuse
