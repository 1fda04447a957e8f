"""A control group for each run, where this machine's manager has given us a place for them (systemd: `Delegate=yes`).

Nothing is ever written anywhere else, whatever our rights: without such a place there are no groups, and trees are
found by what they inherit.
"""

# ruff: noqa: PTH102, PTH106, PTH116, PTH120, PTH123, PTH208 (pathlib would double what the keeper imports)

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

PREFIX = "llamaswap-"  # of our groups' names: <prefix><token>-<run>
SAYS_DELEGATED = ("user.delegate", "trusted.delegate")  # what systemd marks a delegated group with


def own_group(text: str) -> str:
    """From /proc/self/cgroup; empty where this machine has no second version of control groups."""
    return next((line[3:] for line in text.splitlines() if line.startswith("0::")), "")


def folder_of(group: str, mounts: str) -> str:
    """Where a group is seen, from /proc/self/mountinfo; empty where it is not."""
    for line in mounts.splitlines():
        fields, _, kind = line.partition(" - ")
        root, at = fields.split()[3:5]
        inside = group == root or group.startswith(root.rstrip("/") + "/")
        if kind.startswith("cgroup2 ") and inside:
            return (at + group[len(root.rstrip("/")) :]).rstrip("/")
    return ""


def delegated(folder: str) -> bool:
    """Marked so by whoever manages the machine. For others than root, owning it says as much."""
    if sys.platform != "linux":
        return False
    for name in SAYS_DELEGATED:
        try:
            if os.getxattr(folder, name) == b"1":
                return True
        except OSError:  # no such mark, or not ours to read
            continue
    try:
        return os.geteuid() != 0 and os.stat(folder).st_uid == os.geteuid()
    except OSError:
        return False


def place(proc: str = "/proc/self") -> str:
    """The folder that was given to us: our own group's, or with `DelegateSubgroup=` the one above. Empty: none was."""
    group = own_group(read(f"{proc}/cgroup"))
    folder = folder_of(group, read(f"{proc}/mountinfo")) if group else ""
    for found in (folder, os.path.dirname(folder)) if group.strip("/") else ():
        if delegated(found) and os.access(f"{found}/cgroup.procs", os.W_OK):
            return found
    return ""


def read(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            return file.read()
    except OSError:
        return ""


def write(path: str, text: str) -> bool:
    try:
        descriptor = os.open(path, os.O_WRONLY)
    except OSError:
        return False
    try:
        return os.write(descriptor, text.encode()) > 0
    except OSError:
        return False
    finally:
        os.close(descriptor)


def count_memory(place: str) -> bool:
    """Let the groups say when memory ran out. It cannot be had while we ourselves stand in the place."""
    return write(f"{place}/cgroup.subtree_control", "+memory")


def make(place: str, name: str) -> str:
    """A new group's folder; empty where there is no place, or no room in it."""
    folder = f"{place}/{PREFIX}{name}"
    try:
        if place:
            os.mkdir(folder)
            return folder
    except OSError:
        return ""
    return ""


def enter(folder: str) -> None:
    """Between fork and exec. Where it fails, the other marks must do."""
    if folder:
        write(f"{folder}/cgroup.procs", "0")


def below(folder: str) -> Iterator[str]:
    """The group and all that were made in it, the innermost first."""
    for at, _, _ in os.walk(folder, topdown=False):
        yield at


def members(folder: str) -> set[int]:
    if not folder:
        return set()
    return {int(pid) for at in below(folder) for pid in read(f"{at}/cgroup.procs").split()}


def kill(folder: str) -> bool:
    """All of it at once, whoever is being forked just now included. The kernel does it since 5.14."""
    return bool(folder) and write(f"{folder}/cgroup.kill", "1")


def ran_out_of_memory(folder: str) -> bool:
    """Whether the kernel has killed somebody in it for want of memory."""
    rows = (line.split() for line in read(f"{folder}/memory.events").splitlines()) if folder else ()
    return any(row[0] == "oom_kill" and int(row[1]) > 0 for row in rows)


def remove(folder: str) -> None:
    """Once it is empty; a group that is not stays."""
    for at in below(folder) if folder else ():
        try:
            os.rmdir(at)
        except OSError:
            return


def left(place: str, token: str) -> list[str]:
    """The groups of a dead proxy's runs."""
    wanted = f"{PREFIX}{token}-"
    try:
        names = os.listdir(place) if place else []
    except OSError:
        return []
    return [f"{place}/{name}" for name in names if name.startswith(wanted)]
