"""The table by `ps`, which is macOS's way: it must read as the kernel's own does."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from llamaswap_py.keeper import ps, table

pytestmark = pytest.mark.skipif(not Path("/bin/ps").exists(), reason="this machine has no ps")


def test_it_shows_what_the_table_shows() -> None:
    """The same processes with the same parents and sessions, and starts within the second that ps tells."""
    shown, real = ps.snapshot(), table.snapshot()
    for pid in (os.getpid(), os.getppid()):
        assert (shown[pid].parent, shown[pid].session) == (real[pid].parent, real[pid].session)
        assert shown[pid].alive
        alone = ps.look(pid)
        assert alone
        assert alone.identity == shown[pid].identity
    assert 0 <= ps.now() - shown[os.getpid()].started < 100_000


def test_a_zombie_does_not_live() -> None:
    """A process that ended and was not reaped yet is in the table, and is not alive."""
    process = subprocess.Popen(["true"])
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    found = ps.look(process.pid)
    assert found
    assert not found.alive
    process.wait()
    assert ps.look(process.pid) is None


def test_nobody_asked_for_is_nobody() -> None:
    """No question to ps where there is nothing to ask; a session of nobody is none."""
    assert ps.marked([], "X=") == set()
    assert ps.session(2**22 + 1) == 0
    assert ps.own_children() is None
    assert ps.family() is None


@pytest.mark.skipif(sys.platform == "linux", reason="its ps tells no environment")
def test_marks_are_found() -> None:
    """The environment a process was started with is searched."""
    process = subprocess.Popen(["sleep", "60"], env={"MARK_OF": "one/1/"})
    assert ps.marked([process.pid], "MARK_OF=one/1/") == {process.pid}
    process.kill()
    process.wait()
