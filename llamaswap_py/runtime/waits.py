"""What a relay waits for: to be called, a full caller, and the beginning of an answer that is late."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol

from llamaswap_py.errors import Refusal, UpstreamTimeout
from llamaswap_py.runtime.pool import Pool
from llamaswap_py.runtime.upstream import Connection


class Drains(Protocol):
    async def drained(self) -> None:
        """Wait until it is no longer full; ConnectionError where the caller is gone."""


class Wait:
    """The only two things a relay's coroutine waits for: that it is called, and that a full sink drained."""

    __slots__ = ("_call", "_drain", "_loop", "_rang")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._rang = False
        self._call: asyncio.Future[None] | None = None
        self._drain: asyncio.Timeout | None = None

    def ring(self) -> None:
        if self._call is None or self._call.done():
            self._rang = True
        else:
            self._call.set_result(None)

    def end(self) -> None:
        """Call, and cut short what waits for a sink: its caller may never read on."""
        self.ring()
        if self._drain is not None:
            self._drain.reschedule(self._loop.time())

    def rung(self) -> asyncio.Future[None]:
        """Done as soon as it is called, or has been since the last time."""
        call = self._call = self._loop.create_future()
        if self._rang:
            self._rang = False
            call.set_result(None)
        return call

    async def drained(self, sink: Drains) -> None:
        """Until the sink has room, or the end. ConnectionError where the caller is gone."""
        try:
            async with asyncio.timeout(None) as self._drain:
                await sink.drained()
        except TimeoutError:
            return  # the end: whoever called it has said why
        finally:
            self._drain = None


class Limit:
    """Until when an answer must have begun, counted from the whole request: `timeouts.responseHeader`."""

    def __init__(self, loop: asyncio.AbstractEventLoop, late: Callable[[Refusal], None]) -> None:
        self._loop = loop
        self._late = late
        self.timer: asyncio.TimerHandle | None = None

    def put(self, pool: Pool, connection: Connection) -> None:
        self.timer = self._loop.call_later(pool.timeouts.response_header, self._lapse, pool, connection)

    def lift(self) -> None:
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None

    def _lapse(self, pool: Pool, connection: Connection) -> None:
        if not connection.sending.done:
            self.put(pool, connection)
            return
        limit = f"{pool.timeouts.response_header:g} s (timeouts.responseHeader)"
        self._late(UpstreamTimeout(f"the server at {pool.address} did not begin its answer within {limit}"))


def limit_of(pool: Pool, connection: Connection, late: Callable[[Refusal], None]) -> Limit | None:
    """Begun, where there is one."""
    if not pool.timeouts.response_header:
        return None
    limit = Limit(asyncio.get_running_loop(), late)
    limit.put(pool, connection)
    return limit
