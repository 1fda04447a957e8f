"""The process table of macOS and the BSDs, by the program `ps`."""

from __future__ import annotations

import os
import time

from llamaswap_py.keeper.process import Process

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable


def now() -> float:
    """The clock that processes' starts are written in."""
    return time.time()


def boot() -> str:
    """Starts are told by the clock on the wall here, so none is taken for one of another boot."""
    return ""


def look(pid: int) -> Process | None:
    return rows("-p", str(pid)).get(pid)


def snapshot() -> dict[int, Process]:
    return rows("-A")


def own_children() -> set[int] | None:
    """Not to be had without the whole table."""
    return None


def family() -> dict[int, Process] | None:
    """Nor this."""
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

    zone = {"TZ": os.environ["TZ"]} if "TZ" in os.environ else {}  # in which `row` reads what it says of starts
    told = subprocess.run(
        ["/bin/ps", *args],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        env={"LC_ALL": "C", "PATH": "/usr/bin:/bin", **zone},
        check=False,  # 1 says that none of the processes asked for lives
    )
    return told.stdout.decode("utf-8", "replace")
