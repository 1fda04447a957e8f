"""A process that dies with whoever holds its lifeline."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from llamaswap_py.keeper import lifeline

ROOT = Path(__file__).parents[2]
HOLDER = """
import subprocess, sys
from llamaswap_py.keeper import lifeline
child = subprocess.Popen(["sleep", "600"], start_new_session=True)
lifeline.tie(lifeline.new(), child.pid)
print(child.pid, flush=True)
sys.stdin.read()
"""

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such thing")


def test_it_holds_while_its_holder_lives_and_not_a_moment_longer() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout
        handle = os.pidfd_open(int(holder.stdout.readline()))
        assert not ended(handle, within=0)
        holder.kill()
    assert ended(handle, within=10)
    os.close(handle)


@pytest.mark.parametrize("first", [0, 1])
def test_whichever_end_goes_first_is_the_end(first: int) -> None:
    child = subprocess.Popen(["sleep", "600"])
    ends = lifeline.new()
    lifeline.tie(ends, child.pid)
    os.close(ends[first])
    assert child.wait() == -signal.SIGKILL
    os.close(ends[1 - first])


def test_trying_whether_it_is_possible_leaves_nothing() -> None:
    before = sorted(os.listdir("/proc/self/fd"))  # noqa: PTH208
    assert lifeline.is_possible()
    assert sorted(os.listdir("/proc/self/fd")) == before  # noqa: PTH208


def test_where_no_descriptor_is_left_it_is_not_possible() -> None:
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    last = os.dup(0)
    os.close(last)
    resource.setrlimit(resource.RLIMIT_NOFILE, (last, hard))
    try:
        assert not lifeline.is_possible()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def ended(handle: int, within: float) -> bool:
    return select.select([handle], [], [], within)[0] == [handle]
