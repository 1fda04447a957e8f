"""Who finds room: the answer to whoever does not is one that can be read."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import sys

import pytest
from aiohttp import web

from llamaswap_py.config.values import Limits
from llamaswap_py.runtime.relay import Outcome, Phase
from llamaswap_py.server.entrance import Entrance, refusal
from llamaswap_py.server.taking import unread
from tests.fakes.relay_app import WatchedRelayed
from tests.fakes.wire import Wire


def test_the_refusal_of_a_flood_is_a_whole_answer() -> None:
    head, _, body = refusal().partition(b"\r\n\r\n")
    fields = dict(line.split(": ", 1) for line in head.decode().split("\r\n")[1:])
    assert head.startswith(b"HTTP/1.1 503 ")
    assert (fields["Content-Length"], fields["Connection"]) == (str(len(body)), "close")
    assert fields["Retry-After"] == "1"
    assert json.loads(body)["error"]["code"] == "overloaded"


async def test_an_answer_that_closes_its_connection_is_unread_for_as_long_as_its_reader_may_take() -> None:
    """TLS cuts what is closed: it is not closed before the rest is with the system."""
    waits, wire = asyncio.Event(), Wire()

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        outcome = Outcome(
            200, 9, Phase.COMPLETE, None, None, True, keep_alive=False, began=0.0, first_byte=0.0, ended=0.0
        )
        return WatchedRelayed(request, outcome, waits)

    visitor = Entrance(web.Server(answer), {}, Limits, lambda: 1)()
    visitor.connection_made(wire)
    visitor.pause_writing()
    visitor.data_received(b"GET / HTTP/1.0\r\n\r\n")
    await waits.wait()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):  # it would take a few turns of the loop
            await wire.over.wait()
    visitor.resume_writing()
    async with asyncio.timeout(10):
        await wire.over.wait()
    visitor.connection_lost(None)


async def test_whoever_was_let_in_last_is_heard_before_the_doors_close() -> None:
    asked = asyncio.Event()

    async def answer(request: web.BaseRequest) -> web.Response:
        asked.set()
        return web.Response()

    entrance = Entrance(web.Server(answer), {}, Limits, lambda: 2, settled=3600)  # only what is said ends the wait
    async with asyncio.timeout(10):
        await entrance.hear_out()  # nobody is there
    visitor = entrance()
    visitor.connection_made(Wire())
    hearing = asyncio.create_task(entrance.hear_out())
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):  # some looks at who is there
            await asyncio.shield(hearing)
    visitor.data_received(b"GET / HTTP/1.1\r\nHost: here\r\n\r\n")
    async with asyncio.timeout(10):
        await hearing
        await asked.wait()
        await entrance.hear_out()  # who has had an answer and asks for nothing more
    visitor.connection_lost(None)


async def test_whoever_says_nothing_for_too_long_holds_up_nobody() -> None:
    async def answer(request: web.BaseRequest) -> web.Response:
        return web.Response()

    entrance = Entrance(web.Server(answer), {}, Limits, lambda: 2, settled=0)
    visitor = entrance()
    visitor.connection_made(Wire())
    async with asyncio.timeout(10):
        await entrance.hear_out()
    visitor.connection_lost(None)


def chunks(count: int) -> bytes:
    return b"1\r\nx\r\n" * count


async def test_a_body_of_very_many_chunks_is_read_to_its_end_wherever_it_is_cut() -> None:
    """After so many the library holds the connection; where a read ends with that chunk, it stops in the next one."""
    pieces: asyncio.Queue[bytes] = asyncio.Queue()

    async def read(request: web.BaseRequest) -> web.Response:
        while piece := await request.content.readany():
            pieces.put_nowait(piece)
        pieces.put_nowait(b"")
        return web.Response()

    many = 16 * 1024
    for first in range(many - 1, many + 3):
        visitor = Entrance(web.Server(read), {}, Limits, lambda: 1)()
        visitor.connection_made(Wire())
        visitor.data_received(b"POST / HTTP/1.1\r\nHost: here\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks(first))
        taken = len(await pieces.get())
        visitor.data_received(chunks(7) + b"0\r\n\r\n")
        async with asyncio.timeout(10):
            while piece := await pieces.get():
                taken += len(piece)
        assert taken == first + 7
        visitor.connection_lost(None)


def filled(opened: socket.socket) -> None:
    """With as much as the system takes for it."""
    opened.setblocking(False)
    with contextlib.suppress(BlockingIOError):
        while True:
            opened.send(b"x" * 65536)


@pytest.mark.skipif(sys.platform == "win32", reason="there the system does not say what was taken")
async def test_who_reads_slowly_is_not_taken_for_who_reads_nothing() -> None:
    """The system says that there is room only after a good part of all that it holds was read."""

    async def answer(request: web.BaseRequest) -> web.Response:
        return web.Response()

    with socket.create_server(("127.0.0.1", 0)) as door, socket.create_connection(door.getsockname()) as caller:
        ours, _ = door.accept()
        with ours:
            filled(ours)
            wire = Wire(ours)
            visitor = Entrance(web.Server(answer), {}, Limits, lambda: 1)()
            visitor.connection_made(wire)
            visitor.pause_writing()
            before = unread(wire)
            while unread(wire) == before:
                assert caller.recv(65536)
            visitor.throw_out()
            assert not wire.over.is_set()
            for _ in range(100):  # what is on its way may still arrive
                visitor.throw_out()
            assert wire.over.is_set()
            visitor.connection_lost(None)
