"""A local run keeps the launcher's contract: `ended` once, `stop` safe twice, no child outlives it."""

from __future__ import annotations

import asyncio
import os
import shlex
import signal
import sys
from pathlib import Path

import pytest

from llamaswap_py.config.command import render
from llamaswap_py.config.values import Model
from llamaswap_py.errors import StartFailed
from llamaswap_py.launchers.child import Exit
from llamaswap_py.launchers.keeper_link import KeeperLink
from llamaswap_py.launchers.local import LocalRun
from tests.fakes.witness import Witness

LONG = 60.0  # a grace that no test waits for


class Said:
    """What a run and its cmdStop wrote."""

    def __init__(self) -> None:
        self.data = b""

    def __call__(self, data: bytes) -> None:
        self.data += data


@pytest.fixture
def said() -> Said:
    return Said()


async def launch(link: KeeperLink, said: Said, argv: list[str], cmd_stop: str = "") -> LocalRun:
    model = Model(id="m", cmd=shlex.join(argv), cmd_stop=cmd_stop, env=("COLOUR=a=b",))
    return await LocalRun.launch(link, render(model, 4321), said, os.environ)


async def test_port_and_environment_reach_the_command(link: KeeperLink, said: Said) -> None:
    """`${PORT}` is filled in, the model's variables come on top of ours, and the end is told once."""
    run = await launch(link, said, ["sh", "-c", "echo $1 $COLOUR $HOME; exit 3", "sh", "${PORT}"])
    assert await run.ended == Exit(code=3)
    await run.stop(LONG)
    assert said.data.decode() == f"4321 a=b {os.environ['HOME']}\n"


async def test_a_missing_command_is_refused(link: KeeperLink, said: Said) -> None:
    """No run comes of it."""
    with pytest.raises(StartFailed, match="not found on PATH"):
        await launch(link, said, ["no-such-command-anywhere"])


async def test_sigterm_lets_it_end_in_its_own_way(link: KeeperLink, said: Said, witness: Witness) -> None:
    """A well-behaved server ends itself; stopping again, and at once by several, is the same stop."""
    run = await launch(link, said, witness.argv("tidy"))
    await witness.born(1)
    await asyncio.gather(run.stop(LONG), run.stop(LONG), run.stop(LONG))
    await run.stop(0)
    assert run.ended.result() == Exit(code=7)
    await witness.all_gone()


async def test_the_deaf_are_killed_after_the_grace(link: KeeperLink, said: Said, witness: Witness) -> None:
    """SIGTERM ignored: SIGKILL comes when the grace is over, not before."""
    run = await launch(link, said, witness.argv("deaf"))
    await witness.born(1)
    begun = asyncio.get_running_loop().time()
    await run.stop(0.1)
    assert asyncio.get_running_loop().time() - begun >= 0.1
    assert run.ended.result() == Exit(signal=signal.SIGKILL)
    await witness.all_gone()


async def test_a_second_stop_may_be_in_a_hurry(link: KeeperLink, said: Said, witness: Witness) -> None:
    """The shortest grace counts: a forced stop ends a patient one."""
    run = await launch(link, said, witness.argv("deaf"))
    await witness.born(1)
    patient = run.stop(LONG)
    await asyncio.wait([patient], timeout=0)
    await run.stop(0)
    await patient
    await witness.all_gone()


async def test_a_cancelled_stop_goes_on(link: KeeperLink, said: Said, witness: Witness) -> None:
    """Whoever asked may go away; what was begun is finished."""
    run = await launch(link, said, witness.argv("tidy"))
    await witness.born(1)
    stopping = run.stop(LONG)
    await asyncio.wait([stopping], timeout=0)
    stopping.cancel()
    assert await run.ended == Exit(code=7)
    await witness.all_gone()


async def test_no_child_outlives_a_run(link: KeeperLink, said: Said, witness: Witness) -> None:
    """A command that ends by itself takes with it what it left behind, without a stop."""
    run = await launch(link, said, witness.argv("leaver"))
    assert await run.ended == Exit(code=0)
    await run.child.gone
    await run.stop(LONG)


async def test_cmd_stop_stops(link: KeeperLink, said: Said, witness: Witness) -> None:
    """cmdStop is run with the process number in place, and its output is kept."""
    run = await launch(link, said, witness.argv("tidy"), "sh -c 'echo stopping $COLOUR; kill ${PID}'")
    await witness.born(1)
    await run.stop(LONG)
    assert run.ended.result() == Exit(code=7)
    assert said.data == b"stopping a=b\n"


@pytest.mark.parametrize(
    ("cmd_stop", "word"),
    [
        ("no-such-command-anywhere", b"could not be run"),
        ("sh -c 'exit 9'", b"ended with exit code 9"),
        ("# nothing", b""),
    ],
)
async def test_a_failing_cmd_stop_gives_way_to_sigterm(
    link: KeeperLink, said: Said, witness: Witness, cmd_stop: str, word: bytes
) -> None:
    """It says so in the model's log, and the server gets the ordinary signal at once."""
    run = await launch(link, said, witness.argv("tidy"), cmd_stop)
    await witness.born(1)
    await run.stop(LONG)
    assert run.ended.result() == Exit(code=7)
    assert word in said.data


@pytest.mark.parametrize("cmd_stop", ["sleep 60", "true"])
async def test_a_cmd_stop_that_does_not_stop_is_not_waited_for(
    link: KeeperLink, said: Said, witness: Witness, cmd_stop: str
) -> None:
    """One that hangs, or does nothing, has the grace; then all of it is killed."""
    run = await launch(link, said, witness.argv("tidy"), cmd_stop)
    await witness.born(1)
    await run.stop(0.2)
    assert not link.children
    await witness.all_gone()


async def test_a_detached_run_lives_until_cmd_stop(
    link: KeeperLink, said: Said, witness: Witness, tmp_path: Path
) -> None:
    """A command that ends with 0 while cmdStop is set has not ended the run; cmdStop does, and is run for it."""
    stopped = tmp_path / "stopped"
    os.mkfifo(stopped)
    run = await launch(link, said, witness.argv("leaver"), f"sh -c 'echo stopped >{stopped}'")
    await run.child.exited
    await witness.born(1)
    assert run.detached
    assert not run.ended.done()
    stopping = run.stop(LONG)
    assert await asyncio.to_thread(stopped.read_text) == "stopped\n"
    await run.stop(0)
    await stopping
    assert await run.ended == Exit(code=0)
    await witness.all_gone()


async def test_cmd_stop_is_not_run_for_the_dead(link: KeeperLink, said: Said, tmp_path: Path) -> None:
    """A server that crashed is over: nothing is asked to stop it."""
    stopped = tmp_path / "stopped"
    run = await launch(link, said, ["sh", "-c", "exit 2"], f"touch {stopped}")
    assert await run.ended == Exit(code=2)
    await run.stop(LONG)
    assert not run.detached
    assert not stopped.exists()


async def test_a_run_ends_with_its_keeper(link: KeeperLink, said: Said, witness: Witness) -> None:
    """The keeper killed: the run is over, and stopping it returns."""
    run = await launch(link, said, witness.argv("daemon"))
    await witness.born(2)
    os.kill(link.pid, signal.SIGKILL)
    assert str(await run.ended) == "its keeper"
    await run.stop(LONG)
    await witness.all_gone()


async def test_its_number_and_start_are_known(link: KeeperLink, said: Said) -> None:
    """What a port's listener is compared with."""
    run = await launch(link, said, [sys.executable, "-c", "import os; print(os.getpid())"])
    await run.ended
    assert said.data.decode() == f"{run.pid}\n"
    assert run.started > 0
