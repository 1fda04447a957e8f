"""What the disk is asked, and what it says, in words."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import FileIO
from pathlib import Path
from typing import Protocol

from llamaswap_py.library.pull.troubles import PullFailed, Trouble


class Writable(Protocol):
    def write(self, data: bytes, /) -> int | None: ...
    def seek(self, place: int, /) -> int: ...
    def truncate(self, size: int, /) -> int: ...


def write(part: Writable, data: bytes) -> None:
    """All of it: a disk that is nearly full takes less at first."""
    taken = part.write(data) or 0
    while taken < len(data):
        taken += part.write(data[taken:]) or 0


def size_of(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except (FileNotFoundError, NotADirectoryError):
        return None


def glob_safe(name: str) -> str:
    return "".join(f"[{letter}]" if letter in "[*?" else letter for letter in name)


@contextmanager
def disk(target: Path) -> Iterator[None]:
    """What the disk says, in words."""
    try:
        yield
    except OSError as error:
        where = target.parent
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            text = f"The disk of {where} is full. What has come is kept: make room, and the same command goes on."
            raise PullFailed(Trouble.DISK_FULL, text) from error
        if error.errno == errno.EFBIG:
            raise PullFailed(
                Trouble.DISK, f"The disk of {where} cannot hold a file as long as {target.name}."
            ) from error
        raise PullFailed(Trouble.DISK, f"{target.name} cannot be written in {where}: {error.strerror}.") from error


def open_part(path: Path) -> FileIO:
    """To read and write, whether it is there or not, but never where a link leads."""
    flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
    return FileIO(os.open(path, flags, 0o644), "r+b")


def settle(folder: Path) -> None:
    """A name given in it is given, also after a power cut."""
    if os.name == "posix":
        descriptor = os.open(folder, os.O_RDONLY)
        with suppress(OSError):  # some network disks cannot
            os.fsync(descriptor)
        os.close(descriptor)
