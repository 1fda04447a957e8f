"""Comments into silent streams, on a clock that the test moves, and through the relay."""

from __future__ import annotations

import asyncio
import sys
from typing import Any

import pytest

from llamaswap_py.errors import Unloaded
from llamaswap_py.runtime.hearing import Hearing
from llamaswap_py.runtime.heartbeat import COMMENT, Heart
from llamaswap_py.runtime.pool import Pool
from llamaswap_py.runtime.relay import Manner, relay
from llamaswap_py.wire.answer import Answer
from llamaswap_py.wire.chunks import chunk
from llamaswap_py.wire.headers import Caller
from llamaswap_py.wire.window import Piece
from tests.fakes.loops import on_all_loops, on_every_loop
from tests.fakes.raw_upstream import RawUpstream
from tests.runtime.test_relay import REQUEST, Collector, broken

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
BEAT = chunk(COMMENT)


class Clock:
    """Its timers fire when it is moved."""

    def __init__(self) -> None:
        self.now = 0.0
        self.due: list[tuple[float, Any, Any]] = []

    def time(self) -> float:
        return self.now

    def call_later(self, delay: float, callback: Any, /, *args: Any) -> object:
        self.due.append((self.now + delay, callback, args))
        return self.due[-1]

    def move(self, seconds: float) -> None:
        end = self.now + seconds
        while soon := [each for each in self.due if each[0] <= end]:
            self.due.remove(first := min(soon, key=lambda each: each[0]))
            self.now = first[0]
            first[1](*first[2])
        self.now = end


class Page:
    """A caller, and what was heard of the server for him."""

    def __init__(self) -> None:
        self.full = False
        self.hearing = Hearing()
        self.taken: list[bytes] = []

    def write(self, data: bytes) -> None:
        self.taken.append(data)


def begun(*more: bytes) -> Answer:
    answer = Answer(Caller("POST", (1, 1), True), "POST")
    answer.feed(HEAD + b"".join(more))
    return answer


def test_a_silent_stream_gets_a_comment_each_time_and_one_that_moves_none() -> None:
    heart, clock, silent, moving = Heart(10.0), Clock(), Page(), Page()
    heart.join(clock, begun(), silent, silent.hearing)
    heart.join(clock, begun(), moving, moving.hearing)
    for _ in range(40):
        clock.move(1.0)
        moving.hearing.pieces += 1
    assert silent.taken == [BEAT] * 4
    assert moving.taken == []


def test_who_is_full_or_within_an_event_that_is_passed_in_pieces_gets_none() -> None:
    heart, clock, full, within = Heart(10.0), Clock(), Page(), Page()
    full.full = True
    heart.join(clock, begun(), full, full.hearing)
    answer = begun(chunk(b"data: " + b"x" * (17 << 20)))
    heart.join(clock, answer, within, within.hearing)
    clock.move(60.0)
    assert full.taken == within.taken == []


def test_a_stream_that_is_over_gets_none_and_the_timer_ends() -> None:
    heart, clock, page = Heart(10.0), Clock(), Page()
    beat = heart.join(clock, begun(), page, page.hearing)
    assert beat is not None
    heart.leave(beat)
    clock.move(60.0)
    assert page.taken == []
    assert clock.due == []
    heart.join(clock, begun(), page, page.hearing)
    clock.move(10.0)
    assert page.taken == [BEAT]


def test_zero_is_never() -> None:
    heart, clock, page = Heart(), Clock(), Page()
    assert heart.join(clock, begun(), page, page.hearing) is None
    heart.every = 10.0
    assert heart.join(clock, begun(), page, page.hearing) is not None
    heart.every = 0.0  # a reload
    clock.move(60.0)
    assert page.taken == []
    assert clock.due == []


@pytest.mark.fault("S48")
@pytest.mark.parametrize("version", [(1, 1), (1, 0)])
def test_the_comment_stands_between_whole_events_and_is_no_content(version: tuple[int, int]) -> None:
    """Half of an event is held back, and complete when the rest has come."""
    on_all_loops(lambda: halved(version))


async def halved(version: tuple[int, int]) -> None:
    heard: list[bytes] = []
    heart, sink = Heart(0.02), Collector(version)
    async with RawUpstream() as upstream:
        pool = Pool(upstream.address)
        manner = Manner(Tap(heard), heart=heart)
        asking = asyncio.create_task(relay(pool, REQUEST, sink, broken, manner=manner))
        peer = await upstream.peer()
        await peer.answer(HEAD + chunk(b"data: 1\n\n") + chunk(b"data: "))
        while COMMENT not in sink.taken:
            sink.came.clear()
            await sink.came.wait()
        await peer.send(chunk(b"2\n\n") + b"0\r\n\r\n")
        outcome = await asking
        pool.close(Unloaded("over"))
    assert outcome.complete
    assert not heart.beats
    body = sink.taken.partition(b"\r\n\r\n")[2]
    one, two = b"data: 1\n\n", b"data: 2\n\n"
    if version == (1, 1):
        assert body.replace(BEAT, b"") == chunk(one) + chunk(two) + b"0\r\n\r\n"
    else:
        assert body.replace(COMMENT, b"") == one + two
    assert COMMENT not in b"".join(heard)


class Tap:
    def __init__(self, heard: list[bytes]) -> None:
        self.heard = heard

    def head(self, head: object, chunked: bool) -> None:
        self.heard.append(b"")

    def body(self, data: Piece) -> None:
        self.heard.append(bytes(data))

    def slim(self) -> None:
        pass

    def weigh(self, sent: int) -> int:
        return sys.maxsize


@on_every_loop
async def test_what_is_no_stream_of_events_gets_none() -> None:
    """Nor anybody before the answer has begun."""
    heart, sink = Heart(0.02), Collector()
    async with RawUpstream() as upstream:
        pool = Pool(upstream.address)
        asking = asyncio.create_task(relay(pool, REQUEST, sink, broken, manner=Manner(heart=heart)))
        peer = await upstream.peer()
        await peer.request()
        assert not heart.beats
        await peer.send(b"HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\nContent-Length: 5\r\n\r\nhe")
        await sink.came.wait()
        assert not heart.beats
        await peer.send(b"llo")
        assert (await asking).complete
        pool.close(Unloaded("over"))
