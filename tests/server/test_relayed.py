"""The relay through a real aiohttp server, seen by callers of raw bytes, against servers of raw bytes."""

from __future__ import annotations

from llamaswap_py.runtime.relay import Phase
from tests.fakes.loops import on_every_loop
from tests.fakes.raw_upstream import RawUpstream
from tests.fakes.relay_app import RelayApp

SSE_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


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
        caller.close()


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
        caller.close()
