"""Keeps every core of a Linux machine from sleeping while latencies are measured: `with awake():`.

A core that sleeps takes tens of microseconds to wake, on a virtual machine most of all, and that is counted to whoever
wakes it: two programs that pass a request to and fro pay it each time, of a chain of three some find theirs awake. So
what a proxy adds would be a difference of sleeps. One process for each core counts on, at a priority at which it gives
way at once to everything else."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

STEPS = 1_000_000  # between two looks at whether whoever started it is still there


def cores() -> list[int]:
    return sorted(os.sched_getaffinity(0)) if sys.platform == "linux" else []


def spin(core: int, parent: int) -> None:
    if sys.platform == "linux":
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
        os.sched_setaffinity(0, {core})
    print("spinning", flush=True)
    while os.getppid() == parent:
        for _ in range(STEPS):
            pass


@contextmanager
def awake() -> Iterator[None]:
    """On Linux, which knows such a priority; elsewhere nothing is done."""
    with ExitStack() as stack:
        for core in cores():
            words = [sys.executable, "-m", "tests.performance.awake", str(core), str(os.getpid())]
            one = stack.enter_context(subprocess.Popen(words, stdout=subprocess.PIPE))
            stack.callback(one.kill)
            assert one.stdout is not None
            one.stdout.readline()
        yield


if __name__ == "__main__":
    spin(int(sys.argv[1]), int(sys.argv[2]))
