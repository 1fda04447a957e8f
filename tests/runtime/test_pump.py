"""Bodies that are sent on while they still come, through a relay."""

from __future__ import annotations

import asyncio

from structlog.testing import capture_logs

from llamaswap_py.errors import BadRequest, Unloaded
from llamaswap_py.runtime.pool import Pool
from llamaswap_py.runtime.pump import Pump
from llamaswap_py.runtime.relay import Closer, Phase, UpstreamRequest, relay
from tests.fakes.loops import on_every_loop
from tests.fakes.raw_upstream import RawUpstream
from tests.runtime.test_relay import HELLO, Collector, broken, warm


class Coming:
    """A body of which the test decides when the next piece is there."""

    def __init__(self, length: int | None = None) -> None:
        self.length = length
        self.pieces: asyncio.Queue[bytes | BadRequest | ConnectionError] = asyncio.Queue()
        self.read_pieces = 0
        self.given = asyncio.Event()  # a piece was
        self.invited = False

    def invite(self) -> None:
        self.invited = True

    async def read(self) -> bytes:
        piece = await self.pieces.get()
        self.read_pieces += 1
        self.given.set()
        if isinstance(piece, Exception):
            raise piece
        return piece


def request_of(body: Coming) -> UpstreamRequest:
    return UpstreamRequest("POST", "/v1", (("Host", "here"),), body)


@on_every_loop
async def test_a_body_of_unknown_length_arrives_in_chunks_as_it_comes() -> None:
    async with RawUpstream() as upstream:
        body, sink = Coming(), Collector()
        asking = asyncio.create_task(relay(Pool(upstream.address), request_of(body), sink, broken))
        peer = await upstream.peer()
        assert b"Transfer-Encoding: chunked\r\n" in await peer.head()
        for piece, arrives in ((b"one", b"3\r\none\r\n"), (b"three", b"5\r\nthree\r\n"), (b"", b"0\r\n\r\n")):
            body.pieces.put_nowait(piece)
            assert await peer.exactly(len(arrives)) == arrives
        await peer.send(HELLO)
        assert (await asking).complete


@on_every_loop
async def test_a_body_that_can_be_sent_once_is_not_risked_on_a_used_connection() -> None:
    async with RawUpstream() as upstream:
        pool, body = Pool(upstream.address), Coming(3)
        await warm(pool, upstream)
        asking = asyncio.create_task(relay(pool, request_of(body), Collector(), broken))
        body.pieces.put_nowait(b"abc")
        body.pieces.put_nowait(b"")
        fresh = await upstream.peer()
        assert (await fresh.answer(HELLO)).endswith(b"\r\n\r\nabc")
        assert (await asking).complete
        assert pool.idle == 2
        pool.close(Unloaded("over"))


@on_every_loop
async def test_an_answer_before_the_end_of_the_body_ends_the_reading_and_the_connection() -> None:
    async with RawUpstream() as upstream:
        pool, body = Pool(upstream.address), Coming(1000)
        asking = asyncio.create_task(relay(pool, request_of(body), Collector(), broken))
        body.pieces.put_nowait(b"abc")
        peer = await upstream.peer()
        await peer.head()
        assert await peer.exactly(3) == b"abc"
        await peer.send(HELLO)
        assert (await asking).complete
        body.pieces.put_nowait(b"more")
        assert await peer.gone() == b""
        assert (pool.idle, body.read_pieces) == (0, 1)


@on_every_loop
async def test_a_body_that_breaks_off_is_a_refusal_and_the_server_is_not_told_an_end() -> None:
    async with RawUpstream() as upstream:
        body = Coming()
        asking = asyncio.create_task(relay(Pool(upstream.address), request_of(body), Collector(), broken))
        peer = await upstream.peer()
        await peer.head()
        body.pieces.put_nowait(BadRequest("it broke off"))
        outcome = await asking
        assert isinstance(outcome.refusal, BadRequest)
        assert (outcome.phase, outcome.closed_by) == (Phase.NOTHING, Closer.US)
        assert b"0\r\n" not in await peer.gone()


@on_every_loop
async def test_the_body_is_read_no_faster_than_the_server_takes_it() -> None:
    async with RawUpstream() as upstream:
        body = Coming()
        asking = asyncio.create_task(relay(Pool(upstream.address), request_of(body), Collector(), broken))
        for _ in range(64):
            body.pieces.put_nowait(b"x" * 1_000_000)
        body.pieces.put_nowait(b"")
        peer = await upstream.peer()
        await peer.head()
        assert body.read_pieces < 32
        await peer.exactly(64 * (1_000_000 + 9) + 5)
        assert body.read_pieces == 65
        await peer.send(HELLO)
        assert (await asking).complete


@on_every_loop
async def test_a_caller_who_leaves_ends_the_reading() -> None:
    async with RawUpstream() as upstream:
        body = Coming()
        asking = asyncio.create_task(relay(Pool(upstream.address), request_of(body), Collector(), broken))
        peer = await upstream.peer()
        await peer.head()
        asking.cancel()
        await asyncio.wait([asking])
        assert asking.cancelled()
        await peer.gone()
        body.pieces.put_nowait(b"late")
        assert body.read_pieces == 0


@on_every_loop
async def test_a_server_that_is_stopped_ends_the_reading() -> None:
    async with RawUpstream() as upstream:
        pool, body = Pool(upstream.address), Coming()
        asking = asyncio.create_task(relay(pool, request_of(body), Collector(), broken))
        for _ in range(64):
            body.pieces.put_nowait(b"x" * 1_000_000)
        peer = await upstream.peer()
        await peer.head()
        pool.close(Unloaded("stopped"))
        assert isinstance((await asking).refusal, Unloaded)


@on_every_loop
async def test_a_caller_who_waits_for_a_word_to_send_gets_it_before_any_answer_can_come() -> None:
    """Later it would stand in the middle of the answer of a server that answers at once."""
    async with RawUpstream() as upstream:
        body = Coming(1)
        connection = await Pool(upstream.address).take()
        pump = Pump(body, False, lambda _: None)
        pump.start(connection)
        assert body.invited
        await pump.stop()
        connection.abort()


@on_every_loop
async def test_a_body_whose_sender_is_gone_is_nobodys_fault() -> None:
    async with RawUpstream() as upstream:
        body = Coming()
        with capture_logs() as logs:
            asking = asyncio.create_task(relay(Pool(upstream.address), request_of(body), Collector(), broken))
            await (await upstream.peer()).head()
            body.pieces.put_nowait(ConnectionResetError("Connection lost"))
            await body.given.wait()
            asking.cancel()
            await asyncio.wait([asking])
        assert asking.cancelled()
        assert logs == []
