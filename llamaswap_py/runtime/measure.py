"""What a tree of processes shows of its work. Blocks for some milliseconds: called in a thread."""

from __future__ import annotations

import contextlib
import sys

import psutil

from llamaswap_py.keeper import trees
from llamaswap_py.runtime.listeners import listening
from llamaswap_py.runtime.ports import held
from llamaswap_py.runtime.progress import Signs


def signs(leader: int) -> Signs:
    cpu, amount = 0.0, 0
    for pid in trees.members(leader):
        with contextlib.suppress(psutil.Error):  # gone meanwhile
            process = psutil.Process(pid)
            times = process.cpu_times()
            cpu += times.user + times.system
            amount += process.memory_info().rss + bytes_read(process)
    return Signs(cpu, amount)


def bytes_read(process: psutil.Process) -> int:
    if sys.platform != "linux":
        return 0
    with contextlib.suppress(psutil.Error, OSError):
        return int(process.io_counters().read_chars)
    return 0


def signs_of_server(leader: int, port: int) -> Signs | None:
    """None where somebody else listens there (a container's daemon, say): then our tree does not show its work."""
    if sys.platform == "linux":
        sockets = listening(port)
        if not any(held(pid, sockets) for pid in trees.members(leader)):
            return None
    return signs(leader)
