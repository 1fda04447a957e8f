"""One file and its folder: appended to, turned over, kept small, and never anybody else's."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from msgspec.structs import replace

from llamaswap_py.config.values import LogFiles
from llamaswap_py.observe.logfiles.folder import LOCK, Folder, LogFile

LINE = b"0123456789abcde\n"
RULES = LogFiles(max_size=4 * len(LINE), keep=3)


class Clock:
    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@contextmanager
def opened(path: Path, rules: LogFiles = RULES, clock: Clock | None = None) -> Iterator[LogFile]:
    folder = Folder(replace(rules, directory=str(path)), clock or Clock())
    file = LogFile(folder, "llamaswap.log")
    try:
        yield file
    finally:
        file.close()
        folder.close()


def put(file: LogFile, data: bytes) -> None:
    while data:
        data = data[file.put(data) :]


def lines(path: Path, name: str = "llamaswap.log") -> list[bytes]:
    """Of all its files, the oldest first."""
    numbers = sorted((int(each.suffix[1:]) for each in path.glob(f"{name}.*")), reverse=True)
    files = [*(path / f"{name}.{number}" for number in numbers), path / name]
    return b"".join(each.read_bytes() for each in files if each.exists()).splitlines()


def numbered(count: int) -> list[bytes]:
    return [b"line %05d....." % number for number in range(count)]


def test_it_is_for_its_owner_only(tmp_path: Path) -> None:
    with opened(tmp_path / "a" / "logs") as file:
        put(file, LINE)
    assert stat.S_IMODE((tmp_path / "a" / "logs").stat().st_mode) == 0o700
    assert stat.S_IMODE((tmp_path / "a" / "logs" / "llamaswap.log").stat().st_mode) == 0o600


def test_the_next_file_is_begun_before_one_is_too_large(tmp_path: Path) -> None:
    said = numbered(15)
    with opened(tmp_path) as file:
        put(file, b"".join(line + b"\n" for line in said))
    sizes = [each.stat().st_size for each in tmp_path.glob("llamaswap.log*")]
    assert sorted(sizes) == [3 * len(LINE), *[4 * len(LINE)] * 3]
    assert lines(tmp_path) == said


def test_of_more_files_than_are_kept_the_oldest_go(tmp_path: Path) -> None:
    said = numbered(40)
    with opened(tmp_path) as file:
        for line in said:
            put(file, line + b"\n")
    assert lines(tmp_path) == said[-16:]
    with opened(tmp_path, replace(RULES, keep=0)) as file:
        put(file, LINE)
    assert [each.name for each in tmp_path.iterdir() if each.name != LOCK] == ["llamaswap.log"]


def test_what_an_earlier_start_wrote_is_gone_on_with(tmp_path: Path) -> None:
    """A line that it was killed in gets its end first."""
    (tmp_path / "llamaswap.log").write_bytes(b"half a li")
    with opened(tmp_path) as file:
        put(file, LINE)
    assert lines(tmp_path) == [b"half a li", LINE[:-1]]


def test_no_file_holds_lines_of_two_days(tmp_path: Path) -> None:
    """Whether it was open over midnight or written by an earlier start."""
    clock, rules = Clock(), replace(RULES, max_age=86400.0)
    with opened(tmp_path, rules, clock) as file:
        put(file, LINE)
        clock.now += 86400
        put(file, LINE)
        assert file.size == len(LINE)
    os.utime(tmp_path / "llamaswap.log", (clock.now, clock.now))
    clock.now += 86400
    with opened(tmp_path, rules, clock) as file:
        put(file, LINE)
    assert sorted(each.name for each in tmp_path.glob("*.log*")) == [
        "llamaswap.log",
        "llamaswap.log.1",
        "llamaswap.log.2",
    ]


def test_all_files_together_keep_to_their_limit(tmp_path: Path) -> None:
    """The oldest go, whoever's they are; what is not ours is neither counted nor touched."""
    (tmp_path / "nginx.log.1").write_bytes(b"x" * 1000)
    for age, name in enumerate(("llamaswap-b.log.1", "llamaswap-b.log", "llamaswap-a.log.2")):
        (tmp_path / name).write_bytes(LINE * 4)
        os.utime(tmp_path / name, (1000 - age, 1000 - age))
    with opened(tmp_path, replace(RULES, total=12 * len(LINE))) as file:
        put(file, LINE * 3)
        there = {each.name for each in tmp_path.glob("llamaswap*")}
        assert there == {"llamaswap-b.log.1", "llamaswap-b.log", "llamaswap.log"}
        put(file, LINE * 30)
        assert sum(each.stat().st_size for each in tmp_path.glob("llamaswap*")) <= 12 * len(LINE)
    assert (tmp_path / "nginx.log.1").stat().st_size == 1000


def test_a_file_that_is_the_whole_limit_makes_room_for_itself(tmp_path: Path) -> None:
    said = numbered(50)
    with opened(tmp_path, LogFiles(max_size=0, total=10 * len(LINE))) as file:
        for line in said:
            put(file, line + b"\n")
            assert sum(each.stat().st_size for each in tmp_path.glob("llamaswap*")) <= 10 * len(LINE)
    found = lines(tmp_path)
    assert found
    assert found == said[-len(found) :]


def test_files_that_are_taken_away_are_made_again(tmp_path: Path) -> None:
    place = tmp_path / "logs"
    with opened(place) as file:
        put(file, LINE)
        (place / "llamaswap.log").unlink()
        put(file, LINE)
        assert lines(place) == [LINE[:-1]]
        for each in place.iterdir():
            each.unlink()
        place.rmdir()
        put(file, LINE)
        assert lines(place) == [LINE[:-1]]


def test_a_file_that_was_cut_to_nothing_counts_from_there(tmp_path: Path) -> None:
    """As `copytruncate` does it."""
    with opened(tmp_path) as file:
        put(file, LINE * 4)
        os.truncate(tmp_path / "llamaswap.log", 0)
        put(file, LINE * 4)
    assert [each.name for each in tmp_path.glob("*.log*")] == ["llamaswap.log"]


def test_two_programs_do_not_share_a_folder(tmp_path: Path) -> None:
    with opened(tmp_path) as file, opened(tmp_path) as other:
        put(file, LINE)
        with pytest.raises(OSError, match="another program"):
            other.put(LINE)
    with opened(tmp_path) as other:
        put(other, LINE)


@pytest.mark.skipif(sys.platform == "win32", reason="pipes of other systems")
def test_a_pipe_in_its_place_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "llamaswap.log")
    with opened(tmp_path) as file, pytest.raises(OSError, match="no ordinary file"):
        file.put(LINE)


@pytest.mark.skipif(sys.platform == "win32", reason="links of other systems")
def test_a_link_in_its_place_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "precious").write_bytes(b"precious")
    (tmp_path / "llamaswap.log").symlink_to(tmp_path / "precious")
    with opened(tmp_path) as file, pytest.raises(OSError, match="symbolic"):
        file.put(LINE)
    assert (tmp_path / "precious").read_bytes() == b"precious"


def test_nothing_is_overwritten_where_numbers_are_missing(tmp_path: Path) -> None:
    (tmp_path / "llamaswap.log").write_bytes(LINE * 4)
    (tmp_path / "llamaswap.log.2").write_bytes(b"two\n")
    with opened(tmp_path) as file:
        put(file, LINE)
    assert (tmp_path / "llamaswap.log.2").read_bytes() == b"two\n"
    assert (tmp_path / "llamaswap.log.1").read_bytes() == LINE * 4
