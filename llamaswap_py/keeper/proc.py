"""The process table of Linux, from /proc."""

# ruff: noqa: PTH123, PTH208 (pathlib would double what the keeper imports; a look at the table is many small reads)

from __future__ import annotations

import os
import sys
import time

from llamaswap_py.keeper.process import Process

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

TICKS = 100  # what every Linux of today says
if sys.platform == "linux":
    TICKS = os.sysconf("SC_CLK_TCK")
AT_ONCE = 1 << 14
BOOTTIME = 7  # time.CLOCK_BOOTTIME by its number, which other systems' Python does not name


def now() -> float:
    """The clock that processes' starts are written in."""
    return time.clock_gettime(BOOTTIME)


def boot() -> str:
    """This start of the machine: what was known of processes before it is worth nothing."""
    try:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
            return file.read().strip()
    except OSError:  # a sandbox that hides it
        return ""


def contents(path: str) -> bytes:
    """In half the time that a file object takes."""
    file, text = os.open(path, os.O_RDONLY | os.O_CLOEXEC), b""
    try:
        while more := os.read(file, AT_ONCE):
            text += more
        return text
    finally:
        os.close(file)


def fields_of(stat: bytes) -> list[bytes]:
    """From the state on: the name before it stands in brackets and may hold anything, brackets too."""
    return stat[stat.rindex(b")") + 2 :].split()


def look(pid: int) -> Process | None:
    try:
        text = contents(f"/proc/{pid}/stat")
    except OSError:  # gone, or hidden from us
        return None
    fields = fields_of(text)
    # A main thread that ended leaves a "zombie" row while its other threads live on.
    alive = fields[0] not in (b"Z", b"X") or int(fields[17]) > 1
    return Process(pid, int(fields[1]), int(fields[3]), int(fields[19]) / TICKS, alive)


def snapshot() -> dict[int, Process]:
    rows = (look(int(name)) for name in os.listdir("/proc") if name.isdigit())
    return {row.pid: row for row in rows if row is not None}


def own_children() -> set[int] | None:
    """Ours, where the kernel lists them: one read, however many processes the machine has."""
    try:
        return {int(pid) for pid in contents(f"/proc/self/task/{os.getpid()}/children").split()}
    except OSError:  # a kernel built without it
        return None


def family() -> dict[int, Process] | None:
    """All who descend from us, where the kernel lists children: as many reads as there are of them and their threads.
    Whoever is adopted at this moment may be missed, so nobody is taken for gone by this."""
    ahead = own_children()
    if ahead is None:
        return None
    found: dict[int, Process] = {}
    while ahead:
        row = look(ahead.pop())
        if row is not None and row.pid not in found:
            found[row.pid] = row
            ahead |= children(row.pid)
    return found


def children(pid: int) -> set[int]:
    """Of all its threads; empty where it is gone."""
    found: set[int] = set()
    try:
        for thread in os.listdir(f"/proc/{pid}/task"):
            found.update(int(child) for child in contents(f"/proc/{pid}/task/{thread}/children").split())
    except OSError:  # it, or a thread of it, ended meanwhile
        return found
    return found


def marked(pids: Iterable[int], mark: str) -> set[int]:
    """Those that were started with an environment in which a line begins with the mark."""
    wanted = b"\0" + os.fsencode(mark)
    return {pid for pid in pids if wanted in b"\0" + environment(pid)}


def environment(pid: int) -> bytes:
    try:
        return contents(f"/proc/{pid}/environ")
    except OSError:  # gone, or another user's
        return b""
