"""Where groups may be made, and what is written and read there: over a folder that looks like the kernel's.

The kernel's own are tried in tests/whole/faults, where somebody has delegated us a place.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from llamaswap_py.keeper import cgroups

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux has control groups")

MOUNTS = """\
22 1 0:20 / /proc rw shared:5 - proc proc rw
30 22 0:26 / {0} rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate
31 22 0:27 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory
"""


class Fake:
    """A process in the group /a/b, as /proc tells it, and that group's folder."""

    def __init__(self, folder: Path) -> None:
        self.proc = folder / "proc"
        self.root = folder / "cgroup"
        self.own = self.root / "a" / "b"
        self.own.mkdir(parents=True)
        self.proc.mkdir()
        for group in (self.own, self.own.parent):
            (group / "cgroup.procs").touch()
        self.enter("0::/a/b\n")
        (self.proc / "mountinfo").write_text(MOUNTS.format(self.root))

    def enter(self, text: str) -> None:
        (self.proc / "cgroup").write_text(text)

    def delegate(self, group: Path) -> None:
        try:
            os.setxattr(group, "user.delegate", b"1")
        except OSError:
            pytest.skip("this file system keeps no attributes")

    @property
    def place(self) -> str:
        return cgroups.place(str(self.proc))


@pytest.fixture
def fake(tmp_path: Path) -> Fake:
    return Fake(tmp_path)


@pytest.mark.parametrize(
    ("text", "group"),
    [("0::/a/b\n", "/a/b"), ("9:memory:/x\n0::/\n", "/"), ("9:memory:/x\n", ""), ("", "")],
)
def test_our_group_is_the_one_of_the_second_version(text: str, group: str) -> None:
    """Older hierarchies beside it are not looked at."""
    assert cgroups.own_group(text) == group


@pytest.mark.parametrize(
    ("group", "folder"),
    [("/slice/unit/us", "/mnt/us"), ("/slice/unit", "/mnt"), ("/slice/unitary", ""), ("/other", "")],
)
def test_a_group_is_looked_for_where_its_root_is_mounted(group: str, folder: str) -> None:
    """A container sees a part of the tree; what is outside it has no folder."""
    assert cgroups.folder_of(group, "30 22 0:26 /slice/unit /mnt rw - cgroup2 cgroup2 rw\n") == folder


def test_only_a_place_that_was_given_is_ours(fake: Fake) -> None:
    """Rights are not enough for root: whoever manages the machine must have marked it."""
    if os.geteuid() == 0:
        assert fake.place == ""
    fake.delegate(fake.own)
    assert fake.place == str(fake.own)


def test_the_group_above_where_we_were_put_one_below(fake: Fake) -> None:
    """With DelegateSubgroup= the mark is on the unit's own group."""
    fake.delegate(fake.own.parent)
    assert fake.place == str(fake.own if os.geteuid() else fake.own.parent)


@pytest.mark.parametrize("text", ["", "9:memory:/x\n", "0::/\n", "0::/elsewhere\n"])
def test_no_place_without_the_second_version_or_at_its_root(fake: Fake, text: str) -> None:
    """The root group is everybody's, marked or not."""
    fake.delegate(fake.root)
    fake.enter(text)
    assert fake.place == ""


def test_a_group_is_made_entered_killed_read_and_removed(fake: Fake) -> None:
    """One word each, in the files the kernel has for it."""
    place = str(fake.own)
    group = cgroups.make(place, "token-1")
    assert group == f"{place}/llamaswap-token-1"
    assert cgroups.make(place, "token-1") == "", "it is there already: another's"
    assert not cgroups.kill(group), "a kernel before 5.14"
    inner = Path(group, "inner")
    inner.mkdir()
    files = {
        "cgroup.procs": "12\n",
        "cgroup.kill": "",
        "memory.events": "oom 2\noom_kill 0\n",
        "inner/cgroup.procs": "13\n",
    }
    for name, text in files.items():
        Path(group, name).write_text(text)
    assert cgroups.members(group) == {12, 13}
    assert not cgroups.ran_out_of_memory(group)
    Path(group, "memory.events").write_text("oom 2\noom_kill 1\n")
    assert cgroups.ran_out_of_memory(group)
    assert cgroups.kill(group)
    cgroups.enter(group)
    assert Path(group, "cgroup.kill").read_text() == "1"
    assert Path(group, "cgroup.procs").read_text() == "02\n", "ourselves, over what was there"
    assert cgroups.left(place, "token") == [group]
    assert cgroups.left(place, "tok") == []
    cgroups.remove(group)
    assert Path(group).exists(), "not empty: it stays"
    for name in files:
        Path(group, name).unlink()
    cgroups.remove(group)
    assert cgroups.left(place, "token") == []
    assert cgroups.left(f"{place}/none", "token") == []


def test_without_a_place_nothing_is_written_and_nobody_found() -> None:
    """Every question has an answer without groups."""
    assert cgroups.make("", "token-1") == ""
    cgroups.enter("")
    cgroups.remove("")
    assert (cgroups.members(""), cgroups.kill(""), cgroups.ran_out_of_memory("")) == (set(), False, False)
    assert cgroups.left("", "token") == []
    assert not cgroups.count_memory("")
