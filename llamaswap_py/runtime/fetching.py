"""A whole small answer of a run's server, asked for by the house itself: no seat, no use, bounded in time and size."""

from __future__ import annotations

import asyncio

from llamaswap_py.errors import Refusal, UpstreamFailed, UpstreamTimeout
from llamaswap_py.runtime.pool import Pool
from llamaswap_py.wire.headers import Head, UpstreamRequest, upstream_head
from llamaswap_py.wire.http1 import Reader


class Whole:
    """Listens for an answer to its end."""

    def __init__(self, loop: asyncio.AbstractEventLoop, largest: int) -> None:
        self.answer: asyncio.Future[tuple[Head, bytes]] = loop.create_future()
        self.largest = largest
        self.reader = Reader("GET")
        self.body = bytearray()

    def received(self, data: bytes) -> None:
        self.body += self.reader.feed(data)
        if len(self.body) > self.largest:
            self.lost(UpstreamFailed(f"its answer is longer than {self.largest} bytes"))
        self.look()

    def ended(self) -> None:
        self.reader.end()
        self.look()

    def look(self) -> None:
        if self.reader.fault is not None:
            self.lost(self.reader.fault)
        elif self.reader.done and self.reader.head is not None and not self.answer.done():
            self.answer.set_result((self.reader.head, bytes(self.body)))

    def lost(self, why: Refusal | None) -> None:
        if not self.answer.done():
            self.answer.set_exception(why or UpstreamFailed("the model's server broke the connection"))


async def fetch(pool: Pool, path: str, limit: float, largest: int) -> tuple[Head, bytes]:
    """One GET on a connection of its own. Raises a Refusal on any failure."""
    whole = Whole(asyncio.get_running_loop(), largest)
    head = upstream_head(UpstreamRequest("GET", path, (("Connection", "close"),)), pool.address)
    try:
        async with asyncio.timeout(limit):
            connection = await pool.take(fresh=True)
            try:
                connection.begin(whole, head, b"")
                return await whole.answer
            finally:
                connection.release()
                connection.abort()
    except TimeoutError:
        raise UpstreamTimeout(f"{pool.address} did not answer within {limit:g} s") from None
