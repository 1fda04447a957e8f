"""A request that is simple, as the HTTP library has it, without a way through the library's parser."""

from __future__ import annotations

import asyncio
from collections.abc import Container
from functools import lru_cache

from aiohttp import HttpVersion11, hdrs, web
from aiohttp.http import StreamWriter
from aiohttp.http_parser import RawRequestMessage
from aiohttp.streams import EMPTY_PAYLOAD, EmptyStreamReader
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from llamaswap_py.server.identity import Fields, without_ours
from llamaswap_py.wire.asked import Known, Simple, simple
from llamaswap_py.wire.headers import SAME_HEADS

Swift = Container[tuple[str, str]]  # methods and paths


class Whole(EmptyStreamReader):
    """A body that is there. What is not said here is of an empty one's."""

    __slots__ = ("left",)

    def __init__(self, body: bytes) -> None:
        super().__init__()
        self.left = body
        self.total_bytes = len(body)

    def at_eof(self) -> bool:
        return not self.left

    def read_nowait(self, n: int = -1) -> bytes:
        cut = len(self.left) if n < 0 else n
        taken, self.left = self.left[:cut], self.left[cut:]
        return taken

    async def readany(self) -> bytes:
        return self.read_nowait()

    async def read(self, n: int = -1) -> bytes:
        return self.read_nowait(n)


def swift_one(data: bytes, swift: Swift) -> Simple | None:
    """Of those that are served often enough to be worth a shorter way."""
    asked = simple(data)
    return asked if asked is not None and (hdrs.METH_POST, asked.known.path) in swift else None


class Asking(web.Request):
    """What a handler is given. The library's own constructor looks for all that may be special about a request."""

    _method, _version = hdrs.METH_POST, HttpVersion11
    _client_max_size, _client_max_fields = 1 << 20, 1000  # the library's own, for who asks it for the whole body
    _transport_sockname = None  # needed only where a request names no host
    keep_alive = True

    def __init__(self, asked: Simple, protocol: web.RequestHandler, loop: asyncio.AbstractEventLoop) -> None:
        name, fields, url, path, self.goes_on = shape_of(asked.known)
        headers = fields.copy()
        headers[name] = asked.length.decode()
        self._asked = asked
        self._headers = CIMultiDictProxy(headers)
        self._protocol = protocol
        self._payload_writer = StreamWriter(protocol, loop)
        self._payload = Whole(asked.body) if asked.body else EMPTY_PAYLOAD
        self._rel_url = url
        self._cache = {"path": path}
        self._state = {}
        self._task = protocol._task_handler  # type: ignore[assignment]  # noqa: SLF001 - no public name for it
        self._loop = loop
        self._transport_sslcontext = protocol.ssl_context
        self._transport_peername = protocol.peername

    @property
    def _message(self) -> RawRequestMessage:  # type: ignore[override]
        known = self._asked.known
        return RawRequestMessage(
            hdrs.METH_POST,
            known.path,
            HttpVersion11,
            self._headers,
            (*known.before, (known.length, self._asked.length), *known.after),
            False,
            None,
            False,
            False,
            self._rel_url,
        )


@lru_cache(SAME_HEADS)
def shape_of(known: Known) -> tuple[str, CIMultiDict[str], URL, str, Fields]:
    """The name of the field of the length, all fields without its value, the address, its path in plain text, and the
    fields that a model's server is sent."""
    fields = [*known.before, (known.length, b""), *known.after]
    headers = CIMultiDict([(name.decode(), value.decode()) for name, value in fields])
    url = URL.build(path=known.path, encoded=True)
    return known.length.decode(), headers, url, url.path, without_ours(headers.items())
