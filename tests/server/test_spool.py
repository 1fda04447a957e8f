"""What is kept of a body until its model is known."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import IO

import pytest

from llamaswap_py.errors import StorageFull
from llamaswap_py.server.spool import Spool, unnamed_file

PIECES = [bytes([number]) * 100_000 for number in range(30)]


def names_in(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


async def written(spool: Spool, pieces: list[bytes]) -> Spool:
    for piece in pieces:
        await spool.write(piece)
    return spool


async def rest(spool: Spool) -> bytes:
    out = b""
    while piece := await spool.read():
        out += piece
    return out


@pytest.mark.parametrize("memory", [0, 150_000, 1 << 20, 1 << 22])
async def test_what_was_written_is_read_in_order(memory: int) -> None:
    """Wherever the border between memory and file lies."""
    spool = await written(Spool(memory=memory), PIECES)
    assert spool.size == 3_000_000
    assert await rest(spool) == b"".join(PIECES)
    spool.close()


async def test_a_small_body_makes_no_file() -> None:
    def never() -> IO[bytes]:
        raise AssertionError("a file was made")

    spool = await written(Spool(never), [b"small"])
    assert await rest(spool) == b"small"
    spool.close()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="a device that is always full")
async def test_a_full_disk_is_a_typed_refusal() -> None:
    def full() -> IO[bytes]:
        return Path("/dev/full").open("w+b", buffering=0)

    spool = Spool(full, memory=10)
    with pytest.raises(StorageFull, match="send the model's name first"):
        await spool.write(b"x" * 11)
    spool.close()


async def test_another_trouble_with_the_file_is_not_called_a_full_disk(tmp_path: Path) -> None:
    spool = Spool(lambda: (tmp_path / "nowhere" / "file").open("w+b"), memory=1)
    with pytest.raises(FileNotFoundError):
        await spool.write(b"xx")
    spool.close()


async def test_the_file_has_no_name_and_is_closed_with_the_spool(tmp_path: Path) -> None:
    made: list[IO[bytes]] = []

    def make() -> IO[bytes]:
        made.append(tempfile.TemporaryFile(dir=tmp_path, buffering=0))  # noqa: SIM115 - the spool closes it
        return made[0]

    spool = await written(Spool(make, memory=10), [b"x" * 11])
    assert names_in(tmp_path) == []
    spool.close()
    assert made[0].closed
    spool.close()


async def test_writing_after_the_end_does_nothing() -> None:
    """A thread that was still to write when the caller left."""
    spool = Spool(memory=1)
    await spool.write(b"xx")
    spool.close()
    await spool.write(b"yyy")
    assert await spool.read() == b""


def test_the_usual_file_is_nameless() -> None:
    with unnamed_file() as file:
        assert isinstance(file.name, int)
