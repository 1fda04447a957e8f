"""What is ended after a keeper's death, and whom that leaves alone."""

from __future__ import annotations

import asyncio
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from llamaswap_py.keeper import table, trees
from llamaswap_py.launchers.child import Child, unheard
from llamaswap_py.launchers.sweep import Fallen, sweep

TOKEN = f"test of {os.getpid()}"  # another suite may run beside this one


@pytest.fixture
def leader() -> Iterator[subprocess.Popen[bytes]]:
    """A process that leads a session and carries no mark."""
    process = subprocess.Popen(["sleep", "600"], start_new_session=True)
    yield process
    process.kill()
    process.wait()


def started(pid: int) -> float:
    row = table.look(pid)
    assert row is not None
    return row.started


def child(pid: int, began: float) -> Child:
    """As the keeper told of it."""
    output, writing = os.pipe()
    os.close(writing)
    told = Child(1, trees.serial(trees.crest(TOKEN), 1), output, unheard, lambda _: None)
    told.pid, told.started = pid, began
    return told


async def test_a_session_of_its_children_is_ended(leader: subprocess.Popen[bytes]) -> None:
    """Though nothing else tells whose it is."""
    began = started(leader.pid)
    left = child(leader.pid, began)
    assert await sweep(Fallen(0, began, TOKEN, (left,))) == []
    assert table.look(leader.pid) is None  # reaped as well
    left.vanish()


@pytest.mark.fault("P25")
async def test_who_has_a_dead_childs_number_is_a_stranger(leader: subprocess.Popen[bytes]) -> None:
    """It leads a session of that number, and began later than the child that was told of."""
    began = started(leader.pid)
    left = child(leader.pid, began - 1)
    assert await sweep(Fallen(0, began - 1, TOKEN, (left,))) == []
    assert leader.poll() is None
    left.vanish()


def can_be_branded() -> bool:
    if sys.platform != "linux":
        return False
    return resource.getrlimit(trees.RLIMIT_LOCKS)[1] == resource.RLIM_INFINITY


@pytest.mark.skipif(not can_be_branded(), reason="no mark can be set here that outlives its process")
async def test_a_dead_one_that_only_a_mark_tells_of_is_reaped() -> None:
    """A child that the keeper had no time to tell of, and that died with it."""
    pid = os.fork()
    if pid == 0:
        trees.brand(trees.serial(trees.crest(TOKEN), 1))
        os.kill(os.getpid(), signal.SIGKILL)
    await asyncio.to_thread(os.waitid, os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    assert await sweep(Fallen(0, started(pid), TOKEN, ())) == []
    assert table.look(pid) is None
