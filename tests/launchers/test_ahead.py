"""The child that is forked when a stop says that a start may follow: it becomes what any other would, or nothing."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from llamaswap_py.errors import StartFailed
from llamaswap_py.keeper import proc, trees
from llamaswap_py.launchers.child import Child, Exit
from llamaswap_py.launchers.keeper_link import KeeperLink
from tests.launchers import test_keeper_link as plain
from tests.launchers.test_keeper_link import spawn

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or proc.own_children() is None, reason="the system lists no children"
)


async def forked_ahead(link: KeeperLink) -> int:
    """A server is started and stopped: the one child that the keeper has then."""
    child = await spawn(link, "sleep", "600")
    child.signal_tree(signal.SIGTERM)
    await child.gone
    (pid,) = proc.children(link.pid)
    return pid


async def until_alone(link: KeeperLink) -> None:
    async with asyncio.timeout(10):
        while proc.children(link.pid):
            await answered(link)


async def answered(link: KeeperLink) -> None:
    """One turn of the keeper's."""
    heard = asyncio.Event()
    link.pings.append(heard.set)
    link.tell({"do": "ping"})
    await heard.wait()


async def test_the_next_command_is_run_by_it(link: KeeperLink) -> None:
    """Under its number, with the marks of the new run alone."""
    ahead = await forked_ahead(link)
    child = await spawn(link, "sleep", "600")
    assert child.pid == ahead
    assert trees.carries(child.pid, child.serial)
    assert proc.marked([child.pid], trees.mark(link.token, child.number)) == {child.pid}
    assert os.getsid(child.pid) == child.pid
    assert proc.children(link.pid) == {child.pid}
    child.kill_tree()
    await child.gone


async def test_arguments_environment_and_folder_reach_it_as_they_are(link: KeeperLink, tmp_path: Path) -> None:
    await forked_ahead(link)
    await plain.test_arguments_environment_and_folder_pass_exactly(link, tmp_path)


async def test_it_holds_nothing_of_the_keepers(link: KeeperLink) -> None:
    await forked_ahead(link)
    await plain.test_a_child_inherits_nothing_but_its_three_streams(link)


async def test_a_command_that_cannot_be_run_is_refused_as_ever(link: KeeperLink) -> None:
    await forked_ahead(link)
    await plain.test_a_command_that_cannot_run_says_why(link, ["/no/such/command"], "does not exist")
    await until_alone(link)


@pytest.mark.parametrize("size", [30_000, 40_000, 60_000, 90_000])
async def test_a_long_order_reaches_it_whole(link: KeeperLink, size: int) -> None:
    """One read ends where descriptors do, and the system breaks what is long into pieces."""
    ahead, said = await forked_ahead(link), plain.Said()
    child = await link.spawn(["sh", "-c", "echo ${#BIG}"], {"PATH": os.defpath, "BIG": "x" * size}, None, said)
    assert await child.exited == Exit(code=0)
    assert child.pid == ahead
    assert said.data == b"%d\n" % size


async def test_an_order_longer_than_its_line_takes_is_for_another(link: KeeperLink) -> None:
    ahead = await forked_ahead(link)
    await plain.test_a_big_environment_passes(link)
    await until_alone(link)
    assert ahead not in proc.snapshot()


async def test_it_goes_where_no_start_follows(link: KeeperLink) -> None:
    await forked_ahead(link)
    await until_alone(link)
    child = await spawn(link, "true")
    assert await child.exited == Exit(code=0)


async def test_of_two_stops_there_is_one(link: KeeperLink) -> None:
    """And nobody takes it for a part of a run that ends."""
    children = [await spawn(link, "sleep", "600") for _ in range(2)]
    for child in children:
        child.signal_tree(signal.SIGTERM)
    await asyncio.gather(*(child.gone for child in children))
    assert len(proc.children(link.pid)) == 1


async def test_one_that_was_killed_is_not_asked(link: KeeperLink) -> None:
    """Whether the keeper knows of its death or not."""
    for _ in range(5):
        ahead = await forked_ahead(link)
        os.kill(ahead, signal.SIGKILL)
        child: Child = await spawn(link, "sleep", "600")
        if child.pid == ahead:  # it died behind its order, which is a death like any other
            assert await child.exited == Exit(signal=9)
        child.kill_tree()
        await child.gone
    await until_alone(link)


async def test_with_the_keeper_it_goes(link: KeeperLink) -> None:
    """Not even as a dead one it stays."""
    others = (proc.own_children() or set()) - {link.pid}
    await forked_ahead(link)
    os.kill(link.pid, signal.SIGKILL)
    with suppress(StartFailed):  # where the death is not known yet
        await spawn(link, "true")
    child = await spawn(link, "true")
    await child.gone
    assert (proc.own_children() or set()) - others == {link.pid}
