"""What is read by the loop, when, and what is left to the thread."""

from __future__ import annotations

import asyncio
import gzip
from pathlib import Path

import pytest

from llamaswap_py.observe.activity import FEW, GATHER_SECONDS, LONG, MANY, ROW_WEIGHT, SOME, Recorder
from llamaswap_py.observe.finished import Finished
from llamaswap_py.observe.reading import LIGHT, LIGHT_FAILURE, is_light
from llamaswap_py.observe.rows import UNKNOWN, Details
from llamaswap_py.observe.written import Bounds
from llamaswap_py.wire.chunks import chunk
from tests.observe.recording import ANSWER, finished, held_up, recording

PACKED = gzip.compress(ANSWER, mtime=0)


async def test_what_is_short_is_read_without_the_thread_and_what_is_compressed_in_it() -> None:
    """Two threads that read take the interpreter from each other."""
    counted: list[str] = []
    async with recording() as place:
        recorder = place.recorder
        recorder.count = lambda rows: counted.extend(row.model for row in rows)
        read, _ = watched(recorder, 2)
        async with held_up(recorder):
            recorder.add(finished(model="short"))
            recorder.add(finished(PACKED, b"Content-Encoding: gzip", model="compressed"))
            recorder.read_some(2)
            assert read == ["short"]
        assert [row.model for row in await place.rows()] == ["short", "compressed"]
    assert counted == ["short", "compressed"]


@pytest.mark.parametrize(
    ("body", "status", "light"),
    [
        (ANSWER, 200, True),
        (b" " * LIGHT, 200, False),
        (b" " * LIGHT_FAILURE + b" ", 200, True),
        (b" " * LIGHT_FAILURE + b" ", 500, False),
    ],
)
def test_what_may_be_read_on_the_loop(body: bytes, status: int, light: bool) -> None:
    one = finished(body, status=status)
    one.weigh()
    assert is_light(one) is light


def watched(recorder: Recorder, enough: int) -> tuple[list[str], asyncio.Event]:
    """The models of what is read; and that so many were."""
    read: list[str] = []
    reached = asyncio.Event()

    def know(one: Finished, events: int) -> Details:
        read.append(one.model)
        if len(read) == enough:
            reached.set()
        return UNKNOWN

    recorder.know = know
    return read, reached


async def test_while_a_server_works_a_few_are_read() -> None:
    async with recording() as place:
        recorder = place.recorder
        read, enough = watched(recorder, FEW)
        for _ in range(FEW - 1):
            recorder.add(finished())
        recorder.spare_moment()
        assert len(recorder.unread) == FEW - 1, "so few are not worth it"
        recorder.add(finished())
        recorder.add(finished())
        recorder.spare_moment()
        assert not read, "not before the request is sent"
        await enough.wait()
        assert len(recorder.unread) == 1


async def test_what_is_long_is_read_at_once_behind_what_came_before() -> None:
    """Its memory is used again, and nobody's request waits for it."""
    async with recording() as place:
        recorder = place.recorder
        read, enough = watched(recorder, 2)
        recorder.add(finished(model="before"))
        recorder.add(finished(b" " * LONG + ANSWER, model="long"))
        assert not read
        async with asyncio.timeout(GATHER_SECONDS / 2):
            await enough.wait()
        assert read == ["before", "long"]


async def test_of_much_that_ends_at_once_a_part_is_read_at_each_turn_of_the_loop() -> None:
    async with recording() as place:
        recorder = place.recorder
        read, enough = watched(recorder, 3 * SOME)
        first_turn: list[int] = []
        for _ in range(3 * SOME):
            recorder.add(finished(b" " * LONG + ANSWER))
        recorder.loop.call_soon(lambda: first_turn.append(len(read)))
        async with asyncio.timeout(GATHER_SECONDS / 2):
            await enough.wait()
        assert 0 < first_turn[0] <= SOME


@pytest.mark.parametrize(
    ("piece", "pieces", "light"),
    [
        (chunk(b"data: word\n\n") * 1000, 100, True),
        (chunk(b"data: word\n\n"), 10_000, True),
        (chunk(b"data: word\n\n"), 50_000, False),
        (chunk(b"data: ") + chunk(b"word\n\n"), 10_000, False),
        (chunk(b"data: ") + chunk(b"word\n\n"), 1_000, True),
    ],
)
def test_of_long_streams_only_those_that_can_be_read_where_they_lie_are_read_on_the_loop(
    piece: bytes, pieces: int, light: bool
) -> None:
    one = finished(b"", b"Content-Type: text/event-stream")
    one.heard.chunked = True
    for _ in range(pieces):
        one.heard.body(piece)
    one.weigh()
    assert is_light(one) is light


async def test_of_captures_no_more_are_held_than_will_be_kept() -> None:
    async with recording(captures=5 * LONG) as place:
        for _ in range(20):
            place.recorder.add(finished(b" " * LONG + ANSWER))
        place.recorder.read_some(MANY)
        assert 1 < len(place.recorder.captured.reads) < 5
        assert len(await place.rows()) == 20
        assert set(place.recorder.captures.kept) == {20, 19, 18, 17}
        place.recorder.add(finished(b" " * LONG + ANSWER))
        await place.rows()
        assert 21 in place.recorder.captures


async def test_where_more_is_captured_on_disk_more_is_held(tmp_path: Path) -> None:
    path = str(tmp_path / "records.db")
    async with recording(path, captures=5 * LONG) as place:
        place.recorder.settle(path, Bounds(captures=100 * LONG), 5 * LONG)
        for _ in range(20):
            place.recorder.add(finished(b" " * LONG + ANSWER))
        await place.rows()
        assert await place.recorder.ask(lambda store: store.captured_of(range(1, 21))) == set(range(1, 21))


async def test_what_is_heavy_counts_as_many() -> None:
    async with recording() as place:
        for _ in range(4):
            place.recorder.add(finished(b" " * 2 * ROW_WEIGHT + ANSWER))
        place.recorder.read_some(4)
        assert len(place.recorder.unread) == 2
