"""A lock that processes share: one at a time brings a file. It is let go whatever ends its holder."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

# On Windows a link cannot be refused this way; making one takes rights there.
FLAGS = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)


@contextmanager
def turn(path: Path, rest: Callable[[], None]) -> Iterator[None]:
    """Hold the lock that this path names; `rest` is called between two looks while somebody else holds it."""
    descriptor = os.open(path, FLAGS, 0o644)
    while not (locked(descriptor) and is_still(descriptor, path)):
        os.close(descriptor)
        rest()
        descriptor = os.open(path, FLAGS, 0o644)
    try:
        yield
    finally:
        if sys.platform != "win32":  # while it is ours: who opened it before looks again, see is_still
            path.unlink(missing_ok=True)
        os.close(descriptor)
        if sys.platform == "win32":
            with suppress(OSError):
                path.unlink()


def lock_of(part: Path) -> Path:
    return part.with_suffix(".lock")


def discard(part: Path) -> None:
    """Unless somebody brings it just now."""
    with suppress(Busy), turn(lock_of(part), busy):
        part.unlink(missing_ok=True)


class Busy(Exception):
    """Somebody else holds the lock."""


def busy() -> None:
    raise Busy


def locked(descriptor: int) -> bool:
    """False while another one holds it. Some network disks know no locks: there everybody is alone."""
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    except OSError:
        return True
    return True


def is_still(descriptor: int, path: Path) -> bool:
    """The one before us has taken its file away with it: a lock on that one excludes nobody."""
    try:
        named = path.stat()
    except FileNotFoundError:
        return False
    own = os.fstat(descriptor)
    return (own.st_dev, own.st_ino) == (named.st_dev, named.st_ino)
