"""The straight way: streams that flow as they should are carried from socket to socket in one tight loop over all of
them, past the event loop's transports. Whoever meets anything else alights, and goes on as everybody does."""

from __future__ import annotations

import asyncio
import contextlib
import select
import sys
from collections.abc import Callable
from os import write
from typing import Any

from llamaswap_py.runtime.passed import Passed
from llamaswap_py.runtime.sides import Sink
from llamaswap_py.runtime.upstream import ROOM, Connection
from llamaswap_py.wire.chunks import whole_chunks

if sys.platform != "win32":
    from os import readv

SEAT = ROOM[: 64 * 1024]  # what is read of one stream, before the next has its turn
CROWD = 16  # streams at once; for fewer the loop's own way is the shorter one
MOST = 64  # streams carried before the loop looks at everything else,
FEW = 16  # and of them those that alight meanwhile: the end of an answer costs as much as many pieces of it
IN = 1  # EPOLLIN


def epoll() -> Any:
    if sys.platform == "linux":
        return select.epoll()
    raise NotImplementedError("nobody boards here")


class Ride:
    """One stream on its way, from the first piece that goes straight through to the first that does not. Nobody else
    writes to its caller meanwhile. Of all the objects that a stream has few are looked at for a piece of it: the more,
    the more of them have left the processor's caches since the one before."""

    __slots__ = ("_connection", "_ending", "_express", "_full", "_passed", "_sink", "_source", "_target")

    def __init__(
        self, connection: Connection, sink: Sink, ending: bytes, passed: Passed, full: Callable[[], None]
    ) -> None:
        """`ending`: how pieces end that are passed as they are. `full` is called where the caller takes no more."""
        self._connection = connection
        self._sink = sink
        self._ending = ending
        self._passed = passed
        self._full = full
        self._source, self._target = connection.descriptor, sink.descriptor
        self._express: Express | None = None  # while it is on board

    def board(self, express: Express) -> None:
        """Where both ends are plain sockets: from now on nobody else reads there."""
        if sys.platform == "linux" and self._source >= 0 and self._target >= 0:
            self._express = express
            express.board(self._source, self)
            self._sink.on_departure(self.end)
            self._connection.hearing.hand_over(self)
            self._connection.pause()

    @property
    def sent(self) -> int:
        return self._passed.sent

    def end(self) -> None:
        """The connection's listener hears again what it reads."""
        express, self._express = self._express, None
        if express is not None:
            express.alight(self._source)
            self._sink.on_departure(None)
            self._connection.hearing.take_back()
            self._connection.resume()

    def take(self) -> bytes:
        """What there is to read, if it goes straight through; else the ride is over, or there was nothing."""
        try:
            data = SEAT[: readv(self._source, (SEAT,))].tobytes()
        except BlockingIOError:
            return b""
        except OSError:  # the system says it only once
            self.crash()
            return b""
        if data and whole_chunks(data, self._ending) == len(data):
            return data
        self.end()
        if data:
            self._connection.data_received(data)
        return b""

    def give(self, data: bytes, now: float) -> None:
        try:
            written = write(self._target, data)
        except OSError:  # its socket is full, or the caller is gone: the transport will know
            written = 0
        self._passed.piece(data, now)
        if written < len(data):
            self.end()
            if self._sink.write(data[written:]):
                self._full()

    def crash(self) -> None:
        self.end()
        self._connection.abort()

    def fail(self, mistake: Exception) -> None:
        """Ours: told as the loop tells what escapes a callback."""
        told = {"message": "a stream could not be carried on", "exception": mistake}
        asyncio.get_running_loop().call_exception_handler(told)
        self.crash()


class Express:
    """All rides of one event loop, by their sources' descriptors."""

    def __init__(self, crowd: int = CROWD) -> None:
        self.streams = 0  # that are under way, whether they ride or not
        self._crowd = crowd
        self._rides: dict[int, Ride] = {}
        self._ready: Any = None  # the system's list of them, from the first ride on

    @property
    def riding(self) -> int:
        return len(self._rides)

    @property
    def goes(self) -> bool:
        return self.streams >= self._crowd

    def board(self, source: int, ride: Ride) -> None:
        if self._ready is None:
            loop = asyncio.get_running_loop()
            self._now = loop.time
            self._ready = epoll()
            loop.add_reader(self._ready.fileno(), self._go)
        self._rides[source] = ride
        self._ready.register(source, IN)

    def alight(self, source: int) -> None:
        del self._rides[source]
        with contextlib.suppress(OSError):  # what is closed has left the list by itself
            self._ready.unregister(source)

    def _go(self) -> None:
        """First all are read, then all are written: who reads on the other side is woken once, not for each of them."""
        rides, now = self._rides, self._now()
        taken = []
        stay = len(rides) - FEW
        for source, _ in self._ready.poll(0, MOST):
            ride = rides.get(source)
            if ride is None:
                continue  # it alighted a moment ago
            try:
                if data := ride.take():
                    taken.append((ride, data))
                elif len(rides) <= stay:
                    break  # the rest stay on the system's list
            except Exception as mistake:  # noqa: BLE001 - its own, and what was read of the others must reach them
                ride.fail(mistake)
        for ride, data in taken:
            try:
                ride.give(data, now)
            except Exception as mistake:  # noqa: BLE001 - as above
                ride.fail(mistake)
