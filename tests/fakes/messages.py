"""Answers of servers as bytes, and a strict reader of one message that owes nothing to the code it judges."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tests.fakes.relay_app import RawCaller

SSE_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


@dataclass
class Message:
    """One answer as a strict reader of the tests' own understands it."""

    head: bytes
    body: bytes


async def message(caller: RawCaller, *, bodiless: bool = False) -> Message:
    """Read exactly one answer: what is left on the connection belongs to the next."""
    head = await caller.head()
    lower = head.lower()
    if bodiless:
        return Message(head, b"")
    if b"\r\ntransfer-encoding: chunked\r\n" in lower:
        assert b"\r\ncontent-length:" not in lower
        body = b""
        while size := int(await caller.until(b"\r\n"), 16):
            body += await caller.exactly(size)
            assert await caller.exactly(2) == b"\r\n"
        assert await caller.exactly(2) == b"\r\n"
        return Message(head, body)
    length = re.search(rb"\r\ncontent-length: (\d+)\r\n", lower)
    return Message(head, await caller.exactly(int(length[1])) if length else await caller.rest())


OK = b"HTTP/1.1 200 OK\r\n"
ANSWERS = {
    "length": (OK + b"Content-Length: 5\r\n\r\nhello", b"hello"),
    "empty": (OK + b"Content-Length: 0\r\n\r\n", b""),
    "chunks": (
        OK + b"Transfer-Encoding: chunked\r\n\r\n2;x=y\r\nhe\r\n3\r\nllo\r\n0\r\nT: 1\r\n\r\n",
        b"hello",
    ),
    "events": (
        SSE_HEAD + chunk(b"data: 1\n\nda") + chunk(b"ta: 2\r\n\r\n") + b"0\r\n\r\n",
        b"data: 1\n\ndata: 2\r\n\r\n",
    ),
    "interim": (
        b"HTTP/1.1 102 Wait\r\n\r\nHTTP/1.1 100 Go\r\nX: 1\r\n\r\n" + OK + b"Content-Length: 2\r\n\r\nhi",
        b"hi",
    ),
    "same length twice": (OK + b"Content-Length: 2\r\nContent-Length: 2\r\n\r\nhi", b"hi"),
}
