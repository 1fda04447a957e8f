"""On which file system a path lies, as the kernel tells of its mounts."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from llamaswap_py.keeper import disks

MOUNTS = (
    r"""
22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
23 22 0:20 / /proc rw - proc proc rw
30 22 0:40 / /srv rw,relatime - nfs4 server:/srv rw
31 30 8:2 / /srv/own\040disk rw,relatime shared:7 master:2 - xfs /dev/sdb1 rw
32 22 0:41 / /a\134b rw - fuse.sshfs host: rw
33 22 8:3 / /opt rw - nfs server:/opt rw
34 22 8:3 / /opt rw - btrfs /dev/sdc1 rw
""".lstrip()
    + "35 22 0:42 / /odd\x0cname rw - cifs //host/odd rw\n"
)


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/usr/bin/llama-server", "ext4"),
        ("/proc/self/exe", "proc"),
        ("/srv/bin/llama-server", "nfs4"),
        ("/srv/own disk/llama-server", "xfs"),
        ("/srv/own disks/llama-server", "nfs4"),
        ("/srvant", "ext4"),
        ("/a\\b/run", "fuse.sshfs"),
        ("/opt/run", "btrfs"),  # mounted over the other one
        ("/odd\x0cname/run", "cifs"),
    ],
)
def test_the_innermost_mount_counts_and_of_two_the_later_one(path: str, kind: str) -> None:
    assert disks.kind_at(path, MOUNTS) == kind


def test_where_nobody_tells_nothing_lies_here() -> None:
    assert disks.kind_at("/usr/bin/llama-server", "") == ""


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel tells of its mounts on Linux only")
def test_this_machine() -> None:
    assert disks.lies_here(sys.executable)
    assert not disks.lies_here("/proc/self/status")


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel tells of its mounts on Linux only")
def test_a_script_lies_where_its_interpreter_does_too(tmp_path: Path) -> None:
    script = tmp_path / "script"
    for first, here in ((f"#! {sys.executable} -I", True), ("#!/proc/self/exe", False), ("#!", True), ("", True)):
        script.write_text(first + "\n")
        assert disks.lies_here(str(script)) is here


def test_what_is_not_there_does_not_lie_here(tmp_path: Path) -> None:
    assert not disks.lies_here(str(tmp_path / "none"))
    assert not disks.lies_here("a\0b")
