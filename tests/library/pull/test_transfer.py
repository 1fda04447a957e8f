"""A disk that becomes full, or holds no such file, while it comes: in words, with what has come kept."""

from __future__ import annotations

import errno
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from io import FileIO
from pathlib import Path

import pytest

from llamaswap_py.library.pull.choice import RemoteFile
from llamaswap_py.library.pull.disk import disk, open_part
from llamaswap_py.library.pull.hub import Stream
from llamaswap_py.library.pull.transfer import Ground, Transfer
from llamaswap_py.library.pull.troubles import PullFailed

DATA = b"GGUF" + bytes(range(256)) * 4
FILE = RemoteFile("m.gguf", len(DATA), hashlib.sha256(DATA).hexdigest())


class Full(FileIO):
    """A disk with room for so many bytes."""

    room = 600

    def write(self, data: bytes, /) -> int:  # type: ignore[override]
        if not self.room:
            raise OSError(errno.ENOSPC, "No space left on device")
        taken = super().write(data[: self.room])
        self.room -= taken
        return taken


def calmly(seconds: float) -> None:
    pass


def silently(text: str) -> None:
    pass


def ground(part: type[FileIO] = FileIO, piece: int = 100, total: int | None = len(DATA)) -> Ground:
    @contextmanager
    def open_at(path: str, start: int) -> Iterator[Stream]:
        rest = DATA[start:]
        yield Stream(start, total, "", (rest[place : place + piece] for place in range(0, len(rest), piece)))

    def opened(path: Path) -> FileIO:
        open_part(path).close()
        return part(path, "r+b")

    return Ground(open_at, calmly, silently, opened)


def test_a_disk_that_becomes_full_is_said_and_the_next_try_goes_on(tmp_path: Path) -> None:
    target = tmp_path / "m.gguf"
    with pytest.raises(PullFailed) as caught:
        Transfer(FILE, target, ground(Full)).run()
    assert caught.value.trouble == "disk_full"
    assert not target.exists()
    again = Transfer(FILE, target, ground())
    assert again.missing == len(DATA) - 600
    again.run()
    assert again.tally.came == len(DATA) - 600
    assert target.read_bytes() == DATA


@pytest.mark.parametrize("piece", [1, 2, 3, 4, 5, 7, len(DATA)])
def test_a_file_is_right_at_every_chunking(tmp_path: Path, piece: int) -> None:
    Transfer(FILE, tmp_path / "m.gguf", ground(piece=piece, total=None)).run()
    assert (tmp_path / "m.gguf").read_bytes() == DATA


@pytest.mark.parametrize("piece", [1, 2, 3, 4, 5, 7])
def test_what_is_no_gguf_is_noticed_at_every_chunking(tmp_path: Path, piece: int) -> None:
    page = RemoteFile("m.gguf", 9, "0" * 64)

    @contextmanager
    def open_at(path: str, start: int) -> Iterator[Stream]:
        yield Stream(0, 9, "", (b"GGXX<html"[place : place + piece] for place in range(0, 9, piece)))

    with pytest.raises(PullFailed, match="no GGUF file"):
        Transfer(page, tmp_path / "m.gguf", Ground(open_at, calmly, silently)).run()


@pytest.mark.parametrize(
    ("number", "trouble"), [(errno.ENOSPC, "disk_full"), (errno.EFBIG, "disk_failed"), (errno.EACCES, "disk_failed")]
)
def test_what_the_disk_says_is_put_into_words(tmp_path: Path, number: int, trouble: str) -> None:
    with pytest.raises(PullFailed, match=str(tmp_path)) as caught, disk(tmp_path / "m.gguf"):
        raise OSError(number, "words of the system")
    assert caught.value.trouble == trouble
