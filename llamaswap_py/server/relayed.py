"""The caller's side of a relay on aiohttp: where the relay writes, and the response that says it has been written."""

from __future__ import annotations

import asyncio
import socket
import struct
import sys
from collections.abc import Callable, Sequence

from aiohttp import web
from aiohttp.abc import AbstractStreamWriter

from llamaswap_py.runtime.relay import Outcome
from llamaswap_py.runtime.upstream import descriptor_of
from llamaswap_py.server.taking import Taker
from llamaswap_py.wire.headers import Caller
from llamaswap_py.wire.window import Piece

# l_onoff = 1, l_linger = 0: closing sends a reset. A plain close looks like a clean end to a caller without a length.
RESET = struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)

# There asyncio's `writelines` piles up what the caller does not take, and tells nobody (CVE-2024-12254).
FORGETS_TO_PAUSE = (3, 12) <= sys.version_info < (3, 12, 9) or (3, 13) <= sys.version_info < (3, 13, 2)


class RequestSink:
    """Writes raw bytes to the connection of an aiohttp request.

    The server must run with `handler_cancellation=True`: that is how a relay learns that its caller is gone."""

    __slots__ = ("_protocol", "_said", "_transport", "_writer", "begun", "caller")

    def __init__(self, request: web.BaseRequest, extra: tuple[tuple[str, str], ...] = ()) -> None:
        version = (request.version.major, request.version.minor)
        self.caller = Caller(request.method, version, bool(request.keep_alive), extra)
        self._transport = request.transport
        self._protocol = request.protocol
        self._writer = request.writer
        self._said = False  # something is written
        self.begun = 0

    @property
    def full(self) -> bool:
        return self._protocol.writing_paused

    @property
    def descriptor(self) -> int:
        transport = self._transport
        if transport is None or transport.get_write_buffer_size() or not isinstance(self._protocol, Taker):
            return -1
        return descriptor_of(transport)

    def on_departure(self, call: Callable[[], None] | None) -> None:
        if isinstance(self._protocol, Taker):
            self._protocol.departure = call

    def write(self, data: Piece) -> bool:
        transport = self._transport
        if transport is None or transport.is_closing():
            return False
        if not self._said:
            self._say(len(data))
        transport.write(data)
        return self._protocol.writing_paused

    def write_all(self, pieces: Sequence[Piece]) -> bool:
        transport = self._transport
        if transport is None or transport.is_closing():
            return False
        if not self._said:
            self._say(sum(map(len, pieces)))
        if FORGETS_TO_PAUSE and isinstance(transport, asyncio.Transport):  # which uvloop's are not
            for piece in pieces:
                transport.write(piece)
        else:
            transport.writelines(pieces)
        return self._protocol.writing_paused

    def _say(self, size: int) -> None:
        """aiohttp looks at it before it writes an error page into a begun answer."""
        self._said = True
        self._writer.output_size += size

    async def drained(self) -> None:
        await self._writer.drain()

    def abort(self, reset: bool) -> None:
        transport = self._transport
        if transport is None:
            return
        connection = transport.get_extra_info("socket")
        if reset and connection is not None and not transport.is_closing():
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        transport.abort()


class Relayed(web.StreamResponse):
    """What a handler returns when the relay has written the answer: nothing is left to write.

    After the first byte this and only this may be returned, and nothing raised, else aiohttp would write
    a second head into the body."""

    def __init__(self, request: web.BaseRequest, outcome: Outcome) -> None:
        # Not the library's: what it makes is for an answer that is still to be written.
        self._request = request
        self._outcome = outcome

    @property
    def status(self) -> int:
        return self._outcome.status

    @property
    def keep_alive(self) -> bool | None:
        return self._outcome.keep_alive

    @property
    def body_length(self) -> int:
        return self._outcome.bytes_sent

    @property
    def prepared(self) -> bool:
        return True

    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter | None:
        return None

    async def write_eof(self, data: bytes = b"") -> None:
        """Let a slow caller catch up before its next request is read, so that pipelining cannot fill the memory, or
        before its connection is closed, because TLS closes in its own time whatever is unsent. The seat at the model is
        free by now."""
        if self._request.protocol.writing_paused:
            await self._request.writer.drain()
