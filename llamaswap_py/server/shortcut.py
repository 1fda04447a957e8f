"""A request that is simple, as the HTTP library has it, without a way through the library's parser."""

from __future__ import annotations

from collections.abc import Container
from functools import lru_cache

from aiohttp import HttpVersion11, hdrs
from aiohttp.http_parser import RawRequestMessage
from aiohttp.streams import EMPTY_PAYLOAD, EmptyStreamReader, StreamReader
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

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


def payload_of(asked: Simple) -> StreamReader:
    return Whole(asked.body) if asked.body else EMPTY_PAYLOAD


def message_of(asked: Simple) -> RawRequestMessage:
    known = asked.known
    name, fields, url = shape_of(known)
    headers = fields.copy()
    headers[name] = asked.length.decode()
    return RawRequestMessage(
        hdrs.METH_POST,
        known.path,
        HttpVersion11,
        CIMultiDictProxy(headers),
        (*known.before, (known.length, asked.length), *known.after),
        False,
        None,
        False,
        False,
        url,
    )


@lru_cache(SAME_HEADS)
def shape_of(known: Known) -> tuple[str, CIMultiDict[str], URL]:
    """The name of the field of the length, all fields without its value, and the address."""
    fields = [*known.before, (known.length, b""), *known.after]
    headers = CIMultiDict([(name.decode(), value.decode()) for name, value in fields])
    return known.length.decode(), headers, URL.build(path=known.path, encoded=True)
