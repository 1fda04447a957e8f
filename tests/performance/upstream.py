"""The server behind every proxy that is measured: as cheap as Python can be, so that the proxies are what costs.

`python -m tests.performance.upstream --port N`. `GET /health` is 200. A POST whose body has `"stream":true` is answered
with events, as many and as quick as its `X-Work: <events> <per second>` says (0 per second: as fast as they are taken);
every other POST with one small chat answer.
"""

from __future__ import annotations

import argparse
import asyncio
from typing import ClassVar, cast

SLOT = 0.001  # streams of one pace are spread over slots of a millisecond, so that events do not come in step
EVENT = (
    b'data: {"choices":[{"finish_reason":null,"index":0,"delta":{"content":" word"}}],"created":1760000000,'
    b'"id":"chatcmpl-0123456789abcdefghijklmnopqrstuv","model":"m","system_fingerprint":"b1","object":'
    b'"chat.completion.chunk"}\n\n'
)
CHUNK = b"%x\r\n%s\r\n" % (len(EVENT), EVENT)
# As llama-server ends: what was spent, in an event that begins otherwise than the counted ones, and the word for it.
SPENT = (
    b'data:{"choices":[{"finish_reason":"stop","index":0,"delta":{}}],"object":"chat.completion.chunk","timings":'
    b'{"prompt_n":9,"prompt_ms":3.1,"prompt_per_second":2903.2,"predicted_n":6,"predicted_ms":20.0,'
    b'"predicted_per_second":300.0}}\n\n'
)
LAST = b"data: [DONE]\n\n"
END = b"%x\r\n%s\r\n%x\r\n%s\r\n0\r\n\r\n" % (len(SPENT), SPENT, len(LAST), LAST)
ANSWER = (
    b'{"choices":[{"finish_reason":"stop","index":0,"message":{"role":"assistant","content":"A few words, no more."}}],'
    b'"created":1760000000,"model":"m","object":"chat.completion","usage":{"completion_tokens":6,"prompt_tokens":9,'
    b'"total_tokens":15},"id":"chatcmpl-0123456789abcdefghijklmnopqrstuv","timings":{"prompt_n":9,"prompt_ms":3.1,'
    b'"prompt_per_second":2903.2,"predicted_n":6,"predicted_ms":20.0,"predicted_per_second":300.0}}'
)
KEEP = b"Keep-Alive: timeout=60, max=1000000\r\n"
PLAIN = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json; charset=utf-8\r\n%sServer: upstream\r\n"
    b"Content-Length: %d\r\n\r\n%s" % (KEEP, len(ANSWER), ANSWER)
)
STREAM = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n%sServer: upstream\r\nTransfer-Encoding: chunked\r\n\r\n"
    % KEEP
)
HEALTHY = b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 15\r\n\r\n{"status":"ok"}'
BURST = 16  # events in one write of a saturated stream: what a fast engine's socket holds when it is read


class Pace:
    """All streams of one rate: one timer for each slot, one write for each stream and turn."""

    def __init__(self, loop: asyncio.AbstractEventLoop, rate: float) -> None:
        self.loop = loop
        self.every = 1 / rate
        self.slots: list[set[Caller]] = [set() for _ in range(max(1, round(self.every / SLOT)))]
        self.began = loop.time()
        self.turn = 0
        self.loop.call_soon(self.tick)

    def join(self, caller: Caller) -> set[Caller]:
        slot = min(self.slots, key=len)
        slot.add(caller)
        return slot

    def tick(self) -> None:
        for caller in list(self.slots[self.turn % len(self.slots)]):
            caller.event()
        self.turn += 1
        due = self.began + self.turn * self.every / len(self.slots)
        self.loop.call_at(due, self.tick)


class Caller(asyncio.Protocol):
    paces: ClassVar[dict[float, Pace]] = {}
    transport: asyncio.Transport

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.held = b""
        self.left = 0
        self.slot: set[Caller] | None = None
        self.paused = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # uvloop's is none by its class

    def data_received(self, data: bytes) -> None:
        data = self.held + data
        head, found, body = data.partition(b"\r\n\r\n")
        length = int(field(head, b"content-length") or 0)
        if not found or len(body) < length:
            self.held = data
            return
        self.held = b""
        if data.startswith(b"GET"):
            self.transport.write(HEALTHY)
        elif b'"stream":true' in body or b'"stream": true' in body:
            self.begin(*(float(word) for word in field(head, b"x-work").split()))
        else:
            self.transport.write(PLAIN)

    def begin(self, events: float, rate: float) -> None:
        self.left = int(events)
        self.transport.write(STREAM)
        if not rate:
            self.pour()
            return
        pace = self.paces.get(rate) or self.paces.setdefault(rate, Pace(self.loop, rate))
        self.slot = pace.join(self)

    def event(self) -> None:
        if self.left:
            self.left -= 1
            self.transport.write(CHUNK)
            return
        self.leave()
        self.transport.write(END)

    def pour(self) -> None:
        while self.left and not self.paused:
            now = min(BURST, self.left)
            self.left -= now
            self.transport.write(CHUNK * now)
        if not self.left and not self.paused:
            self.transport.write(END)

    def pause_writing(self) -> None:
        self.paused = True

    def resume_writing(self) -> None:
        self.paused = False
        if self.slot is None:
            self.loop.call_soon(self.pour)

    def leave(self) -> None:
        if self.slot is not None:
            self.slot.discard(self)
            self.slot = None

    def connection_lost(self, error: Exception | None) -> None:
        self.left = 0
        self.leave()


def field(head: bytes, name: bytes) -> bytes:
    _, found, rest = head.lower().partition(b"\r\n" + name + b":")
    return rest.partition(b"\r\n")[0].strip() if found else b""


async def serve(port: int) -> None:
    loop = asyncio.get_running_loop()
    await loop.create_server(Caller, "127.0.0.1", port, backlog=8192)
    await loop.create_future()


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--port", type=int, required=True)
    chosen = options.parse_args()
    import uvloop

    from llamaswap_py.daemon.descriptors import raise_limit

    raise_limit()
    uvloop.run(serve(chosen.port))


if __name__ == "__main__":
    main()
