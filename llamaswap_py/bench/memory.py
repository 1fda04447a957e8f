"""The most that a tree of processes held, looked at by a thread while something runs."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil

EVERY_SECONDS = 0.1


class Peak:
    """`with Peak(pid) as peak:` and afterwards `peak.most`, None where it could not be seen."""

    def __init__(self, pid: int | None) -> None:
        self.pid = pid
        self.most: int | None = None
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.look_on, name="peak", daemon=True)

    def __enter__(self) -> Self:
        if self.pid is not None:
            self.thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.over.set()
        if self.pid is not None:
            self.thread.join()

    def look_on(self) -> None:
        assert self.pid is not None
        while True:
            held = held_by_tree(self.pid)
            if held:
                self.most = max(self.most or 0, held)
            if self.over.wait(EVERY_SECONDS):
                return


def held_by_tree(pid: int) -> int:
    with contextlib.suppress(psutil.Error):
        process = psutil.Process(pid)
        total = 0
        for each in (process, *process.children(recursive=True)):
            with contextlib.suppress(psutil.Error):
                total += each.memory_info().rss
        return total
    return 0


def forget(files: Iterable[Path]) -> bool:
    """Whether the system has put these out of its memory: what is read next comes from the disk."""
    if sys.platform != "linux":
        return False
    try:
        for file in files:
            descriptor = os.open(file, os.O_RDONLY)
            try:
                os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
            finally:
                os.close(descriptor)
    except OSError:
        return False
    return True
