"""Children through a real keeper: how they start, speak, end, and that nothing of them is left."""

from __future__ import annotations

import asyncio
import os
import resource
import signal
import stat
import sys
import tracemalloc
from pathlib import Path

import psutil
import pytest

from llamaswap_py.errors import StartFailed, SystemLimit
from llamaswap_py.keeper import proc, table, trees
from llamaswap_py.launchers.child import Child, Exit
from llamaswap_py.launchers.keeper_link import KeeperLink
from tests.fakes.witness import Witness


class Said:
    """What a child wrote."""

    def __init__(self) -> None:
        self.data = b""

    def __call__(self, data: bytes) -> None:
        self.data += data


def ignore(_: bytes) -> None:
    """For children whose output does not matter."""


async def spawn(link: KeeperLink, *argv: str) -> Child:
    return await link.spawn(argv, os.environ, None, ignore)


@pytest.mark.parametrize(
    ("script", "ending"),
    [
        ("exit 0", Exit(code=0)),
        ("exit 3", Exit(code=3)),
        ("kill -9 $$", Exit(signal=9)),
        ("kill -15 $$", Exit(signal=15)),
    ],
)
async def test_exit_is_told_as_it_was(link: KeeperLink, script: str, ending: Exit) -> None:
    """Codes and signals arrive as the process ended, and the tree is told gone after it."""
    child = await spawn(link, "sh", "-c", script)
    assert await child.exited == ending
    await child.gone


async def test_output_is_complete_when_the_exit_is_told(link: KeeperLink) -> None:
    """Both streams of a command that dies at once are handed on before its end is."""
    said = Said()
    child = await link.spawn(["sh", "-c", "echo out; echo err >&2; exit 1"], os.environ, None, said)
    await child.exited
    assert said.data == b"out\nerr\n"


async def test_who_is_heard_in_pauses_is_heard_whole(link: KeeperLink) -> None:
    """Each line is written by itself; together they come in fewer reads, and none is missing at the exit."""
    pieces: list[bytes] = []
    program = "for number in range(3000): print(number, flush=True)"
    child = await link.spawn([sys.executable, "-c", program], os.environ, None, pieces.append)
    child.hear_in_pauses()
    await child.exited
    assert b"".join(pieces) == b"".join(b"%d\n" % number for number in range(3000))
    assert len(pieces) < 300


async def test_arguments_environment_and_folder_pass_exactly(link: KeeperLink, tmp_path: Path) -> None:
    """Spaces, quotes, newlines, percent signs and bytes that are no UTF-8 reach the child as they are."""
    said = Said()
    program = "import os, sys; print(ascii([sys.argv[1:], os.environ['ODD'], os.getcwd()]))"
    odd = ["a b", '"', "'", "%s", "\n", "ü", "\udcff", ""]
    env = {**os.environ, "ODD": "1=2\n\udcfe"}
    child = await link.spawn([sys.executable, "-c", program, *odd], env, str(tmp_path), said)
    assert await child.exited == Exit(code=0)
    assert said.data.decode() == ascii([odd, "1=2\n\udcfe", str(tmp_path)]) + "\n"


async def test_a_child_inherits_nothing_but_its_three_streams(link: KeeperLink) -> None:
    """No descriptor of ours, no input, no deaf signal, its own session."""
    said = Said()
    program = (
        "import os, signal; "
        "print(sorted(int(fd) for fd in os.listdir('/dev/fd') if os.path.exists(f'/dev/fd/{fd}')), os.read(0, 1), "
        "[s.name for s in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT) if signal.getsignal(s) is signal.SIG_IGN], "
        "os.getsid(0) == os.getpid(), signal.pthread_sigmask(signal.SIG_BLOCK, ()))"
    )
    child = await link.spawn([sys.executable, "-c", program], os.environ, None, said)
    assert await child.exited == Exit(code=0)
    assert said.data == b"[0, 1, 2] b'' [] True set()\n"


async def test_a_big_environment_passes(link: KeeperLink) -> None:
    """A command longer than the socket's buffer arrives whole, and so does the next."""
    said = Said()
    env = {**os.environ, **{f"BIG{number}": "x" * 100_000 for number in range(12)}}
    first = link.spawn(["sh", "-c", "echo ${#BIG11}"], env, None, said)
    second = link.spawn(["sh", "-c", "echo ${#BIG11}"], env, None, said)
    for child in await asyncio.gather(first, second):
        await child.exited
    assert said.data == b"100000\n100000\n"


async def test_children_get_the_limit_given(witness: Witness) -> None:
    """The soft limit on descriptors is the one the operator had, whatever ours is."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    link = await KeeperLink.start(environ_token="limit", nofile=min(300, hard), spawn_task=lambda *_: None)
    said = Said()
    child = await link.spawn(["sh", "-c", "ulimit -n"], os.environ, None, said)
    await child.exited
    await link.close()
    assert said.data == b"300\n"


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (["no-such-command-anywhere"], "not found on PATH"),
        (["/no/such/command"], "does not exist"),
        (["/dev/null"], "may not be executed"),
        ([""], "empty"),
        (["sh", "nul\0"], "cannot be run"),
        (["sh", "x" * 10_000_000], "too long"),
        ([], "empty"),
    ],
)
async def test_a_command_that_cannot_run_says_why(link: KeeperLink, argv: list[str], words: str) -> None:
    """The refusal names the command and what to do; nothing is left of the attempt."""
    with pytest.raises(StartFailed, match=words):
        await spawn(link, *argv)
    assert not link.children


async def test_a_script_that_cannot_run_says_why(link: KeeperLink, tmp_path: Path) -> None:
    """No interpreter named, a missing one, no permission, no such folder: each has its own sentence."""
    script = tmp_path / "script"
    script.write_text("echo hello\n")
    with pytest.raises(StartFailed, match="chmod"):
        await spawn(link, str(script))
    script.chmod(script.stat().st_mode | stat.S_IXUSR)
    with pytest.raises(StartFailed, match="first line"):
        await spawn(link, str(script))
    script.write_text("#!/no/such/shell\n")
    with pytest.raises(StartFailed, match="interpreter"):
        await spawn(link, str(script))
    with pytest.raises(StartFailed, match="working directory"):
        await link.spawn(["sh"], os.environ, str(tmp_path / "none"), ignore)


async def test_a_models_own_path_is_searched_too(link: KeeperLink, tmp_path: Path) -> None:
    """What our PATH does not have, the PATH in the child's environment may."""
    tool = tmp_path / "own-tool"
    tool.write_text("#!/bin/sh\nexit 5\n")
    tool.chmod(0o755)
    child = await link.spawn(["own-tool"], {**os.environ, "PATH": str(tmp_path)}, None, ignore)
    assert await child.exited == Exit(code=5)


@pytest.mark.parametrize("kind", ["daemon", "bare"])
async def test_a_daemon_dies_with_its_tree(link: KeeperLink, witness: Witness, kind: str) -> None:
    """A grandchild in its own session, its environment cleared or not, is killed; another run's tree is not."""
    other = await spawn(link, *witness.argv("daemon"))
    await witness.born(2)
    child = await spawn(link, *witness.argv(kind))
    pids = await witness.born(4)
    child.kill_tree()
    await child.gone
    assert await child.exited == Exit(signal=signal.SIGKILL)
    assert not other.exited.done()
    assert len([pid for pid in pids if alive(pid)]) == 2
    other.kill_tree()
    await other.gone
    await witness.all_gone()


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


async def test_what_a_leader_leaves_is_still_its_tree(link: KeeperLink, witness: Witness) -> None:
    """A leader that left a daemon behind has exited and is not gone; a daemon without mark or session is found."""
    other = await spawn(link, *witness.argv("plain"))
    child = await spawn(link, *witness.argv("leaver"))
    assert await child.exited == Exit(code=0)
    await witness.born(2)
    assert not child.gone.done()
    child.kill_tree()
    await child.gone
    assert not other.exited.done()
    other.signal_tree(signal.SIGTERM)
    await other.gone
    await witness.all_gone()


async def test_gone_is_told_when_the_last_one_dies_by_itself(link: KeeperLink, witness: Witness) -> None:
    """Nobody asked for a stop: the end of a tree is told all the same."""
    child = await spawn(link, *witness.argv("leaver"))
    await child.exited
    [pid] = await witness.born(1)
    os.kill(pid, signal.SIGKILL)
    await child.gone


async def test_a_held_pipe_delays_nothing(link: KeeperLink, witness: Witness) -> None:
    """A child of the leader keeps the output open: the exit is told at once, and the stop ends."""
    child = await spawn(link, *witness.argv("holder"))
    assert await child.exited == Exit(code=0)
    await witness.born(1)
    child.kill_tree()
    await child.gone
    await witness.all_gone()


async def test_a_breeding_tree_dies(link: KeeperLink, witness: Witness) -> None:
    """Deaf to SIGTERM and forking anew: SIGKILL is repeated until nothing lives."""
    child = await spawn(link, *witness.argv("breeder"))
    await witness.born(2)
    child.signal_tree(signal.SIGTERM)
    await witness.born(3)
    child.kill_tree()
    await child.gone
    await witness.all_gone()


async def test_a_stopped_tree_can_act_on_the_signal(link: KeeperLink, witness: Witness) -> None:
    """SIGTERM to a process in SIGSTOP wakes it, so that it can end in its own way."""
    child = await spawn(link, *witness.argv("frozen"))
    await witness.born(1)
    async with asyncio.timeout(10):
        while psutil.Process(child.pid).status() != psutil.STATUS_STOPPED:
            await asyncio.wait([child.exited], timeout=0.01)
    child.signal_tree(signal.SIGTERM)
    assert await child.exited == Exit(code=7)
    await child.gone


async def test_orphans_are_reaped(link: KeeperLink, witness: Witness) -> None:
    """Two hundred short-lived orphans of one run leave no zombie with the keeper."""
    child = await spawn(link, *witness.argv("storm"))
    await witness.born(1)
    child.kill_tree()
    await child.gone
    reported = await spawn(link, "true")
    await reported.exited  # the keeper went round its loop, reaping, since the storm
    assert trees.below(table.snapshot(), link.pid) == {}
    await witness.all_gone()


@pytest.mark.fault("L93", "F23")
async def test_spew_is_drained_with_flat_memory(link: KeeperLink, witness: Witness) -> None:
    """A hundred megabytes of output pass through; none of it stays here."""
    taken = 0

    def count(data: bytes) -> None:
        nonlocal taken
        taken += len(data)

    tracemalloc.start()
    child = await link.spawn(witness.argv("spew"), os.environ, None, count)
    await child.gone
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert taken == 100 << 20
    assert peak < 4 << 20


async def test_a_dead_keeper_is_replaced(link: KeeperLink, witness: Witness) -> None:
    """SIGKILL of the keeper: its children are swept, told exited and gone, and the next spawn has a new keeper."""
    child = await spawn(link, *witness.argv("bare"))
    await witness.born(2)
    before = link.pid
    os.kill(before, signal.SIGKILL)
    assert await child.exited == Exit()
    await child.gone
    await witness.all_gone()
    again = await spawn(link, "sh", "-c", "exit 4")
    assert link.pid != before
    assert await again.exited == Exit(code=4)


@pytest.mark.fault("F19")
@pytest.mark.skipif(proc.own_children() is None, reason="the system lists no children")
async def test_who_is_born_while_the_keeper_dies_is_reaped(link: KeeperLink) -> None:
    """A keeper killed between a fork and its word of it: nobody of its children stays, not even as a dead one."""
    others = (proc.own_children() or set()) - {link.pid}
    for _ in range(10):
        keeper = link.pid
        births = [asyncio.create_task(spawn(link, "sleep", "600")) for _ in range(3)]
        async with asyncio.timeout(10):
            while not proc.children(keeper):
                await asyncio.wait(births, timeout=0)
        os.kill(keeper, signal.SIGKILL)
        for outcome in await asyncio.gather(*births, return_exceptions=True):
            assert isinstance(outcome, Child | StartFailed)
        survivors = list(link.children.values())  # told of in time, or born under the next keeper
        for child in survivors:
            child.kill_tree()
        await asyncio.gather(*(child.gone for child in survivors))
        last = await spawn(link, "true")
        await last.gone
        assert (proc.own_children() or set()) - others == {link.pid}


async def test_a_cancelled_spawn_leaves_nothing(link: KeeperLink, witness: Witness) -> None:
    """Whoever gives up while the command is being started does not leave it running."""
    for _ in range(5):
        spawning = asyncio.create_task(spawn(link, *witness.argv("plain")))
        await asyncio.wait([spawning], timeout=0)
        spawning.cancel()
        await asyncio.wait([spawning])
        left = list(link.children.values())
        await asyncio.gather(*(child.gone for child in left))
    await link.close()
    await witness.all_gone()


async def test_close_ends_every_child(link: KeeperLink, witness: Witness) -> None:
    """Closing twice is safe, nothing lives after it, and a spawn is then refused."""
    child = await spawn(link, *witness.argv("daemon"))
    await witness.born(2)
    await asyncio.gather(link.close(), link.close())
    assert child.exited.done()
    assert child.gone.done()
    await witness.all_gone()
    with pytest.raises(StartFailed, match="shutting down"):
        await spawn(link, "true")


@pytest.mark.skipif(sys.platform != "linux", reason="read from /proc")
async def test_the_keeper_is_small(link: KeeperLink) -> None:
    """About 10 MB, most of it the interpreter: far below what a second proxy would take."""
    await spawn(link, "true")
    status = await asyncio.to_thread(Path(f"/proc/{link.pid}/status").read_text)
    resident = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS"))
    assert resident < 20_000


async def test_out_of_descriptors_is_a_refusal_and_passes(link: KeeperLink) -> None:
    """The caller hears what is short, and the next start finds everything in order."""
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, limits[1]))
    try:
        with pytest.raises(SystemLimit, match="Too many open files"):
            await link.spawn(["true"], {}, None, lambda _: None)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
    child = await link.spawn(["true"], {"PATH": os.environ["PATH"]}, None, lambda _: None)
    assert (await child.exited).code == 0
