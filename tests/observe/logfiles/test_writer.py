"""What is said and what stands in the files: everything, whole, or a word of what is missing."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from llamaswap_py.config.values import LogFiles
from llamaswap_py.observe.logfiles import writer as module
from llamaswap_py.observe.logfiles.writer import Writer

LONG = 30.0


class Told:
    """What the thread says."""

    def __init__(self) -> None:
        self.words: queue.Queue[str] = queue.Queue()

    def next(self) -> str:
        return self.words.get(timeout=LONG)


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
def writer(tmp_path: Path, told: Told) -> Iterator[Writer]:
    made = Writer(LogFiles(str(tmp_path / "logs")), told.words.put)
    yield made
    made.close()


def read(tmp_path: Path, name: str) -> list[bytes]:
    return (tmp_path / "logs" / name).read_bytes().splitlines()


def test_everybody_has_a_file_of_his_own(writer: Writer, tmp_path: Path) -> None:
    writer.write("", b"[INFO] here\n")
    writer.write("a/b", b"o")
    writer.write("c", b"1\n")
    writer.write("a/b", b"ne\ntwo")
    writer.close()
    assert read(tmp_path, "llamaswap.log") == [b"[INFO] here"]
    assert read(tmp_path, "llamaswap-a%2Fb.log") == [b"one", b"two"]
    assert read(tmp_path, "llamaswap-c.log") == [b"1"]


def test_names_that_differ_in_capitals_only_are_told_apart_everywhere(writer: Writer, tmp_path: Path) -> None:
    writer.write("a", b"small\n")
    writer.write("A", b"capital\n")
    writer.close()
    names = [each.name for each in (tmp_path / "logs").glob("*.log")]
    assert len({name.lower() for name in names}) == 2


def test_a_server_that_ended_within_a_line_shares_none_with_the_next(writer: Writer, tmp_path: Path) -> None:
    for word in (b"first", b"second"):
        writer.write("a", word)
        writer.over("a")
    writer.over("a")
    writer.over("nobody")
    writer.close()
    assert read(tmp_path, "llamaswap-a.log") == [b"first", b"second"]


def test_many_say_much_at_once_and_all_of_it_is_there(tmp_path: Path, told: Told) -> None:
    """Turned over hundreds of times, in pieces that end anywhere."""
    writer = Writer(LogFiles(str(tmp_path / "logs"), max_size=64 * 1024, keep=1000), told.words.put)
    texts = {name: b"".join(b"%s %06d\n" % (name.encode(), number) for number in range(50_000)) for name in "abc"}
    for begin in range(0, max(map(len, texts.values())), 5000):
        for name, text in texts.items():
            writer.write(name, text[begin : begin + 5000])
    writer.close()
    for name, text in texts.items():
        files = sorted((tmp_path / "logs").glob(f"llamaswap-{name}.log.*"), key=lambda each: -int(each.suffix[1:]))
        assert len(files) >= 6
        assert b"".join(each.read_bytes() for each in [*files, tmp_path / "logs" / f"llamaswap-{name}.log"]) == text


def test_without_a_disk_it_is_kept_for_a_while_and_written_later(writer: Writer, tmp_path: Path, told: Told) -> None:
    (tmp_path / "logs").write_bytes(b"no folder")
    writer.write("", b"1\n")
    assert "cannot be written" in told.next()
    writer.write("", b"2\n")
    (tmp_path / "logs").unlink()
    assert told.next().endswith("again; 0 lines are missing there by now")
    writer.close()
    assert read(tmp_path, "llamaswap.log") == [b"1", b"2"]


def test_what_does_not_fit_is_lost_in_one_place_and_that_is_said_there(
    writer: Writer, tmp_path: Path, told: Told
) -> None:
    """Whole lines before it, whole lines behind it, and how many are missing between them."""
    (tmp_path / "logs").write_bytes(b"no folder")
    line, count = b"x" * 1023 + b"\n", module.BACKLOG // 1024 + 5000
    writer.write("a", b"first\n")
    told.next()
    for _ in range(count):
        writer.write("a", line)
    writer.write("b", b"of another\n")
    writer.write("a", b"half a")
    (tmp_path / "logs").unlink()
    assert told.next().startswith("logs are written")
    until(lambda: writer.scribe.taken == writer.put)
    writer.write("a", b" line\nlast\n")
    writer.close()
    said = read(tmp_path, "llamaswap-a.log")
    kept = said.count(line[:-1])
    assert 0 < kept < count
    (mark,) = (each for each in said if "—".encode() in each)
    assert mark == f"— {count - kept + 1} lines lost: the disk did not keep up —".encode()
    assert said == [b"first", *[line[:-1]] * kept, mark, b"last"]
    assert read(tmp_path, "llamaswap-b.log") == [b"of another"]


def test_files_moved_away_are_left_when_that_is_said(writer: Writer, tmp_path: Path, told: Told) -> None:
    writer.write("a", b"1\n")
    writer.over("a")
    writer.write("", b"1\n")
    until(lambda: writer.scribe.taken == writer.put)
    for name in ("llamaswap.log", "llamaswap-a.log"):
        (tmp_path / "logs" / name).rename(tmp_path / "logs" / f"moved-{name}")
    writer.reopen()
    writer.write("", b"2\n")
    writer.write("a", b"2\n")
    writer.close()
    for name in ("llamaswap.log", "llamaswap-a.log"):
        assert (read(tmp_path, f"moved-{name}"), read(tmp_path, name)) == ([b"1"], [b"2"])


def until(true: object) -> None:
    assert callable(true)
    moment = threading.Event()
    for _ in range(int(LONG * 100)):
        if true():
            return
        moment.wait(0.01)
    raise AssertionError("it never came to be")


def test_another_folder_is_used_from_then_on_and_none_where_none_is_named(
    writer: Writer, tmp_path: Path, told: Told
) -> None:
    writer.write("a", b"1\n")
    until(lambda: writer.scribe.taken == writer.put)
    writer.adopt(LogFiles(str(tmp_path / "other")))
    writer.write("a", b"2\nhalf")
    until(lambda: writer.scribe.taken == writer.put)
    writer.adopt(LogFiles())
    writer.write("a", b"3\n")
    writer.over("a")
    until(lambda: not writer.scribe.folder.rules.directory)
    writer.adopt(LogFiles(str(tmp_path / "logs")))
    writer.write("a", b"4\n")
    writer.close()
    assert read(tmp_path, "llamaswap-a.log") == [b"1", b"4"]
    assert (tmp_path / "other" / "llamaswap-a.log").read_bytes() == b"2\nhalf\n"


def test_what_waits_for_a_broken_disk_is_given_up_with_it(writer: Writer, tmp_path: Path, told: Told) -> None:
    (tmp_path / "logs").write_bytes(b"no folder")
    writer.write("a", b"1\n")
    told.next()
    writer.adopt(LogFiles())
    until(lambda: not writer.scribe.folder.rules.directory)
    writer.adopt(LogFiles(str(tmp_path / "other")))
    writer.write("a", b"2\n")
    writer.close()
    assert (tmp_path / "other" / "llamaswap-a.log").read_bytes() == b"2\n"
    assert writer.scribe.taken == writer.put


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_an_end_does_not_wait_for_a_disk_that_takes_nothing(tmp_path: Path, told: Told) -> None:
    (tmp_path / "logs").write_bytes(b"no folder")
    writer = Writer(LogFiles(str(tmp_path / "logs")), told.words.put)
    writer.write("a", b"1\n")
    writer.close()
    assert writer.thread is not None
    assert not writer.thread.is_alive()
