"""A program that ran once, and was named by its path, is made in one step from then on, and is no other for it."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest

from llamaswap_py.errors import StartFailed
from llamaswap_py.keeper import birth, trees
from llamaswap_py.launchers.child import Child, Exit
from llamaswap_py.launchers.keeper_link import KeeperLink
from tests.fakes.witness import Witness
from tests.keeper.test_main import own, parent_of
from tests.launchers.test_keeper_link import Said, spawn
from tests.launchers.test_order_after import SLEEP, answered, carries_its_mark

TURNS = [1, 2, 3]

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere every program is forked")


async def nth(link: KeeperLink, turn: int, *argv: str) -> Child:
    for _ in range(turn - 1):
        await (await spawn(link, argv[0], "0")).gone
    return await spawn(link, *argv)


def ties(link: KeeperLink) -> int:
    """Lifelines that the keeper holds: of processes that it made in one step."""
    told = [of(link.pid, f"fdinfo/{number}") for number in os.listdir(f"/proc/{link.pid}/fd")]  # noqa: PTH208
    flags = [int(line.split()[1], 8) for text in told for line in text.splitlines() if line.startswith("flags:")]
    return sum(bool(each & os.O_ASYNC) for each in flags) // 2


def of(pid: int, name: str) -> str:
    return Path(f"/proc/{pid}/{name}").read_text().strip()


def link_of(pid: int, name: str) -> str:
    return str(Path(f"/proc/{pid}/{name}").readlink())


def signals(pid: int) -> set[int]:
    """That are blocked, ignored or caught; not of the two that the C library keeps for itself, and ignores here."""
    lines = [line.split() for line in of(pid, "status").splitlines()]
    masks = [int(line[1], 16) for line in lines if line[0] in ("SigBlk:", "SigIgn:", "SigCgt:")]
    assert len(masks) == 3
    return {number for number in range(1, 65) for mask in masks if mask >> (number - 1) & 1} - {32, 33}


@pytest.mark.parametrize("turn", TURNS)
async def test_what_it_inherits(link: KeeperLink, turn: int) -> None:
    child = await nth(link, turn, SLEEP, "600")
    assert ties(link) == (turn > 1)
    assert trees.carries(child.pid, child.serial)
    assert not trees.carries(link.pid, child.serial)
    assert os.getsid(child.pid) == child.pid
    assert of(child.pid, "oom_score_adj") == birth.EXPENDABILITY
    async with asyncio.timeout(20):
        await carries_its_mark(link, child)
        while sorted(os.listdir(f"/proc/{child.pid}/fd")) != ["0", "1", "2"]:  # noqa: PTH208
            await answered(link)  # it reads its libraries
    assert link_of(child.pid, "fd/0") == os.devnull
    assert not signals(child.pid)
    child.kill_tree()
    await child.gone
    assert ties(link) == 0


@pytest.mark.parametrize("turn", TURNS)
async def test_what_it_says_and_how_it_ends(link: KeeperLink, turn: int, tmp_path: Path) -> None:
    script = tmp_path / "script"
    script.write_text("#!/bin/sh\necho out $1\necho err >&2\nexit 7\n")
    script.chmod(0o755)
    for number in range(turn):
        said = Said()
        child = await link.spawn([str(script), str(number)], os.environ, None, said)
        assert await child.exited == Exit(code=7)
        assert said.data == b"out %d\nerr\n" % number
        await child.gone


async def test_one_that_is_there_no_more_is_told_as_ever(link: KeeperLink, tmp_path: Path) -> None:
    script = tmp_path / "script"
    script.write_text("#!/bin/sh\n")
    script.chmod(0o755)
    for _ in range(2):
        await (await spawn(link, str(script))).gone
    script.chmod(0o644)
    with pytest.raises(StartFailed, match="may not be executed"):
        await spawn(link, str(script))
    script.unlink()
    with pytest.raises(StartFailed, match="does not exist"):
        await spawn(link, str(script))
    assert ties(link) == 0


async def test_what_the_child_has_to_do_itself_it_does(link: KeeperLink, tmp_path: Path) -> None:
    await (await spawn(link, SLEEP, "0")).gone
    child = await link.spawn([SLEEP, "600"], os.environ, str(tmp_path), Said())
    assert link_of(child.pid, "cwd") == str(tmp_path)
    assert ties(link) == 0
    child.kill_tree()
    await child.gone


async def test_a_name_that_is_looked_for_is_looked_for_each_time(link: KeeperLink, tmp_path: Path) -> None:
    """A newer one may lie in front of it by now."""
    folders = [tmp_path / "front", tmp_path / "back"]
    for folder in folders:
        folder.mkdir()
    environ = {"PATH": os.pathsep.join(map(str, folders))}
    for folder in reversed(folders):
        tool = folder / "a-tool-of-this-test"
        tool.write_text(f"#!/bin/sh\necho {folder.name}\n")
        tool.chmod(0o755)
        said = Said()
        await (await link.spawn(["a-tool-of-this-test"], environ, None, said)).gone
        assert said.data.decode() == f"{folder.name}\n"


async def test_all_die_with_the_keeper_though_nobody_is_there_to_end_them(witness: Witness) -> None:
    owner = own(witness, *["plain"] * 20)
    keeper = parent_of((await witness.born(20))[0])
    os.kill(owner.pid, signal.SIGSTOP)
    os.kill(keeper, signal.SIGKILL)
    await witness.all_gone(within=2)
    owner.kill()
    owner.wait()
