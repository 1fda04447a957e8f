"""The keeper as a whole: what happens to a tree when its owner is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from llamaswap_py.keeper import table
from tests.fakes.witness import Witness

ROOT = Path(__file__).parents[2]
KINDS = ("plain", "deaf", "daemon", "bare", "leaver", "breeder", "frozen")
REPORTS = 10  # how many processes these trees are


@pytest.fixture
async def witness(tmp_path: Path) -> AsyncIterator[Witness]:
    witness = Witness(tmp_path)
    yield witness
    witness.close()


def own(witness: Witness, *kinds: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-m", "tests.fakes.owner", str(witness.fifo), *kinds], cwd=ROOT)


@pytest.fixture
def owner(witness: Witness) -> subprocess.Popen[bytes]:
    return own(witness, *KINDS)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
async def test_nothing_survives_the_proxy(witness: Witness, owner: subprocess.Popen[bytes], number: int) -> None:
    """Two seconds after the proxy was killed none of its trees lives, daemons without an environment included."""
    await witness.born(REPORTS)
    owner.send_signal(number)
    await witness.all_gone(within=2)
    owner.wait()


async def test_killed_while_spawning(witness: Witness) -> None:
    """A proxy killed at any moment, between fork and exec too, leaves nothing."""
    owners = [own(witness, *["plain"] * 100) for _ in range(2)]
    await witness.born(20)
    for owner in owners:
        owner.kill()
        owner.wait()
    await witness.all_gone(within=2)


async def test_the_keeper_is_deaf_to_the_terminal(witness: Witness, owner: subprocess.Popen[bytes]) -> None:
    """The signals a terminal or a shell sends do not end the keeper: only the proxy's end does."""
    keeper = parent_of((await witness.born(REPORTS))[0])
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGPIPE, signal.SIGQUIT):
        os.kill(keeper, number)
    assert owner.poll() is None
    owner.kill()
    owner.wait()
    await witness.all_gone(within=2)


def parent_of(pid: int) -> int:
    process = table.look(pid)
    assert process is not None
    return process.parent
