"""What the scheduler plans with: the models as it needs to know them, the world a policy looks at, and its verdicts."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from enum import StrEnum

import msgspec

from llamaswap_py.config.values import CrashLimit
from llamaswap_py.errors import Refusal


class Phase(StrEnum):
    DOWN = "stopped"
    STARTING = "starting"
    READY = "ready"
    STOPPING = "stopping"
    FAILED = "failed"  # lately: it is left alone for a moment
    GAVE_UP = "gave-up"  # too often: it is tried once in a while, or by order


FALLEN = frozenset({Phase.FAILED, Phase.GAVE_UP})  # down, and not because it was asked to be


class Entry(msgspec.Struct, frozen=True):
    """One model of the plan."""

    model: str
    version: Hashable = None  # a running process whose version differs must be replaced
    ttl: float = 0.0  # 0 = never
    limit: int | None = None  # callers at once, waiting ones included; beyond it: TooManyRequests
    seats: int | None = None  # callers served at once; beyond it they wait in order
    steady: float = 10.0  # seconds a run must have been ready to be a success, where it served nobody
    queue: int | None = None  # callers that may wait; beyond it: QueueFull
    wait: float = 0.0  # seconds a caller may wait before QueueTimeout; 0 = for ever
    pinned: bool = False  # neither evicted nor stopped by its ttl
    persistent: bool = False  # not stopped for another one's want of memory


class Row(msgspec.Struct, frozen=True):
    """One model in the world that an eviction policy sees. Models that are down do not appear; a model that an
    earlier waiter has claimed appears as starting."""

    model: str
    phase: Phase
    seated: int
    waiting: int
    since: float  # when it entered the phase
    last_use: float
    size: int = 0
    pinned: bool = False


class Evict(msgspec.Struct, frozen=True):
    models: tuple[str, ...]  # empty: may start now


class Wait(msgspec.Struct, frozen=True):
    """Not now; ask again when something has changed."""


class Never(msgspec.Struct, frozen=True):
    refusal: Refusal


Verdict = Evict | Wait | Never
World = Mapping[str, Row]
Policy = Callable[[str, World], Verdict]


class Plan(msgspec.Struct, frozen=True):
    entries: Mapping[str, Entry]
    policy: Policy
    patience: float = 30.0  # math.inf: llama-swap's rule
    backoff: tuple[float, ...] = (1.0, 2.0, 5.0, 15.0, 60.0)  # after the nth failure in a row; the last one repeats
    crash_limit: CrashLimit = msgspec.field(default_factory=CrashLimit)
    queue: int | None = None  # callers that may wait for all models together; beyond it: Overloaded
    residency: float = 0.0  # seconds a model that has just become ready keeps its room from impatient others
    hold: float = 0.0  # seconds a load keeps its room whose last caller has left
    evicts_for_memory: bool = False  # for a start that ran out of it one idle model goes, and it is tried once more
    rule: str = ""  # what the policy is called in explanations
