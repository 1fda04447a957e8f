"""Which processes belong to a run, and signals to them. A stranger is never touched.

A tree is closed under children and under sessions that its members made. What left both (a daemon) stays below the
keeper, because the keeper adopts orphans, and is told apart by what it inherited: the mark in its environment and,
on Linux, the mark in a limit, which survives a cleared environment.
"""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import sys

from llamaswap_py.keeper import cgroups, table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from llamaswap_py.keeper.process import Process

    Table = dict[int, Process]

MARK = "LLAMASWAP_RUN"  # the variable each process of a run is started with: <token>/<run>/
RLIMIT_LOCKS = 10  # of no effect since Linux 2.4: any value does no harm, and stays
RUN_BITS = 16  # of a brand; the bits above name the proxy, and make it nobody else's by chance
if sys.platform == "linux":
    import ctypes

    LIBC: ctypes.CDLL | None = ctypes.CDLL(None)  # once, not in every child
else:
    LIBC = None
PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36


def mark(token: str, run: int | None = None) -> str:
    """How the marking line of one run begins, or of every run of that token. The last slash tells 1 from 12."""
    return f"{MARK}={token}/" if run is None else f"{MARK}={token}/{run}/"


def children(rows: Table) -> dict[int, list[Process]]:
    found: dict[int, list[Process]] = {}
    for row in rows.values():
        found.setdefault(row.parent, []).append(row)
    return found


def below(rows: Table, pid: int) -> Table:
    """Every descendant of a process, itself not among them."""
    families = children(rows)
    found: Table = {}
    ahead = list(families.get(pid, ()))
    while ahead:
        row = ahead.pop()
        if row.pid not in found:
            found[row.pid] = row
            ahead += families.get(row.pid, ())
    return found


def closed(rows: Table, roots: Iterable[int], since: float) -> Table:
    """The roots, their descendants, and all that share a session begun since then with one of those."""
    families = children(rows)
    sessions: dict[int, list[Process]] = {}
    for row in rows.values():
        sessions.setdefault(row.session, []).append(row)
    found: Table = {}
    ahead = [rows[pid] for pid in roots if pid in rows]
    while ahead:
        row = ahead.pop()
        if row.pid in found:
            continue
        found[row.pid] = row
        ahead += families.get(row.pid, ())
        if ours(rows, row.session, since):
            ahead += sessions.pop(row.session, ())
    return found


def ours(rows: Table, session: int, since: float) -> bool:
    """Whether a session was made by the run. Between its fork and its own session a child still stands in ours."""
    if session in (0, os.getsid(0)):
        return False
    leader = rows.get(session)
    return leader is None or leader.started >= since


def members(pid: int, rows: Table | None = None) -> set[int]:
    """The living processes of a run, seen from outside, by its leader; in a table that was seen already, or now."""
    rows = table.snapshot() if rows is None else rows
    leader = rows.get(pid)
    since = leader.started if leader else table.now()
    roots = [pid, *(row.pid for row in rows.values() if row.session == pid)]
    return {row.pid for row in closed(rows, roots, since).values() if row.alive}


def send(process: Process, *numbers: int) -> bool:
    """Signal exactly this process: not another that has its number by now. False: it is gone, or not ours to signal."""
    try:
        return send_held(process.pid, lambda: unchanged(process), *numbers)
    except ProcessLookupError:
        return False
    except OSError:  # a kernel or a sandbox without such handles
        return send_plain(process, *numbers)


def send_held(pid: int, is_meant: Callable[[], bool], *numbers: int) -> bool:
    """Looked at while its number is held, so that it cannot become another's in between. OSError: it cannot be held."""
    if sys.platform != "linux":
        raise OSError(errno.ENOSYS, "nothing holds a process here")
    handle = os.pidfd_open(pid)
    try:
        return is_meant() and all(send_handle(handle, number) for number in numbers)
    finally:
        os.close(handle)


def unchanged(process: Process) -> bool:
    current = table.look(process.pid)
    return current is not None and current.identity == process.identity


def send_plain(process: Process, *numbers: int) -> bool:
    if not unchanged(process):
        return False
    try:
        for number in numbers:
            os.kill(process.pid, number)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def send_handle(handle: int, number: int) -> bool:
    if sys.platform == "linux":
        try:
            signal.pidfd_send_signal(handle, number)
        except (ProcessLookupError, PermissionError):
            return False
    return True


def hold(pid: int, serial: int) -> int:
    """A handle on who carries this number, for somebody who is not its parent: whoever gets the pid later is not meant
    by it. Negative: not certainly him."""
    if sys.platform != "linux":
        return -1
    try:
        handle = os.pidfd_open(pid)
    except OSError:
        return -1
    with contextlib.suppress(OSError):
        if carries(pid, serial):
            return handle
    os.close(handle)
    return -1


def adopt_orphans() -> bool:
    """Become the parent of every orphan below us. Only Linux can."""
    return prctl(PR_SET_CHILD_SUBREAPER, 1)


def die_with_parent() -> None:
    """Between fork and exec. The parent must be single-threaded: the kernel watches the thread that forked."""
    prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def prctl(option: int, value: int) -> bool:
    return LIBC is not None and LIBC.prctl(option, value, 0, 0, 0) == 0


def crest(token: str) -> int:
    """46 bits of a proxy's token: what the numbers of all its runs begin with."""
    import hashlib  # the proxy makes it, and the keeper is told

    return int.from_bytes(hashlib.sha256(token.encode()).digest()[:6], "big") >> 2


def serial(crest: int, run: int) -> int:
    """The number that one run's processes carry: whose they are, and which run it is."""
    return (crest << RUN_BITS) + 1 + (run - 1) % ((1 << RUN_BITS) - 1)  # 0 is no run's


def brand(serial: int) -> None:
    """Write a number into a limit that limits nothing any more: children inherit it and cannot but keep it."""
    if sys.platform == "linux":
        import resource

        hard = resource.getrlimit(RLIMIT_LOCKS)[1]
        if hard == resource.RLIM_INFINITY:
            resource.setrlimit(RLIMIT_LOCKS, (serial, hard))


@contextlib.contextmanager
def branded_ourselves(serial: int) -> Iterator[None]:
    """For a child that is made meanwhile, and cannot do it itself."""
    if sys.platform != "linux":
        yield
        return
    import resource

    before = resource.getrlimit(RLIMIT_LOCKS)
    brand(serial)
    try:
        yield
    finally:
        resource.setrlimit(RLIMIT_LOCKS, before)


def brand_of(pid: int) -> int:
    """The number a process inherited; -1 where it has none, or we may not see it."""
    if sys.platform != "linux":
        return -1
    import resource

    try:
        return resource.prlimit(pid, RLIMIT_LOCKS)[0]
    except (ProcessLookupError, PermissionError):
        return -1


def carries(pid: int, serial: int) -> bool:
    return brand_of(pid) == serial


def branded(pids: Iterable[int], token: str) -> set[int]:
    """Those that inherited a number of any run of that token."""
    proxy = crest(token)
    return {pid for pid in pids if brand_of(pid) >> RUN_BITS == proxy}


def leftovers(rows: Table, token: str) -> Table:
    """Everybody of a dead proxy's runs: who carries either mark, and the trees and sessions that those made."""
    grouped = {pid for group in cgroups.left(cgroups.place(), token) for pid in cgroups.members(group) if pid in rows}
    found = (branded(rows, token) | table.marked(rows, mark(token)) | grouped) - {os.getpid()}
    since = min((rows[pid].started for pid in found), default=0.0)
    young = {pid: row for pid, row in rows.items() if row.started >= since and pid != os.getpid()}
    return closed(young, found, since)
