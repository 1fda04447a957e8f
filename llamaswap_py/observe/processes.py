"""What processes take of the machine. Blocks for some milliseconds: called in a thread."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import psutil

from llamaswap_py.keeper import proc, table, trees

PAGE = 0  # bytes
if sys.platform == "linux":
    PAGE = os.sysconf("SC_PAGE_SIZE")


class Taken(NamedTuple):
    memory: int = 0  # bytes, resident
    cpu: float = 0.0  # seconds, of those that live
    processes: int = 0


def taken(pids: Iterable[int]) -> Taken:
    memory, cpu, count = 0, 0.0, 0
    for pid in pids:
        with contextlib.suppress(psutil.Error, OSError):  # gone meanwhile, or nobody's to look at
            resident, seconds = used(pid)
            memory += resident
            cpu += seconds
            count += 1
    return Taken(memory, cpu, count)


def used_anywhere(pid: int) -> tuple[int, float]:
    process = psutil.Process(pid)
    times = process.cpu_times()
    return process.memory_info().rss, times.user + times.system


def used_on_linux(pid: int) -> tuple[int, float]:
    """In a fifth of the time, by one read: whoever follows asks for every server's processes again and again."""
    fields = proc.fields_of(proc.contents(f"/proc/{pid}/stat"))
    return int(fields[21]) * PAGE, (int(fields[11]) + int(fields[12])) / proc.TICKS


used = used_on_linux if sys.platform == "linux" else used_anywhere


def members(leaders: Mapping[str, int]) -> dict[str, set[int]]:
    """Of each model's server with all that it has started."""
    rows = table.snapshot() if leaders else {}
    return {name: trees.members(pid, rows) for name, pid in leaders.items()}


class Trees:
    """The same for whoever asks again and again: each time while servers are young, then every fourth time, because it
    takes a look at all processes of the machine."""

    EACH = 4

    def __init__(self) -> None:
        self.leaders: Mapping[str, int] = {}
        self.found: dict[str, set[int]] = {}
        self.asked = 0  # since other servers were seen

    def of(self, leaders: Mapping[str, int]) -> dict[str, set[int]]:
        if leaders != self.leaders:
            self.leaders, self.asked = leaders, 0
        if self.asked < self.EACH or self.asked % self.EACH == 0:
            self.found = members(leaders)
        self.asked += 1
        return self.found
