"""What the house itself asks of a server: a status, or a small answer as a whole."""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from llamaswap_py.errors import Refusal, Unloaded, UpstreamFailed, UpstreamTimeout
from llamaswap_py.runtime.fetching import REST_BYTES, fetch, probe, status
from llamaswap_py.runtime.pool import Pool
from llamaswap_py.wire.address import Address
from tests.fakes.loops import on_all_loops, on_every_loop
from tests.fakes.raw_upstream import RawUpstream

Asks = Callable[[Pool, str, float], Coroutine[Any, Any, int]]


@on_every_loop
async def test_a_probe_gives_the_status_over_a_connection_of_its_own() -> None:
    async with RawUpstream() as upstream:
        address = Address("http", "localhost", upstream.port, "/base")
        pool = Pool(address)
        probing = asyncio.create_task(status(pool, "/health", 5.0))
        peer = await upstream.peer()
        asked = await peer.answer(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 503 Loading\r\nContent-Length: 9\r\n\r\n")
        assert asked.startswith(b"GET /base/health HTTP/1.1\r\nHost: localhost:%d\r\n" % upstream.port)
        assert await probing == 503
        await peer.gone()
        assert (pool.open, pool.idle) == (0, 0)


@pytest.mark.parametrize("asks", [status, probe])
@pytest.mark.parametrize(
    ("answer", "error"), [(b"", UpstreamFailed), (b"nonsense\r\n\r\n", UpstreamFailed), (None, UpstreamTimeout)]
)
def test_a_probe_without_an_answer_raises(asks: Asks, answer: bytes | None, error: type[Refusal]) -> None:
    async def scene() -> None:
        async with RawUpstream() as upstream:
            pool = Pool(upstream.address)
            probing = asyncio.create_task(asks(pool, "/", 0.05 if answer is None else 5.0))
            peer = await upstream.peer()
            await peer.request()
            if answer is not None:
                await peer.send(answer)
                peer.close()
            with pytest.raises(error):
                await probing
            await peer.gone()
            assert (pool.open, pool.idle) == (0, 0)

    on_all_loops(scene)


async def failure(asking: Coroutine[Any, Any, int]) -> str:
    try:
        return f"no failure, but {await asking}"
    except Refusal as refusal:
        return str(refusal)


@pytest.mark.fault("O78")
@pytest.mark.parametrize("by_order", [False, True])
@pytest.mark.parametrize("asks", [status, probe])
def test_a_question_that_fails_leaves_nothing_to_be_collected(asks: Asks, by_order: bool) -> None:
    """Neither what it raises, nor through that the pool: and so all that knows of the run."""
    pools: list[weakref.ref[Pool]] = []

    async def scene() -> None:
        async with RawUpstream() as upstream:
            pool = Pool(upstream.address)
            pools.append(weakref.ref(pool))
            failing = asyncio.create_task(failure(asks(pool, "/", 5.0)))
            peer = await upstream.peer()
            await peer.request()
            if by_order:
                pool.close(Unloaded("by order"))
            else:
                peer.close()
            assert await failing == (
                "by order" if by_order else "the model's server closed the connection before it answered"
            )
            await peer.gone()

    gc.disable()
    try:
        on_all_loops(scene)
        assert [pool() for pool in pools] == [None] * len(pools)
    finally:
        gc.enable()


@on_every_loop
async def test_an_answer_comes_whole_over_a_connection_of_its_own() -> None:
    async with RawUpstream() as upstream:
        pool = Pool(upstream.address)
        asking = asyncio.create_task(fetch(pool, "/metrics", 5.0, 5))
        peer = await upstream.peer()
        await peer.answer(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n")
        await peer.send(b"3\r\nllo\r\n0\r\n\r\n")
        head, body = await asking
        assert (head.status, body) == (200, b"hello")
        await peer.gone()
        assert (pool.open, pool.idle) == (0, 0)


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nlonger", "longer than 5 bytes"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel", "in the middle of its answer"),
        (b"HTTP/1.1 200 OK\r\nContent-Le", "before it answered"),
        (b"nonsense\r\n\r\n", "model's server"),
    ],
)
def test_an_answer_that_is_not_whole_is_none(answer: bytes, why: str) -> None:
    async def scene() -> None:
        async with RawUpstream() as upstream:
            asking = asyncio.create_task(fetch(Pool(upstream.address), "/", 5.0, 5))
            peer = await upstream.peer()
            await peer.answer(answer)
            peer.close()
            with pytest.raises(UpstreamFailed, match=why):
                await asking

    on_all_loops(scene)


@on_every_loop
async def test_a_servers_probes_and_its_first_caller_share_a_connection() -> None:
    async with RawUpstream() as upstream:
        pool = Pool(upstream.address)
        first = asyncio.create_task(probe(pool, "/health", 5.0))
        peer = await upstream.peer()
        asked = await peer.answer(b"HTTP/1.1 503 Loading\r\nContent-Length: 4\r\n\r\nwait")
        assert b"connection: close" not in asked.lower()
        assert await first == 503
        second = asyncio.create_task(probe(pool, "/health", 5.0))
        await peer.answer(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ngo!!")
        assert await second == 200
        assert (pool.open, pool.idle, upstream.connections) == (1, 1, 1)
        pool.close(UpstreamFailed("over"))


@on_every_loop
async def test_a_probe_knows_the_status_before_the_rest_has_come() -> None:
    async with RawUpstream() as upstream:
        pool = Pool(upstream.address)
        probing = asyncio.create_task(probe(pool, "/", 5.0))
        peer = await upstream.peer()
        await peer.answer(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ng")
        assert await probing == 200
        assert (pool.open, pool.idle) == (1, 0)
        await peer.send(b"o!!")
        while not pool.idle:
            await status_of_another(upstream)
        pool.close(UpstreamFailed("over"))


async def status_of_another(upstream: RawUpstream) -> None:
    """A turn of both ends."""
    asking = asyncio.create_task(status(Pool(upstream.address), "/", 5.0))
    peer = await upstream.peer()
    await peer.answer(b"HTTP/1.1 200 OK\r\n\r\n")
    await asking


@pytest.mark.parametrize(
    "rest",
    [
        pytest.param(b"Content-Length: 99999\r\n\r\n" + bytes(REST_BYTES + 1), id="too long"),
        pytest.param(b"Content-Length: 5\r\n\r\nhel", id="never there"),
        pytest.param(b"Transfer-Encoding: chunked\r\n\r\nnonsense\r\n", id="no answer"),
        pytest.param(b"Connection: close\r\nContent-Length: 0\r\n\r\n", id="the last one"),
        pytest.param(b"Content-Length: 0\r\n\r\nHTTP/1.1 200 OK\r\n\r\n", id="more than was asked"),
    ],
)
def test_a_connection_whose_answer_does_not_end_soon_is_not_kept(rest: bytes) -> None:
    async def scene() -> None:
        async with RawUpstream() as upstream:
            pool = Pool(upstream.address)
            probing = asyncio.create_task(status_or_none(pool))
            peer = await upstream.peer()
            await peer.answer(b"HTTP/1.1 200 OK\r\n" + rest)
            await probing
            await peer.gone()
            assert (pool.open, pool.idle) == (0, 0)

    on_all_loops(scene)


@on_every_loop
async def test_a_server_of_the_old_kind_closes_by_itself() -> None:
    """It says so by its version alone."""
    async with RawUpstream() as upstream:
        pool = Pool(upstream.address)
        probing = asyncio.create_task(probe(pool, "/", 5.0))
        peer = await upstream.peer()
        await peer.answer(b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n")
        assert await probing == 200
        await peer.gone()
        assert (pool.open, pool.idle) == (0, 0)


@on_every_loop
async def test_who_needs_a_new_connection_finds_none_of_the_houses_in_its_way() -> None:
    """A server may look at one at a time."""
    async with RawUpstream() as upstream:
        pool = Pool(upstream.address)
        probing = asyncio.create_task(probe(pool, "/", 5.0))
        peer = await upstream.peer()
        await peer.answer(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        await probing
        assert pool.idle == 1
        await pool.take(fresh=True)
        await peer.gone()
        pool.close(UpstreamFailed("over"))


async def status_or_none(pool: Pool) -> int:
    try:
        return await probe(pool, "/", 5.0)
    except UpstreamFailed:
        return 0
