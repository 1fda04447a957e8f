"""The relay through a real aiohttp server: how an answer ends badly, whoever ends it."""

from __future__ import annotations

import asyncio

import pytest
from aiohttp import web

from llamaswap_py.errors import Unloaded, UpstreamFailed
from llamaswap_py.runtime.relay import Closer, Phase
from llamaswap_py.server.relayed import RequestSink
from tests.fakes.loops import on_all_loops, on_every_loop
from tests.fakes.messages import ANSWERS, SSE_HEAD, chunk, message
from tests.fakes.raw_upstream import Peer, RawUpstream
from tests.fakes.relay_app import RelayApp


@pytest.mark.fault("S59")
@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhelloHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil",
        ANSWERS["chunks"][0] + b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil",
    ],
)
@pytest.mark.parametrize("later", [False, True])
def test_what_a_server_sends_beyond_its_answer_reaches_nobody(answer: bytes, later: bool) -> None:
    async def scene() -> None:
        async with RawUpstream() as upstream, RelayApp(upstream.address) as app:
            caller = await app.caller()
            caller.post(b"{}")
            peer = await upstream.peer()
            await peer.request()
            at = answer.rindex(b"HTTP/1.1") if later else len(answer)
            await peer.send(answer[:at])
            assert (await message(caller)).body == b"hello"
            await peer.send(answer[at:])
            caller.post(b"{}")
            fresh = await upstream.peer()
            await fresh.answer(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nnext")
            assert (await message(caller)).body == b"next"
            await peer.gone()

    on_all_loops(scene)


@pytest.mark.fault("S59")
@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
        b"HTTP/1.1 101 Switching Protocols\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: a\nY: b\r\n\r\n",
        b"SSH-2.0-OpenSSH\r\n\r\n",
    ],
)
def test_a_head_that_cannot_be_trusted_is_a_typed_502_and_the_caller_may_ask_again(answer: bytes) -> None:
    async def scene() -> None:
        async with RawUpstream() as upstream, RelayApp(upstream.address) as app:
            caller = await app.caller()
            for _ in range(2):
                caller.post(b"{}")
                peer = await upstream.peer()
                await peer.answer(answer)
                got = await message(caller)
                assert got.head.startswith(b"HTTP/1.1 502 ")
                assert b"the model's server sent" in got.body or b"changed the protocol" in got.body
                outcome = await app.outcomes.get()
                assert isinstance(outcome.refusal, UpstreamFailed)
                assert outcome.phase is Phase.NOTHING
                assert outcome.bytes_sent == 0
                await peer.gone()

    on_all_loops(scene)


DEATHS = ["close", "reset", "bad chunk", "order"]


async def die(app: RelayApp, peer: Peer, death: str) -> None:
    if death == "order":
        app.pool.close(Unloaded("unloaded by order"))
    elif death == "bad chunk":
        await peer.send(b"zz\r\n")
    elif death == "reset":
        peer.reset()
    else:
        peer.close()


@pytest.mark.parametrize("death", DEATHS)
def test_a_stream_that_breaks_is_whole_events_then_the_error_event_then_a_broken_close(death: str) -> None:
    async def scene() -> None:
        async with RawUpstream() as upstream, RelayApp(upstream.address) as app:
            caller = await app.caller()
            caller.post(b"{}")
            caller.post(b"{}")  # pipelined: its answer may not come into the broken message
            peer = await upstream.peer()
            first = chunk(b"data: 1\n\n")
            await peer.answer(SSE_HEAD + first + chunk(b"data: half"))
            await caller.head()
            assert await caller.exactly(len(first)) == first
            await die(app, peer, death)
            code = b"model_unloaded" if death == "order" else b"upstream_failed"
            assert await caller.rest() == chunk(b'data: {"error":"%b"}\n\n' % code)
            outcome = await app.outcomes.get()
            assert outcome.phase is Phase.BODY
            assert outcome.closed_by is (Closer.US if death == "order" else Closer.UPSTREAM)
            assert outcome.refusal is not None
            assert not outcome.complete
            assert not outcome.keep_alive

    on_all_loops(scene)


@pytest.mark.fault("S46")
@pytest.mark.parametrize("death", ["close", "reset", "order"])
def test_a_body_of_known_length_that_breaks_is_closed_short(death: str) -> None:
    async def scene() -> None:
        async with RawUpstream() as upstream, RelayApp(upstream.address) as app:
            caller = await app.caller()
            caller.post(b"{}")
            peer = await upstream.peer()
            await peer.answer(b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhello")
            await caller.head()
            assert await caller.exactly(5) == b"hello"
            await die(app, peer, death)
            assert await caller.rest() == b""
            assert not (await app.outcomes.get()).complete

    on_all_loops(scene)


@pytest.mark.parametrize("death", DEATHS)
def test_chunks_that_break_have_no_last_one(death: str) -> None:
    async def scene() -> None:
        async with RawUpstream() as upstream, RelayApp(upstream.address) as app:
            caller = await app.caller()
            caller.post(b"{}")
            peer = await upstream.peer()
            await peer.answer(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")
            await caller.head()
            assert await caller.exactly(10) == b"5\r\nhello\r\n"
            await die(app, peer, death)
            assert await caller.rest() == b""

    on_all_loops(scene)


@pytest.mark.parametrize("death", DEATHS)
def test_an_old_caller_sees_a_break_as_a_reset(death: str) -> None:
    async def scene() -> None:
        async with RawUpstream() as upstream, RelayApp(upstream.address) as app:
            caller = await app.caller()
            caller.get(version="1.0")
            peer = await upstream.peer()
            await peer.answer(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")
            await caller.head()
            assert await caller.exactly(5) == b"hello"
            await die(app, peer, death)
            with pytest.raises(ConnectionResetError):
                await caller.rest()

    on_all_loops(scene)


@on_every_loop
async def test_a_reset_of_a_body_until_close_is_a_break_for_every_caller() -> None:
    async with RawUpstream() as upstream, RelayApp(upstream.address) as app:
        caller = await app.caller()
        caller.get()
        peer = await upstream.peer()
        await peer.answer(b"HTTP/1.0 200 OK\r\n\r\nhello")
        await caller.head()
        assert await caller.exactly(10) == b"5\r\nhello\r\n"
        peer.reset()
        assert await caller.rest() == b""
        assert not (await app.outcomes.get()).complete


@pytest.mark.fault("S49")
@on_every_loop
async def test_a_server_that_closes_only_its_sending_side_has_ended() -> None:
    async with RawUpstream() as upstream, RelayApp(upstream.address) as app:
        caller = await app.caller()
        caller.get()
        peer = await upstream.peer()
        await peer.answer(b"HTTP/1.0 200 OK\r\n\r\nhello")
        peer.finish()
        assert (await message(caller)).body == b"hello"
        await peer.gone()


@pytest.mark.parametrize("moment", ["before the head", "in the stream", "half-close"])
def test_when_the_caller_leaves_the_server_sees_it_too(moment: str) -> None:
    async def scene() -> None:
        async with RawUpstream() as upstream, RelayApp(upstream.address) as app:
            caller = await app.caller()
            caller.post(b"{}")
            peer = await upstream.peer()
            await peer.request()
            if moment != "before the head":
                await peer.send(SSE_HEAD + chunk(b"data: 1\n\n"))
                await caller.until(b"data: 1\n\n")
            if moment == "half-close":
                caller.writer.write_eof()
            else:
                caller.leave()
            await peer.gone()
            outcome = await app.outcomes.get()
            assert outcome.closed_by is Closer.CALLER
            assert outcome.refusal is None
            assert outcome.phase is (Phase.NOTHING if moment == "before the head" else Phase.BODY)
            assert app.pool.open == 0

    on_all_loops(scene)


async def mistaken(request: web.Request) -> web.StreamResponse:
    RequestSink(request).write(b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhello")
    raise RuntimeError("a mistake of ours after the first byte")


@on_every_loop
async def test_our_own_mistake_after_the_first_byte_adds_no_second_head() -> None:
    app = web.Application()
    app.router.add_get("/", mistaken)
    runner = web.AppRunner(app, handler_cancellation=True, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    reader, writer = await asyncio.open_connection("127.0.0.1", runner.addresses[0][1])
    writer.write(b"GET / HTTP/1.1\r\nHost: here\r\n\r\n")
    assert await reader.read() == b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhello"
    writer.close()
    await runner.cleanup()
