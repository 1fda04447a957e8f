"""A log as events: whoever reads it, at whatever pace and with whatever breaks, has each byte once."""

from __future__ import annotations

import asyncio
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llamaswap_py.runtime.output import Ring
from llamaswap_py.server.reading import EVERY, Reader
from llamaswap_py.server.shapes.events import LogPiece


def told(event: bytes) -> tuple[str, LogPiece]:
    name, data = event.split(b"\n")[:2]
    piece: LogPiece = json.loads(data.removeprefix(b"data:"))
    return name.removeprefix(b"id:").decode(), piece


@given(st.lists(st.tuples(st.text(max_size=6), st.booleans()), max_size=12), st.integers(1, 7))
def test_nothing_is_missing_or_twice_however_often_it_breaks_off(steps: list[tuple[str, bool]], size: int) -> None:
    """Bytes come cut anywhere, also within a character; after each the reader may read on, or begin anew by name."""

    async def read() -> None:
        ring, last, text = Ring(), "", ""
        data = "".join(step for step, _ in steps).encode("utf-8", "replace")
        pieces = [data[n : n + size] for n in range(0, len(data), size)]
        breaks = [broken for _, broken in steps] + [False] * len(pieces)
        reader = Reader(ring, "e")
        for piece, broken in zip(pieces, breaks, strict=False):
            ring.write(piece)
            if broken:
                reader = Reader(ring, "e", last)
            event = reader.take()
            if event:
                last, said = told(event)
                text = said["text"] if said["whole"] else text + said["text"]
                assert said["lost"] == 0
        assert text == data.decode()

    asyncio.run(read())


async def test_what_came_faster_than_it_could_be_told_is_counted_and_lines_stay_whole() -> None:
    ring = Ring(kept=40)
    reader = Reader(ring, "e")
    reader.take()
    ring.write(b"first\n")
    assert told(reader.take())[1]["text"] == "first\n"
    ring.write(b"".join(b"line %02d\n" % n for n in range(50)))
    piece = told(reader.take())[1]
    assert piece["text"].startswith("line ")
    assert piece["text"].endswith("line 49\n")
    assert piece["lost"] > 0
    assert not piece["whole"]
    late = told(Reader(ring, "e").take())[1]
    assert (late["whole"], late["lost"]) == (True, 0)
    assert late["text"].startswith("line ")


async def test_the_first_word_is_the_history_even_if_there_is_none() -> None:
    name, piece = told(Reader(Ring(), "e").take())
    assert (name, piece) == ("e-0", {"text": "", "lost": 0, "whole": True})


@pytest.mark.parametrize("last", ["nonsense", "f-3", "e-99", "e-x", "e-" + "9" * 5000])
async def test_a_place_that_is_none_of_ours_gets_the_whole(last: str) -> None:
    ring = Ring()
    ring.write(b"hello\n")
    assert told(Reader(ring, "e", last).take())[1] == {"text": "hello\n", "lost": 0, "whole": True}


async def test_who_waits_is_woken_by_news() -> None:
    ring = Ring()
    reader = Reader(ring, "e")
    reader.take()
    waiting = asyncio.ensure_future(reader.news(30))
    asyncio.get_running_loop().call_later(2 * EVERY, ring.write, b"news\n")
    assert await waiting
    assert told(reader.take())[1]["text"] == "news\n"
    assert not await reader.news(0.001)
    assert reader.take() == b""
    assert ring.viewers == set()


async def test_what_was_written_since_it_looked_is_not_waited_for() -> None:
    ring = Ring()
    reader = Reader(ring, "e")
    reader.take()
    ring.write(b"news\n")
    async with asyncio.timeout(10):
        assert await reader.news(30)
    assert told(reader.take())[1]["text"] == "news\n"


async def test_a_ring_that_is_closed_ends_who_follows_it() -> None:
    ring = Ring()
    reader, waits = Reader(ring, "e"), Reader(ring, "e")
    for each in (reader, waits):
        each.take()
    waiting = asyncio.ensure_future(waits.news(30))
    asyncio.get_running_loop().call_later(2 * EVERY, ring.close)
    async with asyncio.timeout(10):
        assert await waiting
        assert waits.closed
        assert await reader.news(30), "nor does one that was not waiting wait any more"
    assert reader.closed
