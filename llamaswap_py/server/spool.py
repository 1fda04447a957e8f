"""What has come of a body that cannot be sent on yet: a little in memory, the rest in a file without a name."""

from __future__ import annotations

import asyncio
import errno
import tempfile
import threading
from collections.abc import Callable
from typing import IO

from llamaswap_py.errors import StorageFull

MEMORY = 1024 * 1024  # the names in a form stand before its files more often than not
PIECE = 256 * 1024  # read back in pieces that a socket takes at once

FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG} if hasattr(errno, "EDQUOT") else {errno.ENOSPC})


def unnamed_file() -> IO[bytes]:
    """Gone with its last descriptor, whatever becomes of us."""
    return tempfile.TemporaryFile(prefix="llamaswap-", buffering=0)


class Spool:
    """Written, then read, once. The file is touched by threads only."""

    def __init__(self, make: Callable[[], IO[bytes]] = unnamed_file, memory: int = MEMORY) -> None:
        self.size = 0
        self._make = make
        self._memory = memory
        self._file: IO[bytes] | None = None
        self._stored = 0
        self._read = 0
        self._tail: list[bytes] = []
        self._closed = False
        self._lock = threading.Lock()  # a thread may still write when the caller is gone and the file is closed

    async def write(self, data: bytes) -> None:
        self._tail.append(data)
        self.size += len(data)
        if self.size - self._stored > self._memory:
            await asyncio.to_thread(self._store, b"".join(self._tail))
            self._tail.clear()
            self._stored = self.size

    async def read(self) -> bytes:
        """The next piece from its beginning on; empty at its end."""
        if self._read < self._stored:
            size = min(PIECE, self._stored - self._read)
            piece = await asyncio.to_thread(self._load, self._read, size)
        else:
            piece, self._tail = b"".join(self._tail), []
        self._read += len(piece)
        return piece

    def close(self) -> None:
        with self._lock:
            self._closed = True
            if self._file is not None:
                self._file.close()
        self._tail.clear()

    def _store(self, data: bytes) -> None:
        with self._lock:
            try:
                self._append(memoryview(data))
            except OSError as error:
                if error.errno not in FULL:
                    raise
                raise StorageFull(
                    "the disk is full: what comes before the model's name in this upload cannot be kept; free some"
                    " room in the folder for temporary files, or send the model's name first"
                ) from error

    def _append(self, data: memoryview) -> None:
        if self._closed:
            return
        if self._file is None:
            self._file = self._make()
        while data:
            data = data[self._file.write(data) :]

    def _load(self, at: int, size: int) -> bytes:
        with self._lock:
            if self._closed or self._file is None:
                return b""
            self._file.seek(at)
            data = b""
            while len(data) < size and (piece := self._file.read(size - len(data))):
                data += piece
            return data
