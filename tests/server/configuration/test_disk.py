"""A file is replaced as a whole, and stays what it was in every other way."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from llamaswap_py.config.versions import tag_of
from llamaswap_py.errors import NotWritable
from llamaswap_py.server.configuration import disk


def test_a_file_is_read_with_its_tag(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    assert disk.read(path) is None
    path.write_bytes(b"models: {}\r\n")
    content = disk.read(path)
    assert content is not None
    assert (content.raw, content.tag) == (b"models: {}\r\n", tag_of(b"models: {}\r\n"))


def test_its_mode_stays_and_nothing_is_left_behind(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text("old")
    path.chmod(0o640)
    before = path.stat().st_ino
    assert disk.write(path, b"new")
    assert path.read_bytes() == b"new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert path.stat().st_ino != before
    assert list(tmp_path.iterdir()) == [path]


def test_a_new_file_is_its_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    assert disk.write(path, b"new")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_link_stays_one(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    target, link = tmp_path / "elsewhere" / "real.yaml", tmp_path / "config.yaml"
    target.write_text("old")
    link.symlink_to(target)
    assert disk.write(link, b"new")
    assert link.is_symlink()
    assert target.read_bytes() == b"new"


def test_what_cannot_be_replaced_is_overwritten(tmp_path: Path) -> None:
    """As a container's single file, whose name cannot be given to another one."""
    target = tmp_path / "config.yaml"
    target.write_text("a longer text than the new one")
    before = target.stat().st_ino
    disk.overwrite(target, b"new")
    assert (target.read_bytes(), target.stat().st_ino) == (b"new", before)


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="who may do everything is refused nothing")
def test_a_folder_of_others_lets_the_file_be_overwritten_and_no_new_one_be_made(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text("old")
    tmp_path.chmod(0o500)
    try:
        assert disk.write(path, b"new") is False
        assert path.read_bytes() == b"new"
        with pytest.raises(NotWritable, match=r"other\.yaml cannot be written"):
            disk.write(tmp_path / "other.yaml", b"new")
    finally:
        tmp_path.chmod(0o700)


def test_where_there_is_no_folder_nothing_can_be_written(tmp_path: Path) -> None:
    with pytest.raises(NotWritable, match="give this program the right to"):
        disk.write(tmp_path / "nowhere" / "config.yaml", b"new")
    with pytest.raises(NotWritable, match="cannot be read"):
        disk.read(tmp_path)
