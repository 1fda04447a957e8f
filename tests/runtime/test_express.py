"""Streams that ride: every byte once and in order, whatever comes between, and an end that can be told from a break."""

from __future__ import annotations

import asyncio
import os
import random
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from itertools import pairwise

import pytest

from llamaswap_py.errors import Unloaded, UpstreamFailed
from llamaswap_py.runtime.express import FEW, Express
from llamaswap_py.runtime.heartbeat import COMMENT, Heart
from llamaswap_py.runtime.pool import Pool
from llamaswap_py.runtime.relay import Closer, Manner, Phase, relay
from llamaswap_py.server.taking import Taker
from tests.fakes.loops import LOOPS, on_all_loops, on_every_loop, on_loop
from tests.fakes.messages import SSE_HEAD, chunk, message
from tests.fakes.raw_upstream import Peer, RawUpstream
from tests.fakes.relay_app import RawCaller, RelayApp
from tests.runtime.test_relay import REQUEST, Collector, broken

END = b"0\r\n\r\n"


def event(number: int, size: int = 0) -> bytes:
    return b"data: %d %b\n\n" % (number, b"x" * size)


async def begun(upstream: RawUpstream, app: RelayApp, events: int = 6) -> tuple[RawCaller, Peer]:
    """A stream of which so many events have come one by one: it rides, where this machine knows how."""
    caller = await app.caller()
    caller.post(b"{}")
    peer = await upstream.peer()
    await peer.answer(SSE_HEAD)
    await caller.head()
    for number in range(events):
        await peer.send(chunk(event(number)))
        assert await caller.until(b"\n\n\r\n") == chunk(event(number))
    assert (app.express.riding > 0) == (sys.platform == "linux")
    return caller, peer


async def cut_anywhere(peer: Peer, body: bytes, dice: random.Random) -> None:
    at = 0
    while at < len(body):
        size = dice.choice([1, 7, 300, 5000, 100_000])
        await peer.send(body[at : at + size])
        at += size


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("seed", range(3))
def test_many_streams_at_once_cut_anywhere_arrive_byte_for_byte(loop: str, seed: int) -> None:
    async def scene() -> None:
        dice = random.Random(seed)
        async with RawUpstream() as upstream, RelayApp(upstream.address) as app:
            streams = [await begun(upstream, app) for _ in range(8)]
            sent = [[event(number, dice.choice([0, 50, 3000])) for number in range(6, 300)] for _ in streams]
            feeding = [
                asyncio.create_task(cut_anywhere(peer, b"".join(map(chunk, events)) + END, dice))
                for (_, peer), events in zip(streams, sent, strict=True)
            ]
            for (caller, _), events in zip(streams, sent, strict=True):
                assert await rest_of(caller) == b"".join(events)
            await asyncio.gather(*feeding)
            assert [(await app.outcomes.get()).complete for _ in streams] == [True] * 8
            assert app.express.riding == 0

    on_loop(loop, scene)


async def rest_of(caller: RawCaller) -> bytes:
    """What is in the chunks that still come."""
    raw = b""
    while not raw.endswith(b"\r\n" + END):
        got = await caller.reader.read(1 << 20)
        assert got, "cut short"
        raw += got
    body, at = [], 0
    while size := int(raw[at : (line := raw.index(b"\r\n", at))], 16):
        body.append(raw[line + 2 : line + 2 + size])
        at = line + 4 + size
    assert raw[at:] == END
    return b"".join(body)


@on_every_loop
async def test_after_a_ride_both_connections_carry_the_next_one() -> None:
    async with RawUpstream() as upstream, RelayApp(upstream.address) as app:
        caller, peer = await begun(upstream, app)
        await peer.send(chunk(event(6)) + END)
        assert await rest_of(caller) == event(6)
        caller.post(b"{}")
        await peer.answer(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")
        assert (await message(caller)).body == b"hi"
        assert upstream.connections == 1


@on_every_loop
async def test_when_many_end_at_once_the_loop_looks_at_everything_else_between() -> None:
    many = 3 * FEW
    async with RawUpstream() as upstream, RelayApp(upstream.address) as app:
        peers = [peer for _, peer in [await begun(upstream, app) for _ in range(many)]]
        riding = [app.express.riding]
        ending = asyncio.gather(*(peer.send(END) for peer in peers))
        loop, over = asyncio.get_running_loop(), asyncio.Event()

        def look() -> None:
            riding.append(app.express.riding)
            if riding[-1]:
                loop.call_soon(look)
            else:
                over.set()

        look()
        await over.wait()
        await ending
        assert max(before - after for before, after in pairwise(riding)) <= FEW
        assert [(await app.outcomes.get()).complete for _ in peers] == [True] * many


async def each_by_itself(peer: Peer, events: list[bytes]) -> None:
    for each in events:
        await peer.send(chunk(each))
    await peer.send(END)


@pytest.mark.fault("S53")
@on_every_loop
async def test_a_reader_who_stops_in_mid_ride_stops_the_server_and_misses_nothing() -> None:
    async with RawUpstream() as upstream, RelayApp(upstream.address) as app:
        caller, peer = await begun(upstream, app)
        caller.stop_reading()
        events = [event(number, 60_000) for number in range(400)]
        feeding = asyncio.create_task(each_by_itself(peer, events))
        await app.full.wait()
        assert not feeding.done()
        caller.read_on()
        assert await rest_of(caller) == b"".join(events)
        await feeding


async def closes(peer: Peer, app: RelayApp) -> None:
    peer.close()


async def resets(peer: Peer, app: RelayApp) -> None:
    peer.reset()


async def closes_within_an_event(peer: Peer, app: RelayApp) -> None:
    await peer.send(chunk(event(6))[:-7])
    peer.close()


async def is_stopped(peer: Peer, app: RelayApp) -> None:
    app.pool.close(Unloaded("by order"))


@pytest.mark.fault("S45")
@pytest.mark.parametrize("end", [closes, resets, closes_within_an_event, is_stopped])
def test_a_server_that_goes_in_mid_ride_is_told_to_its_caller(end: Callable[[Peer, RelayApp], Awaitable[None]]) -> None:
    async def scene() -> None:
        async with RawUpstream() as upstream, RelayApp(upstream.address) as app:
            caller, peer = await begun(upstream, app)
            await end(peer, app)
            assert b'"error"' in await caller.until(b"\n\n\r\n")
            assert await caller.rest() == b""  # no last chunk
            outcome = await app.outcomes.get()
            assert outcome.phase is Phase.BODY
            assert isinstance(outcome.refusal, UpstreamFailed | Unloaded)
            assert app.express.riding == 0

    on_all_loops(scene)


@on_every_loop
async def test_a_caller_who_leaves_in_mid_ride_is_noticed_at_once() -> None:
    async with RawUpstream() as upstream, RelayApp(upstream.address) as app:
        caller, peer = await begun(upstream, app)
        caller.leave()
        await peer.gone()
        assert (await app.outcomes.get()).closed_by is Closer.CALLER
        assert app.express.riding == 0


def watch_departure(taker: Taker, seen: list[bool]) -> None:
    """Whether the descriptor was still the caller's own when it was told."""
    assert taker.transport is not None
    opened, ends = taker.transport.get_extra_info("socket").fileno(), taker.departure
    assert (ends is not None) == (sys.platform == "linux")
    file = os.fstat(opened).st_ino

    def departs() -> None:
        seen.append(os.fstat(opened).st_ino == file)
        if ends is not None:
            ends()

    taker.departure = departs


@on_every_loop
async def test_a_caller_departs_before_its_descriptor_is_closed() -> None:
    """Closed by him, or here: what rides may write to it until then."""
    async with RawUpstream() as upstream, RelayApp(upstream.address) as app:
        seen: list[bool] = []
        for leave in (RawCaller.leave, lambda _: app.takers[-1].force_close()):
            caller, peer = await begun(upstream, app)
            watch_departure(app.takers[-1], seen)
            leave(caller)
            await peer.gone()
        assert seen == [True, True]
        assert app.express.riding == 0


class Plain(Collector):
    """A caller with a socket of its own: what rides goes there, and what does not is collected."""

    def __init__(self) -> None:
        super().__init__()
        self.here, self.there = socket.socketpair()
        self.here.setblocking(False)
        self.descriptor = self.there.fileno()
        self.departure: Callable[[], None] | None = None

    def on_departure(self, call: Callable[[], None] | None) -> None:
        self.departure = call

    async def carried(self) -> bytes:
        return await asyncio.get_running_loop().sock_recv(self.here, 1 << 16)


@asynccontextmanager
async def aboard(heart: Heart | None = None) -> AsyncIterator[tuple[Plain, Peer, Pool, Express]]:
    """A stream that rides, and whose answer is whole at the end."""
    async with RawUpstream() as upstream:
        pool, sink, express = Pool(upstream.address), Plain(), Express(crowd=1)
        with sink.here, sink.there:
            manner = Manner(express=express, heart=heart)
            asked = asyncio.create_task(relay(pool, REQUEST, sink, broken, manner=manner))
            peer = await upstream.peer()
            await peer.answer(SSE_HEAD)
            while not express.riding:
                sink.came.clear()
                await peer.send(chunk(event(0)))
                await sink.came.wait()
            yield sink, peer, pool, express
            await peer.send(END)
            assert (await asked).complete
            pool.close(Unloaded("over"))


needs_rides = pytest.mark.skipif(sys.platform != "linux", reason="nobody rides here")


@needs_rides
@on_every_loop
async def test_nothing_is_written_to_the_descriptor_of_a_caller_who_departs() -> None:
    """It is about to be another one's."""
    async with aboard() as (sink, peer, _, express):
        await peer.send(chunk(event(1)))
        assert await sink.carried() == chunk(event(1))
        assert sink.departure is not None
        sink.departure()
        assert sink.departure is None
        assert express.riding == 0
        sink.came.clear()
        await peer.send(chunk(b"data: for nobody else\n\n"))
        await sink.came.wait()
        with pytest.raises(BlockingIOError):
            sink.here.recv(1024)
        assert b"for nobody else" in sink.taken


@needs_rides
@on_every_loop
async def test_what_rides_is_heard() -> None:
    """Else a server that answers would be taken for one that is stuck."""
    async with aboard() as (sink, peer, pool, express):
        for number in range(3):
            before = pool.heard
            await peer.send(chunk(event(number)))
            assert await sink.carried() == chunk(event(number))
            assert pool.heard > before
        assert express.riding
        before = pool.heard
    assert pool.heard > before


@needs_rides
@pytest.mark.fault("S48")
@on_every_loop
async def test_who_says_something_into_a_stream_is_the_only_one_who_writes() -> None:
    """What the loop's transport could not write yet would be cut in two by what rides past it."""
    heart = Heart(0.02)
    async with aboard(heart) as (sink, _, _, express):
        sink.taken = b""
        while COMMENT not in sink.taken:
            sink.came.clear()
            await sink.came.wait()
        assert express.riding == 0


@on_every_loop
async def test_what_comes_while_the_caller_has_not_taken_what_was_before_waits_its_turn() -> None:
    """A piece that only partly fits goes on through the transport; nothing overtakes the rest of it."""
    async with RawUpstream() as upstream, RelayApp(upstream.address) as app:
        caller, peer = await begun(upstream, app)
        caller.stop_reading()
        events = [event(number, 100) for number in range(60_000)]
        body = b"".join(map(chunk, events)) + END
        feeding = asyncio.create_task(peer.send(body))
        await app.full.wait()
        caller.read_on()
        assert await rest_of(caller) == b"".join(events)
        await feeding
