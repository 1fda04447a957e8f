"""Small questions of the house itself to a run's server: no seat, no use, bounded in time and size."""

from __future__ import annotations

import asyncio
from functools import lru_cache
from typing import Generic, TypeVar

from llamaswap_py.errors import Refusal, UpstreamFailed, UpstreamTimeout
from llamaswap_py.runtime.pool import Pool
from llamaswap_py.runtime.upstream import Connection
from llamaswap_py.wire.address import Address
from llamaswap_py.wire.headers import SAME_HEADS, Head, UpstreamRequest, upstream_head
from llamaswap_py.wire.http1 import Reader

T = TypeVar("T")

# What may still come of a probe's answer when its status is known, before its connection is not worth the wait.
REST_BYTES = 64 * 1024
REST_SECONDS = 1.0


class Ear(Generic[T]):
    """Listens for what is to be known of one answer."""

    def __init__(self) -> None:
        self.known: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self.reader = Reader("GET")

    def received(self, data: bytes) -> None:
        self.take(self.reader.feed(data))
        self.look()

    def ended(self) -> None:
        self.reader.end()
        self.look()

    def take(self, body: bytes) -> None:
        """A part of the body."""

    def look(self) -> None:
        if self.reader.fault is not None:
            self.lost(self.reader.fault)

    def tell(self, known: T) -> None:
        if not self.known.done():
            self.known.set_result(known)

    def lost(self, why: Refusal | None) -> None:
        if not self.known.done():
            broken = why.afresh() if why else UpstreamFailed("the model's server broke the connection")
            self.known.set_exception(broken)


class Status(Ear[int]):
    """The head is enough."""

    def look(self) -> None:
        if self.reader.head is not None:
            self.tell(self.reader.head.status)
        super().look()


class Probe(Status):
    """Its connection is the next caller's, once the rest of its answer has come."""

    def __init__(self, pool: Pool, connection: Connection) -> None:
        super().__init__()
        self.pool = pool
        self.connection = connection
        self.left = REST_BYTES
        self.due: asyncio.TimerHandle | None = None

    def take(self, body: bytes) -> None:
        self.left -= len(body)

    def look(self) -> None:
        super().look()
        if self.reader.fault is not None or self.left < 0:
            self.connection.abort()
        elif self.reader.done and self.reader.head is not None:
            self.forget()
            self.leave(self.reader.head)
        elif self.reader.head is not None and self.due is None:
            self.due = self.known.get_loop().call_later(REST_SECONDS, self.connection.abort)

    def leave(self, head: Head) -> None:
        if self.reader.reusable:
            self.pool.give(self.connection, head)
            self.pool.probed = self.connection
        else:
            self.connection.abort()

    def lost(self, why: Refusal | None) -> None:
        self.forget()
        super().lost(why)

    def forget(self) -> None:
        if self.due is not None:
            self.due.cancel()


class Whole(Ear[tuple[Head, bytes]]):
    def __init__(self, largest: int) -> None:
        super().__init__()
        self.largest = largest
        self.body = bytearray()

    def take(self, body: bytes) -> None:
        self.body += body
        if len(self.body) > self.largest:
            self.lost(UpstreamFailed(f"its answer is longer than {self.largest} bytes"))

    def look(self) -> None:
        super().look()
        if self.reader.done and self.reader.head is not None:
            self.tell((self.reader.head, bytes(self.body)))


async def status(pool: Pool, path: str, limit: float) -> int:
    """Raises a Refusal where none comes."""
    return await ask(pool, path, limit, Status())


async def probe(pool: Pool, path: str, limit: float) -> int:
    """The same, over a connection that was used before where there is one, and that is kept."""
    try:
        async with asyncio.timeout(limit):
            connection = await pool.take()
            ear = Probe(pool, connection)
            try:
                connection.begin(ear, question(pool.address, path), b"")
                return await ear.known
            except BaseException:
                connection.release()
                connection.abort()
                raise
            finally:
                del ear  # it keeps what is raised, which keeps all that it passes through
    except TimeoutError:
        raise too_late(pool, limit) from None


async def fetch(pool: Pool, path: str, limit: float, largest: int) -> tuple[Head, bytes]:
    """Raises a Refusal on any failure."""
    return await ask(pool, path, limit, Whole(largest))


async def ask(pool: Pool, path: str, limit: float, ear: Ear[T]) -> T:
    """One GET on a connection of its own."""
    try:
        async with asyncio.timeout(limit):
            connection = await pool.take(fresh=True)
            try:
                connection.begin(ear, question(pool.address, path, ("Connection", "close")), b"")
                return await ear.known
            finally:
                connection.release()
                connection.abort()
                del ear
    except TimeoutError:
        raise too_late(pool, limit) from None


@lru_cache(SAME_HEADS)
def question(address: Address, path: str, *fields: tuple[str, str]) -> bytes:
    return upstream_head(UpstreamRequest("GET", path, fields), address)


def too_late(pool: Pool, limit: float) -> UpstreamTimeout:
    return UpstreamTimeout(f"{pool.address} did not answer within {limit:g} s")
