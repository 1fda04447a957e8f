"""When the keeper itself died: kill what it left behind, found by the marks its children carry."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable, Iterable

import msgspec

from llamaswap_py.keeper import table, trees
from llamaswap_py.keeper.process import Process
from llamaswap_py.launchers.child import Child

FIRST_PAUSE = 0.002  # a killed process is gone in about a millisecond
LONGEST_PAUSE = 0.5  # one that survives SIGKILL hangs in the kernel: two looks a second are enough
PATIENCE = 10.0  # then it is left to the kernel, and its run is told to be over


class Fallen(msgspec.Struct, frozen=True):
    """A keeper that died, and what is known of its children: those who were being born it told nothing of."""

    pid: int  # of the session, too, in which they stand until they make one of their own
    since: float  # nothing of it is older
    token: str
    children: tuple[Child, ...]


async def sweep(keeper: Fallen) -> list[Process]:
    """Kill until nothing lives that belongs to it. Returns who cannot be killed."""
    adopted = {child.pid for child in keeper.children if child.pid and not child.exited.done()}

    def find() -> list[Process]:
        found = leftovers(keeper)
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


def leftovers(keeper: Fallen) -> list[Process]:
    """Dead ones too, for us to reap."""
    young = {pid: row for pid, row in table.snapshot().items() if row.started >= keeper.since and pid != os.getpid()}
    return list(trees.closed(young, roots(young, keeper), keeper.since).values())


def roots(young: dict[int, Process], keeper: Fallen) -> set[int]:
    """The leaders' sessions, those who came to us before they had one, and whoever carries one of the two marks."""
    leaders = {child.pid: child.started for child in keeper.children if child.pid}
    reused = {pid for pid, started in leaders.items() if pid in young and young[pid].started != started}
    found = {pid for pid, row in young.items() if row.session in leaders and row.session not in reused}
    unborn = {pid for pid, row in young.items() if row.session == keeper.pid and row.parent == os.getpid()}
    return found | unborn | table.marked(young, trees.mark(keeper.token)) | trees.branded(young, keeper.token)


def reap(pids: Iterable[int]) -> None:
    """Orphans of a dead keeper became our children, because we adopt too; those that did not are another's to reap."""
    for pid in pids:
        try:
            os.waitpid(pid, os.WNOHANG)
        except ChildProcessError:
            continue
