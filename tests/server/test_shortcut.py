"""What goes past the library's parser comes out as that would have read it."""

from __future__ import annotations

import asyncio
import re

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.http_parser import HttpRequestParser, RawRequestMessage
from hypothesis import example, given
from hypothesis import strategies as st

from llamaswap_py.server.shortcut import Whole, message_of, swift_one
from llamaswap_py.wire.asked import simple

SWIFT = {("POST", "/v1/x")}
BODY = b'{"model": "m"}'
NAMES = st.one_of(
    st.sampled_from(
        [b"Host", b"host", b"X-A", b"x-a", b"Accept", b"Content-Type", b"Connection", b"Upgrade", b"Content-Length"]
    ),
    st.binary(min_size=1, max_size=3),
)
VALUES = st.one_of(
    st.sampled_from([b"here", b"", b"*/*", b"keep-alive", b"close", b"14", b"a  b", b"a\tb", b"\r\n x", b"\x80"]),
    st.binary(max_size=4),
)
SPACES = st.sampled_from([b"", b" ", b"  ", b"\t"])
FIELDS = st.lists(st.tuples(NAMES, SPACES, VALUES, SPACES), max_size=4)


def read_by_library(data: bytes) -> tuple[RawRequestMessage, bytes] | None:
    """None where it refuses it, or does not find one whole request in it."""
    loop = asyncio.new_event_loop()
    try:
        handler = web.RequestHandler(web.Server(answer, loop=loop), loop=loop)
        handler.transport = asyncio.Transport()
        parser = HttpRequestParser(
            handler, loop, 2**16, max_line_size=2**16, max_field_size=2**16, auto_decompress=False
        )
        try:
            messages, _, _ = parser.feed_data(data)
        except HttpProcessingError:
            return None
        if len(messages) != 1 or not messages[0][1].is_eof():
            return None
        return messages[0][0], messages[0][1].read_nowait()
    finally:
        loop.close()


def plain(message: RawRequestMessage) -> list[tuple[str, str]]:
    """The library writes names that it knows in its own way."""
    return [(name.lower(), value) for name, value in message.headers.items()]


async def answer(request: web.BaseRequest) -> web.Response:
    return web.Response()


@given(FIELDS, st.sampled_from([b"Content-Length: 14", b"content-length:14", b"Content-Length: 014"]))
@example([(b"Connection", b" ", b"Keep-Alive", b"")], b"Content-Length: 14")
def test_both_read_the_same(fields: list[tuple[bytes, bytes, bytes, bytes]], length: bytes) -> None:
    """Whatever is taken for simple; of what is not, nothing is said here."""
    lines = [b"POST /v1/x HTTP/1.1", b"Host: here", *(b"%b:%b%b%b" % field for field in fields), length]
    data = b"\r\n".join(lines) + b"\r\n\r\n" + BODY
    asked = simple(data)
    if asked is None:
        return
    read = read_by_library(data)
    assert read is not None
    theirs, body = read
    ours = message_of(asked)
    assert body == asked.body
    assert plain(ours) == plain(theirs)
    for name in (
        "method",
        "path",
        "version",
        "raw_headers",
        "should_close",
        "compression",
        "upgrade",
        "chunked",
        "url",
    ):
        assert getattr(ours, name) == getattr(theirs, name), name


def test_only_what_is_served_often_is_taken() -> None:
    data = b"POST /v1/x HTTP/1.1\r\nHost: here\r\nContent-Length: 14\r\n\r\n" + BODY
    assert swift_one(data, SWIFT) is not None
    assert swift_one(re.sub(b"/v1/x", b"/v1/y", data), SWIFT) is None
    assert swift_one(data, frozenset()) is None


async def test_a_body_that_is_there_is_read_once() -> None:
    whole = Whole(b"0123456789")
    assert whole.is_eof()
    assert not whole.at_eof()
    assert whole.read_nowait(2) == b"01"
    assert await whole.read(3) == b"234"
    assert await whole.readany() == b"56789"
    assert whole.at_eof()
    assert (whole.read_nowait(), await whole.readany(), await whole.read()) == (b"", b"", b"")
