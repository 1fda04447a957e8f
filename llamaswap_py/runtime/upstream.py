"""One connection to a model's server: a raw protocol that hands bytes to whoever listens, and nothing more."""

from __future__ import annotations

import asyncio
import os
import select
import socket
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Protocol, cast

from llamaswap_py.errors import Refusal
from llamaswap_py.runtime.hearing import Hearing
from llamaswap_py.runtime.sending import Sending


class Listener(Protocol):
    """The one whose answer a connection carries."""

    def received(self, data: bytes) -> None: ...

    def ended(self) -> None:
        """The server closed in an orderly way."""

    def lost(self, why: Refusal | None) -> None:
        """The connection is gone: by order with a reason, or by the other side without one."""


def descriptor_of(transport: asyncio.BaseTransport | None) -> int:
    """Of an open socket that no cipher stands before; else -1."""
    if transport is None or transport.is_closing() or transport.get_extra_info("sslcontext") is not None:
        return -1
    number: int = transport.get_extra_info("socket").fileno()
    return number


PIECE = 128 * 1024  # bytes of one read: what a caller leaves of it who reads no more is held for as long as he stays
# All is read into the same place and kept by its size: room of that much for each, cut down to what came, costs the
# allocator many times what a copy of an event does.
ROOM = memoryview(bytearray(PIECE))


class Connection(asyncio.BaseProtocol):
    """Carries one request at a time; without a listener it must be silent, else it is dropped."""

    __slots__ = (
        "_gone", "_listener", "_news", "_paused", "_transport", "hearing", "judged", "requests", "retires", "sending",
    )  # fmt: skip

    def __init__(self, gone: Callable[[Connection], None]) -> None:
        self._gone = gone
        self._listener: Listener | None = None
        self._transport: asyncio.Transport | None = None
        self.sending = Sending()
        self.hearing = Hearing()
        self._paused = False
        self._news: Callable[[float], object] | None = None
        self.requests = 0
        self.judged = False  # silence on it may be taken for a fault
        self.retires = 0.0  # the loop time after which it is not used again; the pool's mark

    @property
    def usable(self) -> bool:
        """Open and silent. Asks the system too: news may wait there that the loop has not seen."""
        transport = self._transport
        if transport is None or transport.is_closing() or not self.sending.done:
            return False
        return self._news is None or not self._news(0)

    @property
    def descriptor(self) -> int:
        """Of the socket, where what is read from it is what the server sent; -1 where it is not."""
        return descriptor_of(self._transport)

    def begin(self, listener: Listener, head: bytes, body: bytes | None) -> None:
        """Send a request; its answer goes to `listener` until `release`. Without a body here, one follows piecewise."""
        if self._transport is None or self._transport.is_closing():
            listener.lost(None)  # the server closed between the dial and now
            return
        self._listener = listener
        self.requests += 1
        self.sending.begin(head, body)

    def release(self) -> None:
        """Nobody listens any more."""
        self._listener = None

    def pause(self) -> None:
        if self._transport is not None and not self._paused and not self._transport.is_closing():
            self._paused = True
            self._transport.pause_reading()

    def resume(self) -> None:
        if self._transport is not None and self._paused and not self._transport.is_closing():
            self._paused = False
            self._transport.resume_reading()

    def hang_up(self) -> None:
        """The server hears of it now: what `abort` does waits for the loop's next turn."""
        number = self.descriptor
        if number >= 0:
            with suppress(OSError):  # it may have gone first; or no descriptor is left
                copy = os.dup(number)
                with socket.socket(socket.AF_INET, socket.SOCK_STREAM, fileno=copy) as opened:
                    opened.shutdown(socket.SHUT_RDWR)

    def abort(self, why: Refusal | None = None) -> None:
        """Close at once; a listener still there is told why."""
        listener, self._listener = self._listener, None
        self.sending.drop()
        if self._transport is not None:
            self._transport.abort()
        if listener is not None:
            listener.lost(why)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = self.sending.transport = cast(asyncio.Transport, transport)
        if transport.get_extra_info("sslcontext") is not None:
            # While we read nothing, uvloop's TLS reads on to the end and drops what it holds then. It is to hold
            # one read at most, and to see no end behind it; 0 would be "always full".
            cast(Any, transport).set_read_buffer_limits(1)
        if sys.platform != "win32":
            watch = select.poll()
            watch.register(transport.get_extra_info("socket").fileno(), select.POLLIN)
            self._news = watch.poll

    @property
    def asked(self) -> bool:
        """A whole request is there to be worked on, and its answer is not whole yet."""
        return self.judged and self._listener is not None and self.sending.done

    def data_received(self, data: bytes) -> None:
        self.hearing.pieces += 1
        listener = self._listener
        if listener is None:
            self.abort()
        else:
            listener.received(data)

    def eof_received(self) -> None:
        listener = self._listener
        if listener is not None:
            listener.ended()

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self.sending.lost()
        self._gone(self)
        self.abort()

    def pause_writing(self) -> None:
        self.sending.hold(True)

    def resume_writing(self) -> None:
        self.sending.hold(False)


class Plain(Connection, asyncio.BufferedProtocol):
    __slots__ = ()

    def get_buffer(self, sizehint: int) -> memoryview:
        return ROOM

    def buffer_updated(self, nbytes: int) -> None:
        """What `data_received` does, without a call more for every piece."""
        listener = self._listener
        if listener is None:
            self.abort()
        else:
            self.hearing.pieces += 1
            listener.received(ROOM[:nbytes].tobytes())


class Ciphered(Connection, asyncio.Protocol):
    """Takes whatever was deciphered: uvloop drops what a buffer had no room for when the server closes meanwhile."""

    __slots__ = ()
