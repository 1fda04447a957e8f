"""Whether a program lies on this machine: what lies elsewhere can keep whoever opens it waiting for ever."""

# ruff: noqa: PTH100, PTH123 (pathlib would double what the keeper imports)

from __future__ import annotations

import os

from llamaswap_py.keeper import cgroups

OWN = {"btrfs", "ext2", "ext3", "ext4", "f2fs", "overlay", "ramfs", "rootfs", "squashfs", "tmpfs", "xfs", "zfs"}
FIRST_LINE = 256  # bytes of it that the kernel reads
FIELDS = 5  # the last of them says where


def lies_here(program: str) -> bool:
    """Of one that ran just now; a script's interpreter with it. Not where nobody knows. Links that lead over another
    machine and back are not looked at."""
    mounts = cgroups.read("/proc/self/mountinfo")
    try:
        if kind_at(os.path.abspath(program), mounts) not in OWN:
            return False
        real = os.path.realpath(program)
        interpreter = interpreter_of(real)
        return all(kind_at(path, mounts) in OWN for path in (real, interpreter, os.path.realpath(interpreter)))
    except (OSError, ValueError):
        return False


def interpreter_of(path: str) -> str:
    """Of a script; a program is its own."""
    with open(path, "rb") as file:
        line = file.read(FIRST_LINE).partition(b"\n")[0]
    words = line[2:].split()
    return os.fsdecode(words[0]) if line.startswith(b"#!") and words else path


def kind_at(path: str, mounts: str) -> str:
    """Of the file system that it lies on; empty where none is told."""
    kind, longest = "", -1
    for line in mounts.split("\n"):
        fields, _, about = line.partition(" - ")
        places = fields.split(" ")[FIELDS - 1 : FIELDS]
        for place in (plain(each).rstrip("/") for each in places):
            if len(place) >= longest and (path == place or path.startswith(place + "/")):
                kind, longest = about.partition(" ")[0], len(place)
    return kind


def plain(place: str) -> str:
    """As the kernel writes it there, four characters stand as numbers."""
    for code in (9, 10, 32, 92):
        place = place.replace(f"\\{code:03o}", chr(code))
    return place
