"""Who lives and what they hold, by /proc: processes with the soak's mark, servers of a model, descriptors, memory."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

from tests.whole.program import Program
from tests.whole.soak.scene import MARK

STRAYS = (b"sleep\x00600",)  # with nothing in their environment


@dataclass(frozen=True)
class Figures:
    """What one process holds."""

    descriptors: int
    threads: int
    memory: int

    def __str__(self) -> str:
        return f"{self.memory / 2**20:.1f} MiB, {self.descriptors} descriptors, {self.threads} threads"


def figures(pid: int) -> Figures:
    process = psutil.Process(pid)
    with process.oneshot():
        return Figures(process.num_fds(), process.num_threads(), process.memory_info().rss)


def marked(tag: str) -> list[psutil.Process]:
    """Everybody whose environment has the mark."""
    wanted = f"{MARK}={tag}".encode()
    return [process for process in psutil.process_iter() if wanted in read(process.pid, "environ").split(b"\0")]


def below(program: Program) -> list[psutil.Process]:
    """Everybody who descends from the program: its keeper, servers, and what they started."""
    with contextlib.suppress(psutil.NoSuchProcess):
        return list(psutil.Process(program.process.pid).children(recursive=True))
    return []


def strays(among: list[psutil.Process]) -> Iterator[psutil.Process]:
    """What a server left running in a session of its own."""
    for process in among:
        words = read(process.pid, "cmdline")
        if words.startswith(STRAYS) or b"signal.pause()" in words:
            yield process


def keeper(program: Program) -> int | None:
    with contextlib.suppress(psutil.NoSuchProcess):
        for process in psutil.Process(program.process.pid).children():
            if b"llamaswap-keeper" in read(process.pid, "cmdline"):
                return int(process.pid)
    return None


def zombies(program: Program) -> set[int]:
    """Of those that the program or its keeper ought to have reaped; a server's own dead are its own business."""
    ours = {program.process.pid, keeper(program)}
    found = set()
    for process in below(program):
        with contextlib.suppress(psutil.NoSuchProcess):
            if process.ppid() in ours and process.status() == psutil.STATUS_ZOMBIE:
                found.add(process.pid)
    return found


def read(pid: int, what: str) -> bytes:
    try:
        return Path(f"/proc/{pid}/{what}").read_bytes()
    except OSError:
        return b""
