"""A command that is ordered for when another is gone: it begins then, not before, and by the keeper alone."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
from pathlib import Path

import pytest

from llamaswap_py.keeper import proc, trees
from llamaswap_py.launchers.child import Child, Exit, unheard
from llamaswap_py.launchers.keeper_link import KeeperLink, born
from tests.fakes.witness import Witness
from tests.launchers.test_keeper_link import Said, spawn

SLEEP = shutil.which("sleep") or ""


def ordered(link: KeeperLink, old: Child, *argv: str) -> Child:
    child = link.order_after(old, argv, os.environ)
    assert child is not None
    return child


async def answered(link: KeeperLink) -> None:
    """One turn of the keeper's."""
    heard = asyncio.Event()
    link.pings.append(heard.set)
    link.tell({"do": "ping"})
    await heard.wait()


async def carries_its_mark(link: KeeperLink, child: Child) -> None:
    """The kernel wakes who waits for an exec before the new environment can be read."""
    while proc.marked([child.pid], trees.mark(link.token, child.number)) != {child.pid}:
        await answered(link)


async def test_it_begins_when_nothing_of_the_old_one_lives(link: KeeperLink, witness: Witness) -> None:
    """Its leader's end is not enough: a child that outlives it is of the old one too."""
    up = asyncio.Event()
    old = await link.spawn(["sh", "-c", "sleep 600 & echo; exec sleep 600"], os.environ, None, lambda _: up.set())
    await up.wait()
    child = ordered(link, old, *witness.argv("plain"))
    await answered(link)
    assert not child.pid
    os.kill(old.pid, signal.SIGKILL)
    await old.exited
    for _ in range(50):  # many times as long as it takes to begin
        await answered(link)
    assert not child.pid
    assert not witness.said
    old.kill_tree()
    await old.gone
    assert await born(child, ["it"]) is child
    assert child.pid
    await witness.born(1)
    child.kill_tree()
    await child.gone


async def test_it_begins_while_the_proxy_does_something_else(link: KeeperLink, tmp_path: Path) -> None:
    """The news of the old one's end need not have come."""
    begun = tmp_path / "begun"
    os.mkfifo(begun)
    old = await spawn(link, "sleep", "600")
    child = ordered(link, old, "sh", "-c", f"echo here > {begun}")
    await answered(link)
    os.kill(old.pid, signal.SIGTERM)
    assert begun.read_text() == "here\n"  # the loop stands still
    assert not old.gone.done()
    assert await child.exited == Exit(code=0)


@pytest.mark.parametrize("sleep", ["sleep", SLEEP])
async def test_nothing_stands_for_it_in_the_old_ones_place(link: KeeperLink, sleep: str) -> None:
    """Whoever ends the old one with all that belongs to it does not end this, however it is made."""
    old = await spawn(link, sleep, "600")
    child = ordered(link, old, sleep, "600")
    old.kill_tree()
    await old.gone
    await born(child, ["it"])
    assert trees.carries(child.pid, child.serial)
    async with asyncio.timeout(20):
        await carries_its_mark(link, child)
    assert os.getsid(child.pid) == child.pid
    assert child.started > 0
    child.kill_tree()
    await child.gone


async def test_what_it_says_before_anybody_listens_is_kept(link: KeeperLink) -> None:
    said = Said()
    old = await spawn(link, "sleep", "600")
    child = ordered(link, old, "sh", "-c", "echo early; read line; echo late")
    old.kill_tree()
    assert await child.exited == Exit(code=0)
    child.hand_on(said)
    assert said.data == b"early\nlate\n"


@pytest.mark.parametrize("begun", [False, True])
async def test_one_that_is_dropped_is_no_more(link: KeeperLink, begun: bool, witness: Witness) -> None:
    old = await spawn(link, "sleep", "600")
    child = ordered(link, old, *witness.argv("plain"))
    if begun:
        old.kill_tree()
        await witness.born(1)
    child.kill_tree()
    await child.gone
    assert child.number not in link.children
    old.kill_tree()
    await old.gone
    await answered(link)
    assert begun == bool(witness.said)
    assert proc.children(link.pid) == set()


async def test_who_waits_for_one_that_waits_begins_when_that_one_is_over(link: KeeperLink) -> None:
    old = await spawn(link, "sleep", "600")
    next_one = ordered(link, old, "sleep", "600")
    last = ordered(link, next_one, "sleep", "600")
    old.kill_tree()
    await born(next_one, ["it"])
    await answered(link)
    assert not last.word.done()
    next_one.kill_tree()
    await born(last, ["it"])
    last.kill_tree()
    await last.gone


@pytest.mark.parametrize("why", ["dropped", "refused"])
async def test_who_waits_for_one_that_never_began_begins(link: KeeperLink, why: str) -> None:
    old = await spawn(link, "sleep", "600")
    next_one = ordered(link, old, "/no/such/command")
    last = ordered(link, next_one, "sleep", "600")
    (next_one if why == "dropped" else old).kill_tree()
    await next_one.gone
    await born(last, ["it"])
    old.kill_tree()
    last.kill_tree()
    await old.gone
    await last.gone


async def test_why_it_cannot_be_run_is_said_when_it_is_tried(link: KeeperLink) -> None:
    old = await spawn(link, "sleep", "600")
    child = ordered(link, old, "/no/such/command")
    await answered(link)
    assert not child.gone.done()
    old.kill_tree()
    await child.gone
    assert not child.pid
    assert child.word.result()["step"] == "exec"


async def test_with_the_keeper_it_goes(link: KeeperLink, witness: Witness) -> None:
    old = await spawn(link, "sleep", "600")
    child = ordered(link, old, *witness.argv("plain"))
    await answered(link)
    os.kill(link.pid, signal.SIGKILL)
    await child.gone
    await old.gone
    await spawn(link, "true")  # the next keeper's first child
    assert not witness.said
    child.kill_tree()


async def test_there_is_none_without_a_keeper_or_behind_one_that_is_gone(link: KeeperLink) -> None:
    old = await spawn(link, "true")
    await old.gone
    assert link.order_after(old, ["true"], os.environ) is None
    living = await spawn(link, "sleep", "600")
    await link.close()
    assert link.order_after(living, ["true"], os.environ) is None


async def test_one_that_is_dropped_as_its_time_comes_does_not_begin(link: KeeperLink, witness: Witness) -> None:
    """Both are news to the keeper in the same moment."""
    old = await spawn(link, "sleep", "600")
    child = ordered(link, old, *witness.argv("plain"))
    await answered(link)
    os.kill(link.pid, signal.SIGSTOP)
    os.kill(old.pid, signal.SIGKILL)
    child.kill_tree()
    os.kill(link.pid, signal.SIGCONT)
    await child.gone
    assert not child.pid
    assert not witness.said


async def test_while_it_waits_there_is_nothing_of_it(link: KeeperLink) -> None:
    """Neither a process, nor its output's other end once it is dropped."""
    old = await spawn(link, "sleep", "600")
    child = ordered(link, old, "sleep", "600")
    await answered(link)
    assert proc.children(link.pid) == {old.pid}
    before = len(os.listdir(f"/proc/{link.pid}/fd"))  # noqa: PTH208
    child.kill_tree()
    await child.gone
    assert child.word.result()["step"] == "wait"
    assert len(os.listdir(f"/proc/{link.pid}/fd")) == before - 1  # noqa: PTH208


async def test_who_listens_to_one_that_is_gone_is_not_kept(link: KeeperLink) -> None:
    said = Said()
    old = await spawn(link, "sleep", "600")
    child = ordered(link, old, "echo", "here")
    old.kill_tree()
    await child.gone
    child.hand_on(said)
    assert said.data == b"here\n"
    assert child.on_output is unheard
