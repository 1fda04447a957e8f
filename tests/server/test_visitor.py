"""A connection whose requests are simple, and what becomes of it when one is not."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable

import pytest
from aiohttp import web

from llamaswap_py.config.values import Limits
from llamaswap_py.errors import Overloaded
from llamaswap_py.server.entrance import Entrance, check_room
from llamaswap_py.server.visitor import MOST_AWAITED, MOST_LATER, Visitor
from tests.fakes.wire import Wire

SWIFT = {("POST", "/v1/x")}


def asks(body: bytes, more: bytes = b"") -> bytes:
    return b"POST /v1/x HTTP/1.1\r\nHost: here\r\n%bContent-Length: %d\r\n\r\n%b" % (more, len(body), body)


class Door:
    """Answers with what it was asked, when it may."""

    def __init__(self) -> None:
        self.may_answer = asyncio.Event()
        self.may_answer.set()
        self.came = asyncio.Event()
        self.asked: asyncio.Queue[bytes] = asyncio.Queue()
        self.left: asyncio.Queue[bytes] = asyncio.Queue()
        self.fails: type[BaseException] | None = None

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        self.came.set()
        body = await request.read()
        self.asked.put_nowait(body)
        try:
            await self.may_answer.wait()
        except asyncio.CancelledError:
            self.left.put_nowait(body)
            raise
        if self.fails is not None:
            raise self.fails
        return web.Response(body=b"<%b>" % body)


class Met:
    def __init__(self, door: Door, **how: object) -> None:
        server = web.Server(door.answer, handler_cancellation=True)
        self.entrance = Entrance(server, how, Limits, lambda: 10, swift=SWIFT)
        self.visitor: Visitor = self.entrance()
        self.wire = Wire()
        self.visitor.connection_made(self.wire)


async def waiting() -> tuple[Door, Met]:
    """Somebody has asked, and the answer is held back."""
    door = Door()
    door.may_answer.clear()
    met = Met(door)
    met.visitor.data_received(asks(b"a"))
    async with asyncio.timeout(10):
        assert await door.asked.get() == b"a"
    return door, met


async def within(awaited: Awaitable[object]) -> None:
    async with asyncio.timeout(10):
        await awaited


async def test_one_simple_request_after_the_other_is_answered_on_the_short_way() -> None:
    met = Met(Door())
    for body in (b"a", b"b" * 60_000, b"c"):
        sent = asks(body)
        at = sent.index(body)
        met.visitor.data_received(sent[:at])  # as most clients have it: first the head
        assert not met.visitor.is_idle
        met.visitor.data_received(sent[at:])
        await met.wire.says(b"<%b>" % body)
    assert not met.visitor.is_passed_on
    assert met.wire.written.count(b"HTTP/1.1 200 OK\r\n") == 3
    assert not met.wire.is_closing()
    met.visitor.connection_lost(None)


@pytest.mark.parametrize("other", [b"POST /v1/y", b"PUT /v1/x", b"POST /v1/x?y"])
async def test_what_is_otherwise_goes_the_librarys_way_and_everything_behind_it(other: bytes) -> None:
    met = Met(Door())
    met.visitor.data_received(asks(b"a"))
    await met.wire.says(b"<a>")
    met.visitor.data_received(asks(b"b").replace(b"POST /v1/x", other))
    await met.wire.says(b"<b>")
    met.visitor.data_received(asks(b"c"))
    await met.wire.says(b"<c>")
    assert met.visitor.is_passed_on
    assert not met.wire.is_closing()
    met.visitor.connection_lost(None)


async def test_a_request_in_pieces_is_read_by_the_library() -> None:
    met = Met(Door())
    sent = asks(b"abc")
    for at in range(len(sent)):
        met.visitor.data_received(sent[at : at + 1])
    await met.wire.says(b"<abc>")
    met.visitor.connection_lost(None)


async def test_what_does_not_come_at_once_is_read_by_the_library() -> None:
    door = Door()
    met = Met(door)
    sent = asks(b"abc")
    met.visitor.data_received(sent[:-3])
    patience = met.visitor.patience
    met.visitor.data_received(sent[-3:-2])
    assert met.visitor.patience is patience, "it is waited for once, however slowly it comes"
    assert not met.visitor.is_passed_on
    await within(door.came.wait())
    assert met.visitor.is_passed_on
    met.visitor.data_received(sent[-2:])
    await met.wire.says(b"<abc>")
    met.visitor.connection_lost(None)


async def test_much_that_is_still_to_come_is_not_held() -> None:
    met = Met(Door())
    sent = asks(b"a" * (MOST_AWAITED + 1))
    at = sent.index(b"aaa")
    met.visitor.data_received(sent[:at])
    assert met.visitor.is_passed_on
    met.visitor.data_received(sent[at:])
    await met.wire.says(b"<aaa")
    met.visitor.connection_lost(None)


async def test_who_ends_in_the_middle_of_a_request_is_left_to_the_library() -> None:
    met = Met(Door())
    met.visitor.data_received(asks(b"abc")[:-1])
    met.visitor.eof_received()
    assert met.visitor.is_passed_on
    met.visitor.connection_lost(None)


async def test_a_connection_that_is_closed_waits_for_no_rest() -> None:
    sent = asks(b"abc")
    for end in (Visitor.close, Visitor.force_close):
        met = Met(Door())
        met.visitor.data_received(sent[:-1])
        end(met.visitor)
        met.visitor.data_received(sent[-1:])
        assert met.wire.is_closing()
        assert met.visitor.patience is None
        met.visitor.eof_received()
        assert not met.visitor.is_passed_on
        met.visitor.connection_lost(None)


async def test_who_leaves_in_the_middle_of_a_request_leaves_nothing() -> None:
    met = Met(Door())
    met.visitor.data_received(asks(b"abc")[:-1])
    assert met.visitor.may_yet_ask(met.entrance.loop.time() + 60)
    met.visitor.connection_lost(None)
    assert met.visitor.patience is None
    assert not met.visitor.begun


async def test_what_is_asked_before_the_answer_came_is_answered_behind_it_in_order() -> None:
    door, met = await waiting()
    met.visitor.data_received(asks(b"b") + asks(b"c")[:10])
    met.visitor.data_received(asks(b"c")[10:])
    assert door.asked.empty()
    door.may_answer.set()
    await met.wire.says(b"<c>")
    places = [met.wire.written.index(b"<%b>" % body) for body in (b"a", b"b", b"c")]
    assert places == sorted(places)
    met.visitor.connection_lost(None)


async def test_who_asks_too_much_before_the_answer_came_is_not_read_until_it_has() -> None:
    door, met = await waiting()
    met.visitor.data_received(asks(b"b" * MOST_LATER))
    assert not met.wire.is_read
    door.may_answer.set()
    await met.wire.says(b"bb>")
    assert met.wire.is_read
    met.visitor.connection_lost(None)


async def test_who_asked_too_much_and_leaves_is_missed() -> None:
    """Nothing is read of it, so it is looked at."""
    door = Door()
    door.may_answer.clear()
    server = web.Server(door.answer, handler_cancellation=True)
    entrance = Entrance(server, {}, Limits, lambda: 10, swift=SWIFT)
    loop = asyncio.get_running_loop()
    listening = await loop.create_server(entrance, "127.0.0.1", 0)
    async with listening, asyncio.timeout(10):
        _, writer = await asyncio.open_connection(*listening.sockets[0].getsockname())
        writer.write(asks(b"a"))
        assert await door.asked.get() == b"a"
        writer.write(asks(b"b" * 2 * MOST_LATER))
        await writer.drain()
        writer.transport.abort()
        assert await door.left.get() == b"a"


async def test_who_leaves_ends_the_work_for_it() -> None:
    door, met = await waiting()
    assert met.visitor.idle_since is None
    met.visitor.connection_lost(None)
    async with asyncio.timeout(10):
        assert await door.left.get() == b"a"
    assert met.wire.written == b""
    assert not met.entrance.visitors


async def test_a_mistake_in_a_handler_is_told_and_ends_the_connection() -> None:
    door = Door()
    door.fails = ValueError
    met = Met(door)
    met.visitor.data_received(asks(b"a"))
    await within(met.wire.over.wait())
    assert met.wire.written.startswith(b"HTTP/1.1 500 ")
    met.visitor.connection_lost(None)


async def test_an_answer_that_is_an_exception_of_the_librarys_keeps_the_connection() -> None:
    door = Door()
    door.fails = web.HTTPNotFound
    met = Met(door)
    met.visitor.data_received(asks(b"a"))
    await met.wire.says(b"HTTP/1.1 404 ")
    door.fails = None
    met.visitor.data_received(asks(b"b"))
    await met.wire.says(b"<b>")
    met.visitor.connection_lost(None)


async def test_the_server_that_shuts_down_waits_for_the_answer_and_closes() -> None:
    door, met = await waiting()
    closing = asyncio.create_task(met.visitor.shutdown(5))
    door.may_answer.set()
    await within(closing)
    assert b"<a>" in met.wire.written
    assert met.wire.is_closing()
    met.visitor.connection_lost(None)


async def test_whoever_asks_for_nothing_for_long_is_seen_off_and_nobody_else() -> None:
    door = Door()
    door.may_answer.clear()
    met = Met(door, keepalive_timeout=0.05)
    busy = met.entrance()
    wire = Wire()
    busy.connection_made(wire)
    busy.data_received(asks(b"a"))
    await within(met.wire.over.wait())
    met.visitor.connection_lost(None)
    assert not wire.is_closing()
    door.may_answer.set()
    await within(wire.over.wait())  # when it has had its answer, and its time
    assert b"<a>" in wire.written
    busy.connection_lost(None)


async def test_a_connection_that_is_passed_on_has_its_time_anew() -> None:
    met = Met(Door(), keepalive_timeout=0.05)
    met.visitor.data_received(b"POST /v1/x HTTP/1.1\r\nHost: ")
    await within(met.wire.over.wait())
    met.visitor.connection_lost(None)


async def test_who_finds_no_room_is_told_and_comes_again_by_another_connection() -> None:
    async def answer(request: web.BaseRequest) -> web.Response:
        try:
            check_room(request)  # type: ignore[arg-type]
        except Overloaded as refusal:
            return web.Response(status=refusal.status)
        return web.Response()

    most = 0
    entrance = Entrance(web.Server(answer), {}, Limits, lambda: most, swift=SWIFT)
    for request in (asks(b"a"), b"GET / HTTP/1.1\r\nHost: here\r\n\r\n"):
        visitor, wire = entrance(), Wire()
        visitor.connection_made(wire)
        visitor.data_received(request)
        await within(wire.over.wait())
        assert wire.written.startswith(b"HTTP/1.1 503 ")
        visitor.connection_lost(None)
    most = 1
    visitor, wire = entrance(), Wire()
    visitor.connection_made(wire)
    visitor.data_received(asks(b"a"))
    await wire.says(b"HTTP/1.1 200 ")
    visitor.connection_lost(None)


async def test_an_empty_body_is_none() -> None:
    async def answer(request: web.BaseRequest) -> web.Response:
        return web.Response(text=str(request.body_exists))

    entrance = Entrance(web.Server(answer), {}, Limits, lambda: 1, swift=SWIFT)
    visitor, wire = entrance(), Wire()
    visitor.connection_made(wire)
    visitor.data_received(asks(b""))
    await wire.says(b"False")
    visitor.connection_lost(None)
