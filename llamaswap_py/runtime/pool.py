"""Warm connections to one run of a model. Knows when to stop using one; knows nothing of requests."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from llamaswap_py.config.values import Timeouts
from llamaswap_py.errors import Refusal, UpstreamFailed
from llamaswap_py.runtime.door import LOOPBACK, Door
from llamaswap_py.runtime.health import pause
from llamaswap_py.runtime.upstream import Ciphered, Connection, Plain
from llamaswap_py.wire.address import Address
from llamaswap_py.wire.headers import SAME_HEADS, Head, keep_limits

# llama-server closes after 5 s without a request and after 100 requests, and says so only in its answers;
# whatever a server announces is undercut, because a request sent into a closing connection is lost.
IDLE_UNANNOUNCED = 4.0
REQUESTS_UNANNOUNCED = 100
MARGIN = 1.0

DROPPED_AT_ONCE = 64  # idle connections
NO_LIMIT = 365 * 24 * 3600.0  # seconds
USUAL = Timeouts()


class Pool:
    """Connections to one address, last used first. All of it belongs to one event loop."""

    def __init__(
        self,
        address: Address,
        *,
        timeouts: Timeouts = USUAL,
        patience: float = 0.0,
        now: Callable[[], float] | None = None,
    ) -> None:
        """`patience`: so long a server that nobody probed may take until it listens; callers wait for it."""
        self.address = address
        self._loop = asyncio.get_running_loop()
        self._now = now or self._loop.time
        self.timeouts = timeouts
        self._began = self._now()
        self._patience = patience
        self.served = False  # an answer has begun that is no failure
        self._connections: set[Connection] = set()
        self._heard = 0  # on those that are gone
        self._dials: set[asyncio.Timeout] = set()
        self._idle: list[Connection] = []
        self.probed: Connection | None = None  # the house's own, kept for the first caller
        self._sweep: asyncio.TimerHandle | None = None
        self._refusal: Refusal | None = None
        self._tls: ssl.SSLContext | None = None
        self._door = Door(address.host, address.port)

    @property
    def open(self) -> int:
        """Connections there are, idle ones included."""
        return len(self._connections)

    @property
    def asked(self) -> bool:
        return any(connection.asked for connection in self._connections)

    @property
    def heard(self) -> int:
        """Grows with every piece that comes, over all connections there were."""
        return self._heard + sum(connection.hearing.amount for connection in self._connections)

    @property
    def idle(self) -> int:
        return len(self._idle)

    async def take(self, *, fresh: bool = False) -> Connection:
        """A connection for one request: a warm one, else (or if `fresh`) a new one. Raises UpstreamFailed."""
        if fresh and self.probed is not None:
            if self.probed in self._idle:
                self.probed.abort()  # a server may look at one connection at a time
            self.probed = None
        return (None if fresh else self.warm()) or await self._dial()

    def warm(self) -> Connection | None:
        """A connection that was used before, where there is one."""
        refuse(self._refusal)
        now = self._now()
        while self._idle:
            connection = self._idle.pop()
            if connection.retires > now and connection.usable:
                return connection
            connection.abort()
        return None

    def give(self, connection: Connection, head: Head) -> None:
        """Take back a connection whose answer, with this head, is complete."""
        connection.release()
        idle, requests = _limits(head, self.timeouts.idle)
        if self._refusal or idle <= 0 or connection.requests >= requests or not connection.sending.done:
            connection.abort()
            return
        connection.retires = self._now() + idle
        self._idle.append(connection)
        if self._sweep is None:
            self._sweep = self._loop.call_later(idle, self._retire)

    def refuses(self) -> bool:
        """Whether certainly nobody listens there now."""
        return self._refusal is None and not self._idle and self._door.is_shut()

    def close(self, refusal: Refusal) -> None:
        """End every connection now; relays in flight meet this refusal, takers to come that of the last order."""
        is_closed, self._refusal = self._refusal is not None, refusal
        if is_closed:
            return
        idle, self._idle = self._idle, []
        self._door.close()
        if self._sweep is not None:
            self._sweep.cancel()
        for deadline in self._dials:
            deadline.reschedule(self._loop.time())
        for connection in self._connections.difference(idle):
            connection.hang_up()
            connection.abort(refusal)
        drop(self._loop, idle)

    async def _dial(self) -> Connection:
        while True:
            try:
                connection = await self._dial_once()
            except UpstreamFailed:
                waited = self._now() - self._began
                if self._refusal is not None or waited >= self._patience:
                    raise
            else:
                self._patience = 0.0  # it listens: from now on a refusal is one
                return connection
            await asyncio.sleep(pause(waited))

    async def _dial_once(self) -> Connection:
        refuse(self._refusal)
        reason = ""
        for host in tuple(self._door.hosts):
            try:
                connection = await self._dial_host(host)
            except (OSError, TimeoutError) as error:
                reason = "no answer in time" if isinstance(error, TimeoutError) else str(error)
                refuse(self._refusal)
                continue
            if self._refusal is not None:
                connection.abort()
                refuse(self._refusal)
            self._door.prefer(host)
            return connection
        raise UpstreamFailed(f"cannot connect to the model's server at {self.address}: {reason}")

    async def _dial_host(self, host: str) -> Connection:
        opened = self._door.enter(host)
        place: dict[str, Any] = {"sock": opened} if opened else {"host": host, "port": self.address.port}
        connection = (Ciphered if self.address.scheme == "https" else Plain)(self._forget)
        async with asyncio.timeout(self.timeouts.connect or None) as deadline:
            self._dials.add(deadline)
            try:
                transport, _ = await self._loop.create_connection(lambda: connection, **place, **self._tls_options())
            except BaseException:
                connection.abort()  # a dial that is broken off may have made it, and says nothing then
                connection.connection_lost(None)
                raise
            finally:
                self._dials.discard(deadline)
                del deadline  # it knows the task, which keeps the cancellation and all that this passes through
        keep_alive(transport, self.timeouts.keepalive)
        self._connections.add(connection)
        return connection

    def _forget(self, connection: Connection) -> None:
        if connection is self.probed:
            self.probed = None
        if connection in self._connections:
            self._connections.discard(connection)
            self._heard += connection.hearing.amount
        if connection in self._idle:
            self._idle.remove(connection)

    def _tls_options(self) -> dict[str, Any]:
        if self.address.scheme != "https":
            return {}
        if self._tls is None:
            self._tls = ssl.create_default_context()
        # asyncio takes no word for "no limit" here.
        limit = self.timeouts.tls_handshake or NO_LIMIT
        return {"ssl": self._tls, "server_hostname": self.address.host, "ssl_handshake_timeout": limit}

    def _retire(self) -> None:
        """Close what is too old to be used: an idle connection costs llama-server a thread."""
        now = self._now()
        for connection in self._idle:
            if connection.retires <= now:
                connection.abort()
        self._idle = [connection for connection in self._idle if connection.retires > now]
        soonest = min((connection.retires for connection in self._idle), default=None)
        self._sweep = None if soonest is None else self._loop.call_later(soonest - now, self._retire)


def refuse(why: Refusal | None) -> None:
    if why is not None:
        raise why.afresh()


def drop(loop: asyncio.AbstractEventLoop, idle: list[Connection]) -> None:
    """Some at a time: a thousand would hold up everybody else."""
    for connection in idle[:DROPPED_AT_ONCE]:
        connection.hang_up()
        connection.abort()
    if idle[DROPPED_AT_ONCE:]:
        loop.call_soon(drop, loop, idle[DROPPED_AT_ONCE:])


async def listens(pool: Pool) -> bool:
    """Whether anybody takes a connection there now."""
    try:
        connection = await pool.take(fresh=True)
    except Refusal:
        return False
    connection.abort()
    return True


def keep_alive(transport: asyncio.BaseTransport, every: float) -> None:
    """TCP's own questions on a silent connection: middlemen forget one, and a dead peer is noticed by no other way."""
    opened = transport.get_extra_info("socket")
    if every < 0 or opened is None or opened.getpeername()[0] in LOOPBACK:
        return
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option in ("TCP_KEEPIDLE", "TCP_KEEPINTVL"):
        if every >= 1 and hasattr(socket, option):
            opened.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), int(every))


@lru_cache(SAME_HEADS)
def _limits(head: Head, most: float) -> tuple[float, int]:
    """How long the connection may idle, at most (0: no matter), and how many requests it may carry, before the server
    would close it."""
    timeout, requests = keep_limits(head)
    idle = IDLE_UNANNOUNCED if timeout is None else timeout - min(MARGIN, timeout / 2)
    return min(idle, most or idle), REQUESTS_UNANNOUNCED if requests is None else requests
