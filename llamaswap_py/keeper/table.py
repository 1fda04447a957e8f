"""The process table as the kernel shows it: who lives, whose child, in which session, since when. Nothing here decides.

A process is known by its number and its start together: numbers are used again.
"""

# ruff: noqa: PTH123, PTH208 (pathlib would double what the keeper imports; a look at the table is many small reads)

from __future__ import annotations

import os
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable


class Process:
    """One row of the table."""

    __slots__ = ("alive", "parent", "pid", "session", "started")

    def __init__(self, pid: int, parent: int, session: int, started: float, alive: bool) -> None:
        self.pid = pid
        self.parent = parent
        self.session = session
        self.started = started  # seconds on the clock of `now`; exact enough to tell two lives of one number apart
        self.alive = alive  # not waiting to be reaped

    @property
    def identity(self) -> tuple[int, float]:
        return self.pid, self.started


if sys.platform == "linux":
    TICKS = os.sysconf("SC_CLK_TCK")

    def now() -> float:
        """The clock that processes' starts are written in."""
        return time.clock_gettime(time.CLOCK_BOOTTIME)

    def look(pid: int) -> Process | None:
        try:
            with open(f"/proc/{pid}/stat", "rb") as file:
                text = file.read()
        except OSError:  # gone, or hidden from us
            return None
        # The name stands in brackets and may hold anything, brackets too: the fields begin behind the last one.
        fields = text[text.rindex(b")") + 2 :].split()
        # A main thread that ended leaves a "zombie" row while its other threads live on.
        alive = fields[0] not in (b"Z", b"X") or int(fields[17]) > 1
        return Process(pid, int(fields[1]), int(fields[3]), int(fields[19]) / TICKS, alive)

    def snapshot() -> dict[int, Process]:
        rows = (look(int(name)) for name in os.listdir("/proc") if name.isdigit())
        return {row.pid: row for row in rows if row is not None}

    def own_children() -> set[int] | None:
        """Ours, where the kernel lists them: one read, however many processes the machine has."""
        try:
            with open(f"/proc/self/task/{os.getpid()}/children", "rb") as file:
                return {int(pid) for pid in file.read().split()}
        except OSError:  # a kernel built without it
            return None

    def marked(pids: Iterable[int], mark: str) -> set[int]:
        """Those that were started with an environment in which a line begins with the mark."""
        wanted = b"\0" + os.fsencode(mark)
        return {pid for pid in pids if wanted in b"\0" + environment(pid)}

    def environment(pid: int) -> bytes:
        try:
            with open(f"/proc/{pid}/environ", "rb") as file:
                return file.read()
        except OSError:  # gone, or another user's
            return b""

else:  # macOS and the BSDs: by `ps`

    def now() -> float:
        """The clock that processes' starts are written in."""
        return time.time()

    def look(pid: int) -> Process | None:
        return rows("-p", str(pid)).get(pid)

    def snapshot() -> dict[int, Process]:
        return rows("-A")

    def own_children() -> set[int] | None:
        return None

    def rows(*which: str) -> dict[int, Process]:
        lines = ps(*which, "-o", "pid=,ppid=,state=,lstart=").splitlines()
        found = (row(line.split(None, 3)) for line in lines)
        return {process.pid: process for process in found}

    def row(fields: list[str]) -> Process:
        pid = int(fields[0])
        started = time.mktime(time.strptime(" ".join(fields[3].split())))
        return Process(pid, int(fields[1]), session(pid), started, not fields[2].startswith("Z"))

    def session(pid: int) -> int:
        try:
            return os.getsid(pid)
        except OSError:  # gone meanwhile, or another user's
            return 0

    def marked(pids: Iterable[int], mark: str) -> set[int]:
        """Those that were started with an environment in which a line begins with the mark."""
        wanted = ",".join(str(pid) for pid in pids)
        if not wanted:
            return set()
        lines = ps("-E", "-ww", "-p", wanted, "-o", "pid=,command=").splitlines()
        return {int(line.split(None, 1)[0]) for line in lines if f" {mark}" in line}

    def ps(*args: str) -> str:
        import subprocess

        told = subprocess.run(
            ["/bin/ps", *args],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            env={"LC_ALL": "C", "PATH": "/usr/bin:/bin"},
            check=False,  # 1 says that none of the processes asked for lives
        )
        return told.stdout.decode("utf-8", "replace")
