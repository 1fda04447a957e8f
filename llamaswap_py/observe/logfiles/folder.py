"""The folder of log files, and one file in it: appended to, turned over, kept within what they may take together.

Used by the writing thread only: everything here may block, and raises OSError where the disk does not play along."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import msgspec

from llamaswap_py.config.values import LogFiles
from llamaswap_py.observe.logfiles.names import number_of

# Only its owner may read what models and callers say.
FOLDER_MODE, FILE_MODE = 0o700, 0o600
LOCK = ".llamaswap.lock"

# Never through a link, which somebody else may have put there; never waiting for a reader, should it be a pipe.
OPENING = os.O_RDWR | os.O_APPEND | os.O_CREAT
for option in ("O_NOFOLLOW", "O_NONBLOCK", "O_CLOEXEC", "O_BINARY"):
    OPENING |= getattr(os, option, 0)


class Found(msgspec.Struct, frozen=True):
    """One of our files, as it lies there."""

    path: Path
    number: int  # 0: it is being written
    size: int
    written: int  # ns

    @property
    def age(self) -> tuple[bool, int, int]:
        """The oldest first; those being written last. Within one tick of the system's clock the numbers tell."""
        return self.number == 0, self.written, -self.number


class Folder:
    def __init__(self, rules: LogFiles, clock: Callable[[], float]) -> None:
        self.rules = rules
        self.clock = clock
        self.path = Path(rules.directory).expanduser()
        self.used = 0  # bytes, of all our files there
        self.lock = -1
        # No single file may break the limit of all.
        self.largest = min(filter(None, (rules.max_size, rules.total)), default=sys.maxsize)

    def ensure(self) -> None:
        """It is there and nobody else's: two programs would turn each other's files over."""
        if self.lock >= 0 and os.fstat(self.lock).st_nlink:
            return
        self.close()
        self.path.mkdir(FOLDER_MODE, parents=True, exist_ok=True)
        self.lock = opened(self.path / LOCK)
        if sys.platform != "win32":
            import fcntl

            try:
                fcntl.flock(self.lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                self.close()
                raise OSError(error.errno, "another program writes its logs there") from error
        self.count()

    def files(self) -> Iterator[Found]:
        with os.scandir(self.path) as entries:
            for entry in entries:
                number = number_of(entry.name)
                if number is not None and entry.is_file(follow_symlinks=False):
                    told = entry.stat(follow_symlinks=False)
                    yield Found(self.path / entry.name, number, told.st_size, told.st_mtime_ns)

    def count(self) -> list[Found]:
        found = sorted(self.files(), key=lambda each: each.age)
        self.used = sum(each.size for each in found)
        return found

    def has_room(self, size: int) -> bool:
        return not self.rules.total or self.used + size <= self.rules.total

    def make_room(self, size: int) -> None:
        """The oldest go. Even files being written, if there is nothing else."""
        for each in self.count():
            if self.has_room(size):
                return
            each.path.unlink()
            self.used -= each.size

    @property
    def period(self) -> int:
        """Files are turned over where one ends, so that none holds lines of a longer time, whenever we were started."""
        return self.period_of(self.clock())

    def period_of(self, when: float) -> int:
        return int(when // self.rules.max_age) if self.rules.max_age else 0

    def close(self) -> None:
        if self.lock >= 0:
            os.close(self.lock)
            self.lock = -1


class LogFile:
    def __init__(self, folder: Folder, name: str) -> None:
        self.folder = folder
        self.path = folder.path / name
        self.descriptor = -1
        self.size = 0
        self.period = 0  # of its lines

    def put(self, lines: bytes) -> int:
        """How much of it, in whole lines, was written; less than all where the next file is due."""
        self.make_ready()
        room = self.folder.largest - self.size
        if len(lines) > room:
            end = lines.rfind(b"\n", 0, max(room, 0)) + 1
            if not end:
                self.turn()
                return 0
            lines = lines[:end]
        if not self.folder.has_room(len(lines)):
            self.folder.make_room(len(lines))
            return 0  # this very file may be gone
        return self.append(lines)

    def make_ready(self) -> None:
        if self.descriptor >= 0:
            known = os.fstat(self.descriptor)
            if known.st_nlink and self.folder.lock >= 0:
                self.size = known.st_size  # who copies a log away may cut it to nothing
            else:
                self.close()
        if self.descriptor < 0:
            self.open()
        if self.size and self.period != self.folder.period:
            self.turn()
            self.open()
        self.period = self.folder.period

    def open(self) -> None:
        self.folder.ensure()
        self.descriptor = opened(self.path)
        known = os.fstat(self.descriptor)
        self.size, self.period = known.st_size, self.folder.period_of(known.st_mtime)
        if self.size:
            os.lseek(self.descriptor, -1, os.SEEK_END)
            if os.read(self.descriptor, 1) != b"\n":  # of a program that was killed while it wrote
                self.append(b"\n")

    def append(self, lines: bytes) -> int:
        """All; on a disk that is full whole lines only, and none is no number but the error."""
        done, left = 0, memoryview(lines)
        try:
            while left:
                written = os.write(self.descriptor, left)
                done, left = done + written, left[written:]
        except OSError:
            whole = lines.rfind(b"\n", 0, done) + 1
            os.ftruncate(self.descriptor, self.size + whole)
            if not whole:
                raise
            done = whole
        self.size += done
        self.folder.used += done
        return done

    def turn(self) -> None:
        """It becomes number 1, and each before it one more. From the first gap on, so that nothing is overwritten."""
        self.close()
        free = 1
        while os.path.lexists(self.turned(free)):
            free += 1
        for number in range(free, 0, -1):
            self.turned(number - 1).rename(self.turned(number))
        for number in range(self.folder.rules.keep + 1, free + 1):
            self.turned(number).unlink()
        self.folder.count()

    def turned(self, number: int) -> Path:
        return self.path.with_name(f"{self.path.name}.{number}") if number else self.path

    def close(self) -> None:
        if self.descriptor >= 0:
            descriptor, self.descriptor = self.descriptor, -1
            with suppress(OSError):  # the next write tells
                os.close(descriptor)


def opened(path: Path) -> int:
    descriptor = os.open(path, OPENING, FILE_MODE)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(0, f"{path} is no ordinary file")
    return descriptor
