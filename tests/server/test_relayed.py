"""The relay through a real aiohttp server: every form of answer, in the right framing, each to its own request."""

from __future__ import annotations

import ssl

import pytest
import trustme

from llamaswap_py.runtime.relay import Phase
from tests.fakes.loops import on_all_loops, on_every_loop
from tests.fakes.messages import ANSWERS, SSE_HEAD, chunk, message
from tests.fakes.raw_upstream import RawUpstream
from tests.fakes.relay_app import RelayApp


@on_every_loop
async def test_an_answer_of_known_length_keeps_its_length_and_the_connection() -> None:
    hello = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
    async with RawUpstream(play=lambda _: hello) as upstream, RelayApp(upstream.address) as app:
        caller = await app.caller()
        for _ in range(3):
            caller.post(b"{}")
            head = await caller.head()
            assert b"Content-Length: 5\r\n" in head
            assert b"X-Request-Id: 7\r\n" in head
            assert b"Connection" not in head
            assert await caller.exactly(5) == b"hello"
            outcome = await app.outcomes.get()
            assert outcome.complete
            assert outcome.closed_by is None
            assert outcome.phase is Phase.COMPLETE
            assert outcome.bytes_sent == len(head) + 5
        assert upstream.connections == 1


@pytest.mark.fault("S57", "F45")
@on_every_loop
async def test_a_stream_of_events_arrives_event_by_event_and_ends_properly() -> None:
    async with RawUpstream() as upstream, RelayApp(upstream.address) as app:
        caller = await app.caller()
        caller.post(b"{}")
        peer = await upstream.peer()
        await peer.answer(SSE_HEAD)
        head = await caller.head()
        assert b"X-Accel-Buffering: no\r\n" in head
        assert b"Transfer-Encoding: chunked\r\n" in head
        for number in range(5):
            event = chunk(b"data: %d\n\n" % number)
            await peer.send(event)
            assert await caller.exactly(len(event)) == event
        await peer.send(b"0\r\n\r\n")
        assert await caller.exactly(5) == b"0\r\n\r\n"
        assert (await app.outcomes.get()).complete


@pytest.mark.parametrize("slowly", [False, True])
@pytest.mark.parametrize("kind", ANSWERS)
def test_each_form_of_answer_arrives_whole_and_the_next_request_gets_its_own(kind: str, slowly: bool) -> None:
    """Also when the server sends one byte at a time. Both connections are used again."""
    answer, body = ANSWERS[kind]

    async def scene() -> None:
        async with RawUpstream() as upstream, RelayApp(upstream.address) as app:
            caller = await app.caller()
            caller.post(b"{}")
            peer = await upstream.peer()
            for _ in range(2):
                await peer.request()
                await (peer.send_slowly(answer) if slowly else peer.send(answer))
                assert (await message(caller)).body == body
                caller.post(b"{}", "/next")
            await peer.answer(b"HTTP/1.1 201 Next\r\nContent-Length: 4\r\n\r\nnext")
            last = await message(caller)
            assert last.head.startswith(b"HTTP/1.1 201 Next\r\n")
            assert last.body == b"next"
            assert upstream.connections == 1

    on_all_loops(scene)


@on_every_loop
async def test_answers_without_body_end_at_their_head() -> None:
    async with RawUpstream() as upstream, RelayApp(upstream.address) as app:
        caller = await app.caller()
        caller.get(method="HEAD")
        peer = await upstream.peer()
        await peer.answer(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n")
        assert b"Content-Length: 500\r\n" in (await message(caller, bodiless=True)).head
        caller.get(method="HEAD")
        await peer.answer(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        assert b"Transfer-Encoding" not in (await message(caller, bodiless=True)).head
        caller.get()
        await peer.answer(b"HTTP/1.1 204 No Content\r\n\r\n")
        assert (await message(caller, bodiless=True)).head.startswith(b"HTTP/1.1 204 ")
        caller.get()
        await peer.answer(b"HTTP/1.1 304 Not Modified\r\nETag: 1\r\n\r\n")
        assert b"ETag: 1\r\n" in (await message(caller, bodiless=True)).head
        caller.get()
        await peer.answer(ANSWERS["length"][0])
        assert (await message(caller)).body == b"hello"
        assert upstream.connections == 1


@on_every_loop
async def test_a_body_until_close_is_chunked_for_new_callers_and_closed_for_old_ones() -> None:
    async with RawUpstream() as upstream, RelayApp(upstream.address) as app:
        new = await app.caller()
        for first in (b"HTTP/1.0 200 OK\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\n"):
            new.get()
            peer = await upstream.peer()
            await peer.answer(first + b"hello")
            peer.close()
            assert (await message(new)).body == b"hello"
        old = await app.caller()
        old.get(version="1.0")
        peer = await upstream.peer()
        await peer.answer(b"HTTP/1.0 200 OK\r\n\r\nhello")
        peer.close()
        answer = await message(old)
        assert answer.head.startswith(b"HTTP/1.0 200 OK\r\n")
        assert b"Connection: close\r\n" in answer.head
        assert answer.body == b"hello"
        assert upstream.connections == 3


@on_every_loop
async def test_an_old_caller_gets_no_chunks_and_may_keep_its_connection_where_a_length_is_known() -> None:
    async with RawUpstream() as upstream, RelayApp(upstream.address) as app:
        caller = await app.caller()
        ask = b"GET / HTTP/1.0\r\nHost: here\r\nConnection: keep-alive\r\n\r\n"
        caller.send(ask)
        peer = await upstream.peer()
        await peer.answer(ANSWERS["length"][0])
        answer = await message(caller)
        assert b"Connection: keep-alive\r\n" in answer.head
        assert answer.body == b"hello"
        caller.send(ask)
        await peer.answer(ANSWERS["events"][0])
        answer = await message(caller)
        assert b"Connection: close\r\n" in answer.head
        assert answer.body == ANSWERS["events"][1]


@on_every_loop
async def test_pipelined_requests_are_answered_in_order_each_in_its_framing() -> None:
    kinds = ["length", "chunks", "interim", "events", "empty"] * 3
    async with RawUpstream() as upstream, RelayApp(upstream.address) as app:
        caller = await app.caller()
        for kind in kinds:
            caller.post(kind.encode())
        peer = await upstream.peer()
        for kind in kinds:
            assert (await peer.answer(ANSWERS[kind][0])).endswith(kind.encode())
        for kind in kinds:
            assert (await message(caller)).body == ANSWERS[kind][1]


@on_every_loop
async def test_tls_in_front_changes_nothing() -> None:
    authority = trustme.CA()
    server, client = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH), ssl.create_default_context()
    authority.issue_cert("localhost").configure_cert(server)
    authority.configure_trust(client)
    big = b"x" * 3_000_000
    async with RawUpstream() as upstream, RelayApp(upstream.address, tls=server) as app:
        caller = await app.caller(tls=client)
        caller.post(b"{}")
        peer = await upstream.peer()
        for answer, body in ANSWERS.values():
            await peer.answer(answer)
            assert (await message(caller)).body == body
            caller.post(b"{}")
        await peer.answer(b"HTTP/1.1 200 OK\r\nContent-Length: 3000000\r\n\r\n" + big)
        assert (await message(caller)).body == big
        caller.post(b"{}")
        await peer.answer(SSE_HEAD + chunk(b"data: 1\n\n") + chunk(b"data: half"))
        await caller.until(chunk(b"data: 1\n\n"))
        peer.close()
        assert await caller.rest() == chunk(b'data: {"error":"upstream_failed"}\n\n')


@on_every_loop
async def test_tls_behind_is_spoken_where_the_address_says_https() -> None:
    """The certificate is checked: one that nobody vouches for is a typed 502."""
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    trustme.CA().issue_cert("localhost").configure_cert(server)
    async with RawUpstream(tls=server) as upstream, RelayApp(upstream.address) as app:
        caller = await app.caller()
        caller.get()
        got = await message(caller)
        assert got.head.startswith(b"HTTP/1.1 502 ")
        assert b"certificate" in got.body.lower()
