"""Who belongs to a tree, and signals that never reach a stranger."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys

import pytest

from llamaswap_py.keeper import table, trees
from llamaswap_py.keeper.process import Process

WAIT = [sys.executable, "-I", "-S", "-c", "import signal; print(flush=True); signal.pause()"]


def row(pid: int, parent: int, session: int, started: float = 10.0) -> Process:
    return Process(pid, parent, session, started, alive=True)


def rows(*found: Process) -> dict[int, Process]:
    return {process.pid: process for process in found}


def test_a_tree_is_children_and_their_sessions() -> None:
    """Children at any depth, and whoever shares a session that the tree made; nobody else."""
    processes = rows(
        row(1, 0, 1, 0.0),
        row(50, 1, 50),
        row(51, 50, 50),
        row(52, 51, 52),
        row(53, 1, 52),
        row(60, 1, 60),
        row(61, 60, 60),
    )
    assert set(trees.closed(processes, [50], since=10.0)) == {50, 51, 52, 53}


def test_an_older_session_is_a_strangers() -> None:
    """A member that stands in a session from before the run does not drag that session in."""
    processes = rows(row(40, 1, 40, started=1.0), row(41, 40, 40, started=2.0), row(50, 1, 40))
    assert set(trees.closed(processes, [50], since=10.0)) == {50}


def test_our_own_session_is_never_a_runs() -> None:
    """Between its fork and its own session a child stands in ours: that makes none of us a member."""
    own = os.getsid(0)
    processes = rows(row(50, 1, own), row(51, 1, own))
    assert set(trees.closed(processes, [50], since=0.0)) == {50}


def test_below_is_every_descendant() -> None:
    """All generations, without the ancestor."""
    assert set(trees.below(rows(row(2, 1, 2), row(3, 2, 3), row(4, 3, 3), row(5, 1, 5)), 2)) == {3, 4}


@pytest.fixture
def waiting() -> subprocess.Popen[bytes]:
    return subprocess.Popen(WAIT, stdout=subprocess.PIPE, env={trees.MARK: "token/12/"}, start_new_session=True)


def finish(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()
    assert process.stdout
    process.stdout.close()


def test_another_life_of_a_number_is_not_signalled(waiting: subprocess.Popen[bytes]) -> None:
    """The start must fit: the same number with another start is a stranger."""
    before = table.look(waiting.pid)
    assert before
    other = Process(before.pid, before.parent, before.session, before.started - 1, alive=True)
    for send in (trees.send, trees.send_plain):
        assert not send(other, signal.SIGKILL)
        assert send(before, 0)
    finish(waiting)
    for send in (trees.send, trees.send_plain):
        assert not send(before, signal.SIGKILL)


def test_marks_tell_one_from_twelve(waiting: subprocess.Popen[bytes]) -> None:
    """The environment's mark is found for its run and its token, and for no other."""
    assert waiting.stdout
    waiting.stdout.readline()  # it runs, with its own environment
    assert table.marked([waiting.pid], trees.mark("token", 12)) == {waiting.pid}
    assert table.marked([waiting.pid], trees.mark("token")) == {waiting.pid}
    assert not table.marked([waiting.pid], trees.mark("token", 1))
    assert not table.marked([waiting.pid], trees.mark("tok"))
    assert trees.members(waiting.pid) == {waiting.pid}
    finish(waiting)
    assert trees.members(waiting.pid) == set()
    assert not table.marked([waiting.pid], trees.mark("token", 12))


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux lets a limit be read from outside")
def test_a_brand_is_inherited() -> None:
    """The number written into the limit is found in the child's child, and another number is not."""
    process = subprocess.Popen(
        ["sh", "-c", "echo; read _; exit 0"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        preexec_fn=lambda: trees.brand(77),  # noqa: PLW1509 (no threads of ours run here)
    )
    assert process.stdout
    process.stdout.readline()
    assert resource.prlimit(process.pid, trees.RLIMIT_LOCKS) == (77, resource.RLIM_INFINITY)
    assert trees.carries(process.pid, 77)
    assert not trees.carries(process.pid, 78)
    assert not trees.carries(os.getpid(), 77)
    process.communicate()
    assert not trees.carries(process.pid, 77)


@pytest.mark.skipif(sys.platform != "linux", reason="limits of others can be read on Linux only")
def test_who_is_held_carries_the_number_and_stays_who_it_is() -> None:
    """Whoever is not its parent cannot know whether a number is still the same process's."""
    process = subprocess.Popen(
        ["sleep", "600"],
        preexec_fn=lambda: trees.brand(77),  # noqa: PLW1509 (no threads of ours run here)
    )
    assert trees.hold(process.pid, 78) < 0
    assert trees.hold(0, 77) < 0
    handle = trees.hold(process.pid, 77)
    assert process.poll() is None
    assert trees.send_handle(handle, signal.SIGTERM)
    assert process.wait() == -signal.SIGTERM
    assert not trees.send_handle(handle, signal.SIGTERM)
    assert trees.hold(process.pid, 77) < 0
    os.close(handle)


def test_a_runs_number_names_its_proxy() -> None:
    """Two proxies' numbers differ in their upper part, two runs' of one proxy in their lower; all fit into a limit."""
    one, two, other = (trees.serial(trees.crest(token), run) for token, run in (("a", 1), ("a", 2), ("b", 1)))
    assert (one >> trees.RUN_BITS, one & 0xFFFF, two - one) == (two >> trees.RUN_BITS, 1, 1)
    assert one >> trees.RUN_BITS != other >> trees.RUN_BITS
    assert 0 < max(one, two, other) < 1 << 62


def test_a_zombie_does_not_live() -> None:
    """A process that ended and was not reaped yet is in the table, and is not alive."""
    process = subprocess.Popen(["true"])
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    found = table.look(process.pid)
    assert found
    assert not found.alive
    process.wait()
    assert table.look(process.pid) is None


@pytest.mark.skipif(table.own_children() is None, reason="this kernel lists no children")
def test_the_family_is_who_descends_from_us_whatever_thread_and_session_they_came_from() -> None:
    script = (
        "import subprocess, threading\n"
        "def start(): print(subprocess.Popen(['sleep', '60'], start_new_session=True).pid, flush=True)\n"
        "thread = threading.Thread(target=start); thread.start(); thread.join()\n"
        "subprocess.Popen(['sleep', '60'], start_new_session=True).wait()"
    )
    with subprocess.Popen([sys.executable, "-I", "-c", script], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        try:
            grandchild = int(process.stdout.readline())
            while len(below := trees.below(table.snapshot(), process.pid)) < 2:
                pass
            family = table.family() or {}
            assert {grandchild, process.pid, *below} <= set(family)
            assert set(family) <= set(trees.below(table.snapshot(), os.getpid()))
        finally:
            for row in trees.below(table.snapshot(), process.pid).values():
                trees.send(row, signal.SIGKILL)
            process.kill()


def test_our_own_row() -> None:
    """We are in the table with our parent and session, and began before now."""
    found = table.snapshot()[os.getpid()]
    assert (found.parent, found.session, found.alive) == (os.getppid(), os.getsid(0), True)
    assert found.started <= table.now()
