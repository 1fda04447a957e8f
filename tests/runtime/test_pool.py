"""Connections to a run: used again while that is safe, retired before the server would close, ended by order."""

from __future__ import annotations

import asyncio
import contextlib
import os
import resource
import socket
from collections.abc import Iterator

import pytest

from llamaswap_py.config.values import Timeouts
from llamaswap_py.errors import Refusal, Unloaded, UpstreamFailed
from llamaswap_py.runtime.fetching import status
from llamaswap_py.runtime.pool import DROPPED_AT_ONCE, Pool, listens
from llamaswap_py.runtime.upstream import Connection
from llamaswap_py.wire.address import Address
from llamaswap_py.wire.headers import Head
from tests.fakes.loops import on_all_loops, on_every_loop
from tests.fakes.raw_upstream import RawUpstream

PLAIN = Head((1, 1), 200, b"OK", ())
ASK = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


class Ear:
    """Hears what a connection says."""

    def __init__(self) -> None:
        self.heard: asyncio.Queue[bytes | Refusal | None] = asyncio.Queue()

    def received(self, data: bytes) -> None:
        self.heard.put_nowait(data)

    def ended(self) -> None:
        self.heard.put_nowait(b"")

    def lost(self, why: Refusal | None) -> None:
        self.heard.put_nowait(why)


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def keeping(value: bytes) -> Head:
    return Head((1, 1), 200, b"OK", (b"Keep-Alive: " + value,))


@contextlib.contextmanager
def nobody() -> Iterator[int]:
    """A port that is taken, so that nobody else can listen there, and refuses."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


@contextlib.contextmanager
def deaf() -> Iterator[int]:
    """A port whose queue is full: who dials it hangs."""
    with contextlib.ExitStack() as held:
        listener = held.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        port = listener.getsockname()[1]
        for _ in range(4):
            filler = held.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(("127.0.0.1", port))
        yield port


async def used(pool: Pool, connection: Connection | None = None) -> Connection:
    connection = connection or await pool.take()
    connection.begin(Ear(), ASK, b"")
    return connection


@on_every_loop
async def test_the_connection_given_back_last_is_taken_first() -> None:
    async with RawUpstream() as upstream:
        pool = Pool(upstream.address)
        first, second = await used(pool), await used(pool)
        assert (pool.open, pool.idle) == (2, 0)
        pool.give(first, PLAIN)
        pool.give(second, PLAIN)
        assert (pool.open, pool.idle) == (2, 2)
        assert await pool.take() is second
        assert await pool.take() is first
        assert await pool.take() not in (first, second)
        assert (pool.open, pool.idle) == (3, 0)
        pool.close(Unloaded("over"))


@pytest.mark.fault("S60")
@pytest.mark.parametrize(
    ("head", "seconds"),
    [
        (PLAIN, 4.0),
        (keeping(b"timeout=5, max=100"), 4.0),
        (keeping(b"timeout=1"), 0.5),
        (keeping(b"timeout=60"), 59.0),
        (keeping(b"max=7"), 4.0),
    ],
)
def test_an_idle_connection_is_retired_before_the_server_would_close_it(head: Head, seconds: float) -> None:
    async def scene() -> None:
        async with RawUpstream() as upstream:
            clock = Clock()
            pool = Pool(upstream.address, now=clock)
            connection = await used(pool)
            pool.give(connection, head)
            clock.now += seconds - 0.1
            assert await pool.take() is connection
            pool.give(connection, head)
            clock.now += seconds
            assert await pool.take() is not connection
            pool.close(Unloaded("over"))

    on_all_loops(scene)


@on_every_loop
async def test_idle_connections_are_closed_in_time_though_nobody_asks() -> None:
    async with RawUpstream() as upstream:
        pool = Pool(upstream.address)
        connection = await used(pool)
        peer = await upstream.peer()
        await peer.request()
        pool.give(connection, keeping(b"timeout=1"))
        await peer.gone()
        assert (pool.open, pool.idle) == (0, 0)


@on_every_loop
async def test_a_connection_carries_as_many_requests_as_the_server_allows() -> None:
    async with RawUpstream() as upstream:
        pool = Pool(upstream.address)
        head = keeping(b"timeout=5, max=3")
        connection = await used(pool)
        for _ in range(2):
            pool.give(connection, head)
            assert await used(pool, await pool.take()) is connection
        pool.give(connection, head)
        assert pool.idle == 0
        await (await upstream.peer()).gone()
        pool.give(await used(pool), keeping(b"timeout=0"))
        assert pool.idle == 0
        pool.close(Unloaded("over"))


@pytest.mark.parametrize("how", ["close", "reset", "talk"])
def test_a_connection_that_is_no_longer_silent_is_not_handed_out(how: str) -> None:
    async def scene() -> None:
        async with RawUpstream() as upstream:
            pool = Pool(upstream.address)
            connection = await used(pool)
            peer = await upstream.peer()
            await peer.request()
            pool.give(connection, PLAIN)
            if how == "talk":
                await peer.send(b"HTTP/1.1 408 Too Slow\r\n\r\n")
            elif how == "reset":
                peer.reset()
                await peer.closed()
            else:
                peer.close()
                await peer.closed()
            assert await pool.take() is not connection
            pool.close(Unloaded("over"))

    on_all_loops(scene)


@on_every_loop
async def test_a_connection_with_unsent_bytes_is_not_kept() -> None:
    async with RawUpstream() as upstream:
        pool = Pool(upstream.address)
        connection = await pool.take()
        connection.begin(Ear(), ASK, b"x" * 50_000_000)
        assert not connection.sending.done
        pool.give(connection, PLAIN)
        assert pool.idle == 0
        pool.close(Unloaded("over"))


@on_every_loop
async def test_a_request_on_a_connection_that_is_already_lost_is_answered_at_once() -> None:
    async with RawUpstream() as upstream:
        pool, ear = Pool(upstream.address), Ear()
        connection = await pool.take()
        connection.abort()
        connection.begin(ear, ASK, b"")
        assert await ear.heard.get() is None


@pytest.mark.fault("F27")
@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_localhost_is_dialled_on_both_loopbacks(host: str) -> None:
    async def scene() -> None:
        async with RawUpstream(host) as upstream:
            pool = Pool(Address("http", "localhost", upstream.port))
            await used(pool)
            await used(pool, await pool.take(fresh=True))
            await upstream.peer()
            await upstream.peer()
            pool.close(Unloaded("over"))

    on_all_loops(scene)


@on_every_loop
async def test_a_server_that_is_not_there_is_named() -> None:
    with nobody() as port:
        for host in ("localhost", "127.0.0.1"):
            address = Address("http", host, port)
            with pytest.raises(UpstreamFailed, match=str(address)):
                await Pool(address).take()


@on_every_loop
async def test_whether_anybody_listens_is_seen_by_a_connection() -> None:
    async with RawUpstream() as upstream:
        pool = Pool(upstream.address)
        assert await listens(pool)
        await (await upstream.peer()).gone()
        assert pool.idle == 0
    with nobody() as port:
        assert not await listens(Pool(Address("http", "127.0.0.1", port)))


@on_every_loop
async def test_the_order_to_close_ends_all_connections_and_refuses_new_ones() -> None:
    async with RawUpstream() as upstream:
        pool = Pool(upstream.address)
        ear, refusal = Ear(), Unloaded("by order")
        busy, idle = await pool.take(), await used(pool)
        busy.begin(ear, ASK, b"")
        pool.give(idle, PLAIN)
        pool.close(refusal)
        assert await ear.heard.get() is refusal
        for _ in range(2):
            await (await upstream.peer()).gone()
        with pytest.raises(Unloaded):
            await pool.take()
        with pytest.raises(Unloaded):
            await status(pool, "/", 1.0)
        assert pool.idle == 0


@on_every_loop
async def test_of_many_idle_connections_some_are_closed_at_a_time() -> None:
    async with RawUpstream() as upstream:
        pool = Pool(upstream.address)
        many = [await used(pool) for _ in range(2 * DROPPED_AT_ONCE + 1)]
        for connection in many:
            pool.give(connection, PLAIN)
        pool.close(Unloaded("over"))
        pool.close(Unloaded("and gone"))
        assert sum(connection.usable for connection in many) == DROPPED_AT_ONCE + 1
        with pytest.raises(Unloaded, match="and gone"):
            await pool.take()
        for _ in many:
            await (await upstream.peer()).gone()
        assert not any(connection.usable for connection in many)
        assert (pool.open, pool.idle) == (0, 0)


@on_every_loop
async def test_a_server_hears_at_once_that_its_pool_is_closed() -> None:
    """Not with the loop's next turn: its own end waits for that of its connections."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(20)
        pool = Pool(Address("http", "127.0.0.1", server.getsockname()[1], ""))
        await pool.take()
        peer, _ = server.accept()
        with peer:
            peer.settimeout(20)
            pool.close(Unloaded("over"))
            assert peer.recv(1) == b""  # the loop stands still


@on_every_loop
async def test_a_pool_closes_at_the_limit_of_descriptors_too() -> None:
    async with RawUpstream() as upstream:
        pool = Pool(upstream.address)
        await pool.take()
        peer = await upstream.peer()
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))
        try:
            pool.close(Unloaded("over"))
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        await peer.gone()
        assert pool.open == 0


@on_every_loop
async def test_the_order_to_close_reaches_who_is_still_dialling() -> None:
    """Who hangs there is freed at once, not after the time limit."""
    with deaf() as port:
        pool, loop = Pool(Address("http", "127.0.0.1", port)), asyncio.get_running_loop()
        dialling = asyncio.create_task(pool.take())
        loop.call_soon(loop.call_soon, pool.close, Unloaded("order"))
        with pytest.raises(Unloaded):
            await dialling


@on_every_loop
async def test_a_dial_that_takes_too_long_fails() -> None:
    with deaf() as port, pytest.raises(UpstreamFailed, match="no answer in time"):
        await Pool(Address("http", "127.0.0.1", port), timeouts=Timeouts(connect=0.05)).take()


@on_every_loop
async def test_what_is_written_goes_at_once() -> None:
    """Small pieces of an upload do not wait for the other side's word."""
    async with RawUpstream() as upstream:
        pool = Pool(upstream.address)
        connection = await pool.take()
        with socket.socket(fileno=os.dup(connection.descriptor)) as opened:
            assert opened.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        pool.close(Unloaded("over"))


@on_every_loop
async def test_a_pool_that_is_closed_knocks_nowhere() -> None:
    """A server that was told to stop sees no new connection of ours."""
    async with RawUpstream() as upstream:
        pool = Pool(upstream.address)
        assert not pool.refuses()
        pool.close(Unloaded("order"))
        await (await upstream.peer()).gone()
        assert not pool.refuses()
        assert upstream.connections == 1
