"""When the keeper itself died: kill what it left behind, found by the marks its children carry."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable, Collection, Iterable

from llamaswap_py.keeper import table, trees
from llamaswap_py.keeper.process import Process
from llamaswap_py.launchers.child import Child

FIRST_PAUSE = 0.002  # a killed process is gone in about a millisecond
LONGEST_PAUSE = 0.5  # one that survives SIGKILL hangs in the kernel: two looks a second are enough
PATIENCE = 10.0  # then it is left to the kernel, and its run is told to be over


async def sweep(children: Collection[Child], token: str) -> list[Process]:
    """Kill until nothing lives that belongs to these children. Returns who cannot be killed."""
    adopted = {child.pid for child in children if child.pid}

    def find() -> list[Process]:
        found = leftovers(children, token)
        adopted.update(row.pid for row in found)
        reap(adopted)
        return found

    return await end_all(find)


async def end_all(find: Callable[[], Iterable[Process]]) -> list[Process]:
    """Kill what is found until nothing of it lives. Returns who hangs in the kernel, where nobody can end it."""
    pause = FIRST_PAUSE
    spent = 0.0
    while living := [row for row in find() if row.alive]:
        if spent >= PATIENCE:
            return living
        for process in living:
            trees.send(process, signal.SIGKILL)
        await asyncio.sleep(pause)  # no event tells the death of another's child
        spent += pause
        pause = min(pause * 2, LONGEST_PAUSE)
    return []


def leftovers(children: Collection[Child], token: str) -> list[Process]:
    begun = min((child.started for child in children if child.started), default=table.now())
    young = {pid: row for pid, row in table.snapshot().items() if row.started >= begun and pid != os.getpid()}
    return list(trees.closed(young, roots(young, children, token), begun).values())


def roots(young: dict[int, Process], children: Collection[Child], token: str) -> set[int]:
    """The leaders' sessions, and whoever carries one of the two marks."""
    leaders = {child.pid for child in children if child.pid}
    found = {pid for pid, row in young.items() if row.session in leaders}
    return found | table.marked(young, trees.mark(token)) | trees.branded(young, token)


def reap(pids: Iterable[int]) -> None:
    """Orphans of a dead keeper became our children, because we adopt too; those that did not are another's to reap."""
    for pid in pids:
        try:
            os.waitpid(pid, os.WNOHANG)
        except ChildProcessError:
            continue
