"""How busy the machine, this program and each model are: looked at every few seconds while somebody follows."""

from __future__ import annotations

import asyncio
import os
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import psutil

from llamaswap_py.observe.gpu.gpus import Known
from llamaswap_py.observe.gpu.shown import mib
from llamaswap_py.observe.processes import Taken, Trees, taken
from llamaswap_py.runtime.threads import in_thread
from llamaswap_py.server import messages

if TYPE_CHECKING:
    from llamaswap_py.server.shapes.machine import GpuUse, Sample, Use

EVERY = 2.5  # seconds
FIRST = 0.5  # until the second look, which is the first that knows how busy anybody is
KEPT = 240  # samples: ten minutes of following

CORES = os.cpu_count() or 1

Leaders = Mapping[str, int]  # the processes that models' servers were started as


class Look(NamedTuple):
    """What is counted, at one moment."""

    at: float
    busy: float  # seconds of all cores
    idle: float
    memory: int
    memory_total: int
    proxy: Taken
    keeper: Taken
    models: Mapping[str, Taken]


def look(keeper: int, leaders: Leaders, trees: Trees) -> Look:
    """Blocks for some milliseconds: called in a thread."""
    cores, memory = psutil.cpu_times(), psutil.virtual_memory()
    idle = cores.idle + getattr(cores, "iowait", 0.0)
    # A guest's time is counted among its host's already.
    busy = sum(cores) - idle - getattr(cores, "guest", 0.0) - getattr(cores, "guest_nice", 0.0)
    ours = taken([os.getpid()]), taken([keeper]), {name: taken(pids) for name, pids in trees.of(leaders).items()}
    return Look(time.time(), busy, idle, memory.total - memory.available, memory.total, *ours)


def sample(now: Look, before: Look | None, gpus: Sequence[GpuUse] = ()) -> Sample:
    elapsed = now.at - before.at if before else 0.0
    return {
        "at": round(now.at, 2),
        "cores": CORES,
        "cpu": share(now, before),
        "memory": now.memory,
        "memory_total": now.memory_total,
        "proxy": use(now.proxy, before.proxy if before else None, elapsed),
        "keeper": use(now.keeper, before.keeper if before else None, elapsed),
        "models": {
            name: use(each, before.models.get(name) if before else None, elapsed) for name, each in now.models.items()
        },
        "gpus": list(gpus),
    }


def share(now: Look, before: Look | None) -> float | None:
    if before is None:
        return None
    busy, idle = now.busy - before.busy, now.idle - before.idle
    return round(100 * busy / (busy + idle), 1) if busy >= 0 and busy + idle > 0 else None


def use(now: Taken, before: Taken | None, elapsed: float) -> Use:
    """Of a tree from which a process has gone since, the use is not known: its time has gone with it."""
    known = before is not None and elapsed > 0 and now.cpu >= before.cpu
    cpu = round(100 * (now.cpu - before.cpu) / elapsed, 1) if known and before is not None else None
    return {"cpu": cpu, "memory": now.memory, "processes": now.processes}


def card_use(known: Known) -> GpuUse:
    card = known.card
    return {
        "index": card.number,
        "name": card.name,
        "utilization_percent": card.utilisation,
        "memory_used": mib(card.memory_used),
        "memory_total": mib(card.memory_total),
        "temperature": card.temperature,
        "power_draw": card.power,
        "stale": known.stale,
    }


class Sampling:
    """`told` hears of every sample, on the loop; `leaders` and `keeper` say who is looked at."""

    def __init__(
        self, leaders: Callable[[], Leaders], keeper: Callable[[], int], told: Callable[[Sample], None]
    ) -> None:
        self.loop = asyncio.get_running_loop()
        self.leaders = leaders
        self.keeper = keeper
        self.told = told
        self.gpus: Callable[[], Sequence[GpuUse]] = tuple
        self.samples: deque[Sample] = deque(maxlen=KEPT)
        self.before: Look | None = None
        self.trees = Trees()
        self.timer: asyncio.TimerHandle | None = None
        self.is_open = False

    def open(self) -> None:
        self.is_open, self.before, self.trees = True, None, Trees()
        self.begin()

    def close(self) -> None:
        self.is_open = False
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None

    def begin(self) -> None:
        self.timer = None
        leaders, keeper, trees = self.leaders(), self.keeper(), self.trees
        looking = in_thread(lambda: look(keeper, leaders, trees), "machine")
        looking.add_done_callback(lambda done: self.take(done.result()))

    def take(self, now: Look | None) -> None:
        if not self.is_open or self.timer is not None:
            return  # it was closed meanwhile, and perhaps opened again
        pause = EVERY if self.before else FIRST
        self.timer = self.loop.call_later(pause, self.begin)
        if now is not None:
            new = sample(now, self.before, self.gpus())
            self.before = now
            if new["cpu"] is not None:
                self.samples.append(new)
            self.told(new)

    def history(self) -> bytes:
        return messages.machine(list(self.samples))
