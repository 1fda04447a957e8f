"""The relay through a real aiohttp server: readers that stop, and bodies that are large."""

from __future__ import annotations

import asyncio

import psutil
import pytest

from llamaswap_py.errors import Unloaded
from llamaswap_py.runtime.relay import Closer
from tests.fakes.loops import LOOPS, on_every_loop, on_loop
from tests.fakes.messages import ANSWERS, SSE_HEAD, chunk, message
from tests.fakes.raw_upstream import Peer, RawUpstream
from tests.fakes.relay_app import RelayApp

FLOOD = 3200  # pieces of 64 KiB: 200 MiB
BIG_EVENT = chunk(b"data: %b\n\n" % (b"x" * 65528))
FLOODS = {
    "length": (b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (FLOOD * 65536 + 5), b"x" * 65536),
    "chunks": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", chunk(b"x" * 65536)),
    "events": (SSE_HEAD, BIG_EVENT),
}


async def flood(peer: Peer, piece: bytes) -> None:
    for _ in range(FLOOD):
        await peer.send(piece)
    await peer.send(b"0\r\n\r\n")


@pytest.mark.fault("S53")
@pytest.mark.parametrize("kind", FLOODS)
@pytest.mark.parametrize("loop", LOOPS)
def test_a_reader_that_stops_stops_the_server_and_memory_stays_flat(kind: str, loop: str) -> None:
    """200 MB for a caller who does not read: the server is held, nothing piles up; read on, all of it arrives."""
    head, piece = FLOODS[kind]
    memory = psutil.Process()

    async def scene() -> None:
        async with RawUpstream() as upstream, RelayApp(upstream.address) as app:
            caller = await app.caller()
            caller.post(b"{}")
            peer = await upstream.peer()
            await peer.answer(head)
            await caller.head()
            caller.stop_reading()
            before = most = memory.memory_info().rss
            feeding = asyncio.create_task(flood(peer, piece))
            await app.full.wait()
            assert not feeding.done()
            caller.read_on()
            size, end = 0, b""
            while end != b"0\r\n\r\n":
                got = await caller.reader.read(1 << 20)
                assert got
                size, end = size + len(got), (end + got)[-5:]
                most = max(most, memory.memory_info().rss)
            assert size >= FLOOD * 65536
            assert most - before < 16 * 1024 * 1024
            await feeding
            assert (await app.outcomes.get()).complete

    on_loop(loop, scene)


@on_every_loop
async def test_an_order_to_end_reaches_a_relay_whose_caller_does_not_read() -> None:
    async with RawUpstream() as upstream, RelayApp(upstream.address) as app:
        caller = await app.caller()
        caller.post(b"{}")
        peer = await upstream.peer()
        await peer.answer(SSE_HEAD)
        await caller.head()
        caller.stop_reading()
        feeding = asyncio.create_task(flood(peer, BIG_EVENT))
        await app.full.wait()
        app.pool.close(Unloaded("unloaded by order"))
        outcome = await app.outcomes.get()
        assert outcome.closed_by is Closer.US
        with pytest.raises(ConnectionError):
            await feeding
        caller.leave()


@on_every_loop
async def test_a_caller_who_stops_reading_and_then_leaves_frees_the_server() -> None:
    async with RawUpstream() as upstream, RelayApp(upstream.address) as app:
        caller = await app.caller()
        caller.post(b"{}")
        peer = await upstream.peer()
        await peer.answer(SSE_HEAD)
        await caller.head()
        caller.stop_reading()
        feeding = asyncio.create_task(flood(peer, BIG_EVENT))
        await app.full.wait()
        caller.leave()
        assert (await app.outcomes.get()).closed_by is Closer.CALLER
        with pytest.raises(ConnectionError):
            await feeding


@on_every_loop
async def test_answers_to_pipelined_requests_do_not_pile_up_before_a_reader_that_stops() -> None:
    """A complete answer is out of the relay's hands; the next is not begun before there is room for it."""
    body, requests = b"x" * 50_000, 500
    answer = b"HTTP/1.1 200 OK\r\nKeep-Alive: max=1000\r\nContent-Length: 50000\r\n\r\n" + body
    async with RawUpstream(play=lambda _: answer) as upstream, RelayApp(upstream.address) as app:
        caller = await app.caller()
        caller.stop_reading()
        for _ in range(requests):
            caller.post(b"{}")
        await app.full.wait()
        caller.read_on()
        for _ in range(requests):
            assert (await message(caller)).body == body
        assert not app.begun_full


@on_every_loop
async def test_a_large_request_body_arrives_whole_and_an_early_answer_is_passed_on() -> None:
    body = bytes(range(256)) * 40_000
    async with RawUpstream() as upstream, RelayApp(upstream.address) as app:
        caller = await app.caller()
        caller.post(body)
        peer = await upstream.peer()
        assert (await peer.request()).endswith(b"\r\n\r\n" + body)
        await peer.send(ANSWERS["length"][0])
        assert (await message(caller)).body == b"hello"
        caller.post(body)
        await peer.head()
        await peer.send(b"HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\n\r\nbig")
        assert (await message(caller)).body == b"big"
        await peer.gone()
        assert app.pool.open == 0
