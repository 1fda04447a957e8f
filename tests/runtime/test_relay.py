"""The relay by itself: repetition, outcomes and cancellation, with a sink that only collects."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

import pytest

from llamaswap_py.config.values import Timeouts
from llamaswap_py.errors import BadRequest, Refusal, Unloaded, UpstreamFailed, UpstreamTimeout
from llamaswap_py.runtime.pool import Pool
from llamaswap_py.runtime.relay import Closer, Outcome, Phase, UpstreamRequest, relay
from llamaswap_py.wire.address import Address
from llamaswap_py.wire.headers import Caller
from llamaswap_py.wire.window import Piece
from tests.fakes.loops import on_all_loops, on_every_loop
from tests.fakes.raw_upstream import Peer, RawUpstream

REQUEST = UpstreamRequest("POST", "/v1", (("Host", "here"),), b"{}")
HELLO = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"


class Collector:
    """A caller who takes everything, until told to be full."""

    begun = 0
    descriptor = -1

    def __init__(self, version: tuple[int, int] = (1, 1)) -> None:
        self.caller = Caller("POST", version, True)
        self.taken = b""
        self.full = False
        self.waiting = asyncio.Event()
        self.drain: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.aborted: bool | None = None
        self.came = asyncio.Event()

    def on_departure(self, call: Callable[[], None] | None) -> None:
        pass

    def write(self, data: Piece) -> bool:
        self.taken += data
        self.came.set()
        return self.full

    def write_all(self, pieces: Sequence[Piece]) -> bool:
        return self.write(b"".join(pieces))

    async def drained(self) -> None:
        self.waiting.set()
        await self.drain
        self.full = False

    def abort(self, reset: bool) -> None:
        self.aborted = reset


def broken(refusal: Refusal) -> bytes:
    return b"data: broken\n\n"


async def warm(pool: Pool, upstream: RawUpstream) -> Peer:
    """Leave one used connection in the pool; its other end."""
    first = asyncio.create_task(relay(pool, REQUEST, Collector(), broken))
    peer = await upstream.peer()
    await peer.answer(HELLO)
    assert (await first).complete
    assert pool.idle == 1
    return peer


@pytest.mark.fault("S60")
@pytest.mark.parametrize("how", ["close", "reset"])
def test_a_used_connection_that_dies_before_its_first_byte_is_tried_once_more_on_a_fresh_one(how: str) -> None:
    async def scene() -> None:
        async with RawUpstream() as upstream:
            pool, sink = Pool(upstream.address), Collector()
            old = await warm(pool, upstream)
            asking = asyncio.create_task(relay(pool, REQUEST, sink, broken))
            await old.request()
            old.reset() if how == "reset" else old.close()
            fresh = await upstream.peer()
            assert (await fresh.answer(HELLO)).endswith(b"{}")
            assert (await asking).complete
            assert sink.taken.endswith(b"hello")
            assert upstream.connections == 2
            pool.close(Unloaded("over"))

    on_all_loops(scene)


@on_every_loop
async def test_nothing_is_asked_a_third_time() -> None:
    async with RawUpstream() as upstream:
        pool = Pool(upstream.address)
        old = await warm(pool, upstream)
        asking = asyncio.create_task(relay(pool, REQUEST, Collector(), broken))
        await old.request()
        old.close()
        fresh = await upstream.peer()
        await fresh.request()
        fresh.close()
        outcome = await asking
        assert isinstance(outcome.refusal, UpstreamFailed)
        assert outcome.phase is Phase.NOTHING
        assert upstream.connections == 2


@on_every_loop
async def test_a_fresh_connection_that_dies_and_one_that_had_begun_to_answer_are_not_tried_again() -> None:
    async with RawUpstream() as upstream:
        pool = Pool(upstream.address)
        asking = asyncio.create_task(relay(pool, REQUEST, Collector(), broken))
        peer = await upstream.peer()
        await peer.request()
        peer.close()
        outcome = await asking
        assert outcome.phase is Phase.NOTHING
        assert outcome.closed_by is Closer.UPSTREAM
        assert outcome.status == 0
        assert outcome.tries
        assert outcome.first_byte is None
        peer = await warm(pool, upstream)
        asking = asyncio.create_task(relay(pool, REQUEST, Collector(), broken))
        await peer.answer(b"HTTP/1.1 2")
        peer.close()
        assert isinstance((await asking).refusal, UpstreamFailed)
        assert upstream.connections == 2


@on_every_loop
async def test_an_unreachable_server_and_a_bad_request_are_outcomes_with_nothing_sent() -> None:
    async with RawUpstream() as upstream:
        address = upstream.address
        pool = Pool(address)
        bad = UpstreamRequest("POST", "/a b", ())
        outcome = await relay(pool, bad, Collector(), broken)
        assert isinstance(outcome.refusal, BadRequest)
        assert outcome.closed_by is Closer.US
    outcome = await relay(pool, REQUEST, Collector(), broken)
    assert isinstance(outcome.refusal, UpstreamFailed)
    assert str(address) in outcome.refusal.message
    assert not outcome.tries
    pool.close(Unloaded("by order"))
    outcome = await relay(pool, REQUEST, Collector(), broken)
    assert isinstance(outcome.refusal, Unloaded)
    assert outcome.closed_by is Closer.US


@on_every_loop
async def test_the_order_to_close_before_the_answer_is_not_tried_again() -> None:
    async with RawUpstream() as upstream:
        pool = Pool(upstream.address)
        peer = await warm(pool, upstream)
        asking = asyncio.create_task(relay(pool, REQUEST, Collector(), broken))
        await peer.request()
        pool.close(Unloaded("by order"))
        outcome = await asking
        assert isinstance(outcome.refusal, Unloaded)
        assert outcome.phase is Phase.NOTHING
        assert upstream.connections == 1


@on_every_loop
async def test_cancellation_closes_the_servers_connection_and_the_outcome_is_told_once() -> None:
    async with RawUpstream() as upstream:
        pool, told = Pool(upstream.address), list[Outcome]()
        asking = asyncio.create_task(relay(pool, REQUEST, Collector(), broken, told.append))
        peer = await upstream.peer()
        await peer.request()
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        await peer.gone()
        assert [outcome.closed_by for outcome in told] == [Closer.CALLER]
        assert pool.open == 0


@on_every_loop
async def test_a_full_sink_holds_the_server_until_it_drained() -> None:
    async with RawUpstream() as upstream:
        pool, sink = Pool(upstream.address), Collector()
        sink.full = True
        asking = asyncio.create_task(relay(pool, REQUEST, sink, broken))
        peer = await upstream.peer()
        await peer.answer(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello")
        await sink.waiting.wait()
        before = sink.taken
        await peer.send(b"world")
        sink.drain.set_result(None)
        outcome = await asking
        assert before.endswith(b"hello")
        assert sink.taken == before + b"world"
        assert outcome.complete
        assert outcome.first_byte is not None
        assert outcome.began <= outcome.first_byte <= outcome.ended
        pool.close(Unloaded("over"))


@pytest.mark.parametrize("how", ["order", "gone", "cancelled"])
def test_a_relay_that_waits_for_its_caller_can_be_ended_from_every_side(how: str) -> None:
    async def scene() -> None:
        async with RawUpstream() as upstream:
            pool, sink, told = Pool(upstream.address), Collector(), list[Outcome]()
            sink.full = True
            asking = asyncio.create_task(relay(pool, REQUEST, sink, broken, told.append))
            peer = await upstream.peer()
            await peer.answer(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello")
            await sink.waiting.wait()
            if how == "order":
                pool.close(Unloaded("by order"))
            elif how == "gone":
                sink.drain.set_exception(ConnectionResetError())
            else:
                asking.cancel()
            await asyncio.wait([asking])
            assert asking.cancelled() is (how == "cancelled")
            assert told[0].closed_by is (Closer.US if how == "order" else Closer.CALLER)
            await peer.gone()

    on_all_loops(scene)


@on_every_loop
async def test_a_dialect_that_fails_to_say_what_broke_does_not_leave_the_relay_waiting() -> None:
    def silent(refusal: Refusal) -> bytes:
        raise RuntimeError("a mistake in a dialect")

    async with RawUpstream() as upstream:
        loop, reported = asyncio.get_running_loop(), asyncio.Event()
        loop.set_exception_handler(lambda _, __: reported.set())
        pool = Pool(upstream.address)
        asking = asyncio.create_task(relay(pool, REQUEST, Collector(), silent))
        peer = await upstream.peer()
        await peer.answer(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello")
        peer.reset()
        assert not (await asking).complete
        await reported.wait()


@on_every_loop
async def test_the_address_adds_its_base_to_what_was_asked() -> None:
    async with RawUpstream() as upstream:
        pool = Pool(Address("http", "127.0.0.1", upstream.port, "/base"))
        asking = asyncio.create_task(relay(pool, REQUEST, Collector(), broken))
        peer = await upstream.peer()
        assert (await peer.answer(HELLO)).startswith(b"POST /base/v1 HTTP/1.1\r\nHost: here\r\n")
        assert (await asking).complete
        pool.close(Unloaded("over"))


@on_every_loop
async def test_a_server_that_begins_no_answer_in_its_time_is_given_up() -> None:
    """It had the whole request, so it is not asked again; its connection is closed."""
    async with RawUpstream() as upstream:
        pool = Pool(upstream.address, timeouts=Timeouts(response_header=0.05))
        outcome = await relay(pool, REQUEST, Collector(), broken)
        peer = await upstream.peer()
        await peer.request()
        await peer.gone()
        assert isinstance(outcome.refusal, UpstreamTimeout)
        assert outcome.tries
        assert outcome.phase is Phase.NOTHING
        assert pool.open == 0


@pytest.mark.fault("F44")
@on_every_loop
async def test_an_answer_that_has_begun_may_take_its_time() -> None:
    """The limit is lifted with the head, and a new one put for the next request."""
    async with RawUpstream() as upstream:
        pool, sink = Pool(upstream.address, timeouts=Timeouts(response_header=0.05)), Collector()
        asking = asyncio.create_task(relay(pool, REQUEST, sink, broken))
        peer = await upstream.peer()
        await peer.answer(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n")
        await sink.came.wait()
        later: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().call_later(0.1, later.set_result, None)  # the limit's own clock, twice
        await later
        await peer.send(b"hello")
        assert (await asking).complete
        pool.close(Unloaded("over"))


@pytest.mark.fault("S65")
@on_every_loop
async def test_trailers_are_dropped() -> None:
    """They could change what the head has said, which is with the caller already."""
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: Content-Length, X-Sum\r\n\r\n"
    peers: list[Peer] = []
    trailed = b"5\r\nhello\r\n0\r\nContent-Length: 9\r\nX-Sum: 1\r\n\r\n"
    async with RawUpstream() as upstream:
        pool = Pool(upstream.address)
        for cut in (0, 10, 15, 30, len(trailed)):
            sink = Collector()
            asking = asyncio.create_task(relay(pool, REQUEST, sink, broken))
            peer = peers[0] if peers else await upstream.peer()
            peers[:] = [peer]
            await peer.answer(head + trailed[:cut])
            await peer.send(trailed[cut:])
            assert (await asking).complete
            assert sink.taken.endswith(b"\r\n\r\n5\r\nhello\r\n0\r\n\r\n")
            assert b"X-Sum: 1" not in sink.taken
        assert upstream.connections == 1
        pool.close(Unloaded("over"))
