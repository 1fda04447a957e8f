"""One file of the configuration on the disk: read with its tag, and written so that nobody ever sees half of it.

Blocks: called in a thread."""

from __future__ import annotations

import errno
import os
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

import msgspec

from llamaswap_py.config.versions import tag_of
from llamaswap_py.errors import NotWritable, Refusal, StorageFull

# Where a name cannot be given to another file: it is a mount of its own (a container's), or the folder is not ours.
FIXED = frozenset({errno.EBUSY, errno.EXDEV, errno.EACCES, errno.EPERM, errno.EROFS})
FULL = frozenset({errno.ENOSPC, errno.EDQUOT})


class Content(msgspec.Struct, frozen=True):
    raw: bytes
    tag: str
    changed: float


def read(path: Path) -> Content | None:
    """None where there is no such file."""
    try:
        with path.open("rb") as file:
            raw, status = file.read(), os.fstat(file.fileno())
    except FileNotFoundError:
        return None
    except OSError as error:
        raise NotWritable(f"{path} cannot be read: {error.strerror}") from error
    return Content(raw, tag_of(raw), status.st_mtime)


def is_writable(path: Path) -> bool:
    """As far as can be told without trying."""
    target = path.resolve()
    return os.access(target if target.exists() else target.parent, os.W_OK)


def write(path: Path, raw: bytes) -> bool:
    """Through a link to what it leads to; with the mode and the owner that it has. True where its name could be given
    to a new file, false where it had to be overwritten."""
    target = path.resolve()
    try:
        return replace_or_overwrite(target, raw)
    except OSError as error:
        raise refusal(target, error) from error


def replace_or_overwrite(target: Path, raw: bytes) -> bool:
    try:
        replace(target, raw)
    except OSError as error:
        if error.errno not in FIXED or not target.exists():
            raise
        overwrite(target, raw)
        return False
    return True


def replace(target: Path, raw: bytes) -> None:
    descriptor, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            take_after(target, descriptor)
            file.write(raw)
            file.flush()
            os.fsync(descriptor)
        Path(name).replace(target)
    except BaseException:
        with suppress(OSError):
            Path(name).unlink()
        raise
    settle(target.parent)


def take_after(target: Path, descriptor: int) -> None:
    """Owner, mode and further attributes of what it replaces. Raises PermissionError rather than change the owner."""
    try:
        status = target.stat()
    except FileNotFoundError:
        if sys.platform != "win32":
            os.fchmod(descriptor, 0o600)  # keys may stand in it
        return
    if sys.platform == "win32":
        return
    ours = os.fstat(descriptor)
    if (ours.st_uid, ours.st_gid) != (status.st_uid, status.st_gid):
        os.fchown(descriptor, status.st_uid, status.st_gid)
    os.fchmod(descriptor, status.st_mode & 0o7777)
    if sys.platform == "linux":
        copy_attributes(target, descriptor)


def copy_attributes(target: Path, descriptor: int) -> None:
    """Access lists above all. A file system that has none says so."""
    if sys.platform != "linux":
        return
    with suppress(OSError):
        for name in os.listxattr(target):
            os.setxattr(descriptor, name, os.getxattr(target, name))


def overwrite(target: Path, raw: bytes) -> None:
    with target.open("r+b") as file:
        file.write(raw)
        file.truncate()
        file.flush()
        os.fsync(file.fileno())


def settle(folder: Path) -> None:
    """The new name outlives a power cut. A file system that cannot do it is none the worse for having been asked."""
    if sys.platform == "win32":
        return
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def refusal(target: Path, error: OSError) -> Refusal:
    if error.errno in FULL:
        return StorageFull(f"there is no room on the disk for {target}; nothing was changed")
    return NotWritable(
        f"{target} cannot be written: {error.strerror}; give this program the right to, or edit it there"
    )
