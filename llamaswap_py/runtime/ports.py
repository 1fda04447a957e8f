"""Which port a run gets, and who else may be sitting on it."""

# ruff: noqa: PTH115, PTH123, PTH208 (thousands of small reads in a millisecond or two: paths as objects cost too much)

from __future__ import annotations

import contextlib
import os
import socket
import sys
from collections.abc import Collection, Container, Iterable

import msgspec

from llamaswap_py.keeper import table, trees
from llamaswap_py.runtime.listeners import listening

# The wildcard of both families, and both loopbacks: the BSDs let a wildcard stand beside a listener on one address.
PLACES = (
    (socket.AF_INET, "0.0.0.0"),
    (socket.AF_INET6, "::"),
    (socket.AF_INET, "127.0.0.1"),
    (socket.AF_INET6, "::1"),
)
TRIES = 100  # the system's own choices; more than a few misses mean that nearly all ports are taken
TICK = 0.02  # starts are known to a hundredth of a second, rounded down


class Listener(msgspec.Struct, frozen=True):
    """Somebody else's process that listens where our run should."""

    pid: int
    name: str

    def __str__(self) -> str:
        return f"{self.name} (process {self.pid})"


def pick(preferred: int | None, taken: Container[int]) -> int:
    """The preferred port where nobody listens on it, else a free one of the system's choice."""
    if preferred is not None and preferred not in taken and free(preferred):
        return preferred
    for _ in range(TRIES):
        port = offered()
        if port not in taken and free(port):
            return port
    raise OSError("no free port was found")


def offered() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as trial:
        trial.bind(("127.0.0.1", 0))
        port: int = trial.getsockname()[1]
        return port


def free(port: int) -> bool:
    """Whether a server could listen there now. Connections of an earlier one that linger in TIME_WAIT do not matter."""
    return 0 < port < 65536 and all(bindable(family, host, port) for family, host in PLACES)


def bindable(family: socket.AddressFamily, host: str, port: int) -> bool:
    try:
        trial = socket.socket(family, socket.SOCK_STREAM)
    except OSError:  # a machine without this family
        return True
    with trial:
        # On Windows the same option would let us share a port that somebody listens on.
        if sys.platform == "win32":
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        else:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            if family == socket.AF_INET6:
                trial.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            trial.bind((host, port))
        except OSError as error:
            return family == socket.AF_INET6 and not is_taken(error)
    return True


def is_taken(error: OSError) -> bool:
    """Taken, or not ours to have; any other trouble means that the address does not exist here."""
    import errno

    return error.errno in (errno.EADDRINUSE, errno.EACCES)


def is_held(port: int, pid: int) -> bool:
    """Whether all that listens there is certainly this process's own."""
    if sys.platform != "linux":
        return False
    sockets = listening(port)
    return bool(sockets) and held(pid, sockets) == sockets


def stranger(port: int, spawned_at: float, ours: Collection[int], mark: str = "") -> Listener | None:
    """Who listens on the port, if that is certainly not our run: visible, outside its tree, and older than it, or of
    another proxy, which may have found the port free in the same moment.

    `spawned_at` is `LocalRun.started`, `mark` begins the marking line of everybody whom this proxy started; `ours` are
    the tree's processes (`keeper.trees.members(run.pid)`).
    """
    if sys.platform == "linux":
        return stranger_by_sockets(port, spawned_at, ours, mark)
    return stranger_by_psutil(port, spawned_at, ours)


def is_older(pid: int, spawned_at: float) -> bool:
    process = table.look(pid)
    return process is not None and process.started < spawned_at - TICK


def is_anothers(pid: int, mark: str) -> bool:
    """Whether it carries a mark, and not ours."""
    return bool(mark and table.marked([pid], f"{trees.MARK}=") and not table.marked([pid], mark))


def stranger_by_sockets(port: int, spawned_at: float, ours: Collection[int], mark: str) -> Listener | None:
    sockets = listening(port)
    for pid in ours:
        sockets -= held(pid, sockets) if sockets else set()
    if not sockets:
        return None
    for pid in others(ours):
        if mine := held(pid, sockets):
            owner = eldest(pid, mine)
            if owner not in ours and (is_older(owner, spawned_at) or is_anothers(owner, mark)):
                return Listener(owner, name_of(owner))
            sockets -= mine
            if not sockets:
                return None
    return None


def eldest(pid: int, sockets: set[str]) -> int:
    """Whoever handed the socket down: a worker may be young and its server old."""
    process = table.look(pid)
    while process is not None and held(process.parent, sockets):
        pid = process.parent
        process = table.look(pid)
    return pid


def others(ours: Container[int]) -> list[int]:
    """The youngest first, as numbers go: a wrapper's server, which is ours, is then found before the whole table."""
    pids = (int(name) for name in os.listdir("/proc") if name.isdigit())
    return sorted((pid for pid in pids if pid not in ours), reverse=True)


def held(pid: int, sockets: Iterable[str]) -> set[str]:
    """Which of the sockets a process has open; none where it is not ours to see."""
    folder = f"/proc/{pid}/fd"
    found: set[str] = set()
    with contextlib.suppress(OSError):
        for name in os.listdir(folder):
            with contextlib.suppress(OSError):  # closed meanwhile
                found.add(os.readlink(f"{folder}/{name}"))
    return found & set(sockets)


def name_of(pid: int) -> str:
    with contextlib.suppress(OSError), open(f"/proc/{pid}/comm", "rb") as file:
        return file.read().decode("utf-8", "replace").strip()
    return "a process"


def stranger_by_psutil(port: int, spawned_at: float, ours: Collection[int]) -> Listener | None:
    import psutil

    for process in psutil.process_iter(["pid", "name", "create_time"]):
        with contextlib.suppress(psutil.Error):  # gone, or another user's
            if process.pid in ours or process.info["create_time"] >= spawned_at - TICK:
                continue
            if any(at.status == psutil.CONN_LISTEN and at.laddr.port == port for at in process.net_connections("tcp")):
                return Listener(process.pid, process.info["name"] or "a process")
    return None
