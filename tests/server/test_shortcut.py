"""What goes past the library's parser comes out as that would have read it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from contextlib import contextmanager

from aiohttp import web
from aiohttp.http import StreamWriter
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.http_parser import HttpRequestParser
from hypothesis import example, given
from hypothesis import strategies as st

from llamaswap_py.server.identity import MODEL, without_ours
from llamaswap_py.server.shortcut import Asking, Whole, swift_one
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


ATTRIBUTES = (
    "method", "path", "raw_path", "path_qs", "query_string", "rel_url", "version", "raw_headers", "keep_alive",
    "content_length", "content_type", "charset", "host", "scheme", "secure", "remote", "body_exists", "can_read_body",
    "if_modified_since", "cookies",
)  # fmt: skip


@contextmanager
def handling() -> Iterator[tuple[asyncio.AbstractEventLoop, web.RequestHandler]]:
    loop = asyncio.new_event_loop()
    try:
        handler = web.RequestHandler(web.Server(answer, loop=loop), loop=loop)
        handler.transport = asyncio.Transport()
        yield loop, handler
    finally:
        loop.close()


def read_by_library(
    data: bytes, loop: asyncio.AbstractEventLoop, handler: web.RequestHandler
) -> tuple[web.Request, bytes] | None:
    """None where it refuses it, or does not find one whole request in it."""
    parser = HttpRequestParser(handler, loop, 2**16, max_line_size=2**16, max_field_size=2**16, auto_decompress=False)
    try:
        messages, _, _ = parser.feed_data(data)
    except HttpProcessingError:
        return None
    if len(messages) != 1 or not messages[0][1].is_eof():
        return None
    message, payload = messages[0]
    request = web.Request(message, payload, handler, StreamWriter(handler, loop), handler._task_handler, loop)  # type: ignore[arg-type]  # noqa: SLF001
    return request, payload.read_nowait()


def plain(request: web.Request) -> list[tuple[str, str]]:
    """The library writes names that it knows in its own way."""
    return [(name.lower(), value) for name, value in request.headers.items()]


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
    with handling() as (loop, handler):
        read = read_by_library(data, loop, handler)
        assert read is not None
        theirs, body = read
        ours = Asking(asked, handler, loop)
        assert ours.content.read_nowait() == body
        assert plain(ours) == plain(theirs)
        goes_on = [(name.lower(), value) for name, value in ours.goes_on]
        assert goes_on == [(name.lower(), value) for name, value in without_ours(theirs.headers.items())]
        for name in ATTRIBUTES:
            assert getattr(ours, name) == getattr(theirs, name), name
        ours[MODEL] = "b"
        assert ours[MODEL] == "b"


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
