"""A process that dies with us without having asked for it: one that was never ours up to the moment of its exec.

A pipe tells its owner by a signal that one of its ends is gone. The owner is that process and the signal SIGKILL; both
ends are ours, and when we die the kernel closes one before the other. Who is tied only after it began is not yet while
we wait for that: if we are killed just then, the proxy ends it, and after the proxy's own end the next one.
"""

from __future__ import annotations

import errno
import os
import signal
import sys

if sys.platform == "linux":
    import fcntl


def new() -> tuple[int, int]:
    """Both ends, nobody's yet, to be closed when nothing of its owner lives. OSError: not to be had here, or now."""
    if sys.platform != "linux":
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
    ends = os.pipe()
    try:
        arm(ends)
    except OSError:
        close(ends)
        raise
    return ends


def arm(ends: tuple[int, int]) -> None:
    if sys.platform == "linux":
        for end in ends:
            fcntl.fcntl(end, fcntl.F_SETSIG, signal.SIGKILL)
            fcntl.fcntl(end, fcntl.F_SETFL, os.O_ASYNC)


def tie(ends: tuple[int, int], pid: int) -> None:
    """To a child that was not reaped yet."""
    if sys.platform == "linux":
        for end in ends:
            fcntl.fcntl(end, fcntl.F_SETOWN, pid)


def is_possible() -> bool:
    try:
        close(new())
    except OSError:
        return False
    return True


def close(ends: tuple[int, ...]) -> None:
    for end in ends:
        os.close(end)
