"""Who is told to end: the leader at once, each of its tree, and nobody twice."""

from __future__ import annotations

import asyncio
import os
import select
import signal
import sys

import pytest

from llamaswap_py.launchers.child import Exit
from llamaswap_py.launchers.keeper_link import KeeperLink
from tests.launchers.test_keeper_link import Said, spawn


@pytest.mark.skipif(sys.platform != "linux", reason="a process is only held by its number here")
async def test_a_leader_is_told_at_once(link: KeeperLink) -> None:
    """A keeper that stands still does not hold it up."""
    child = await spawn(link, "sleep", "600")
    os.kill(link.pid, signal.SIGSTOP)
    try:
        handle = os.pidfd_open(child.pid)
        child.signal_tree(signal.SIGTERM)
        assert select.select([handle], [], [], 20)[0] == [handle]  # it has ended
        os.close(handle)
    finally:
        os.kill(link.pid, signal.SIGCONT)
    assert await child.exited == Exit(signal=signal.SIGTERM)


# Each signal is a byte in a pipe: who waits for the signal itself misses one that comes just before.
COUPLE = """
import os, signal
role = "leader" if os.fork() else "child"
told, tell = os.pipe()
os.set_blocking(tell, False)
signal.set_wakeup_fd(tell)
signal.signal(signal.SIGTERM, lambda *_: None)
os.write(1, f"{role} here\\n".encode())
while os.read(told, 1):
    os.write(1, f"{role} told\\n".encode())
"""


async def test_each_of_a_tree_is_told_once(link: KeeperLink) -> None:
    """llama-server takes a second signal for impatience, and breaks off."""
    said, news = Said(), asyncio.Event()

    def hear(data: bytes) -> None:
        said(data)
        news.set()

    async def until(word: bytes) -> None:
        try:
            async with asyncio.timeout(20):
                while said.data.count(word) < 2:
                    news.clear()
                    await news.wait()
        except TimeoutError:
            pytest.fail(f"nobody or one only says {word!r}: {said.data!r}")

    child = await link.spawn([sys.executable, "-c", COUPLE], os.environ, None, hear)
    await until(b"here\n")
    child.signal_tree(signal.SIGTERM)
    await until(b"told\n")
    child.kill_tree()
    await child.gone
    assert (said.data.count(b"leader told"), said.data.count(b"child told")) == (1, 1)
