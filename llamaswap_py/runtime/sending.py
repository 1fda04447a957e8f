"""The way out of one connection: whole bodies in pieces, others as they come, never faster than the server reads."""

from __future__ import annotations

import asyncio

# Bodies go out in pieces, so that the transport does not copy all of a large one into its buffer.
PIECE = 256 * 1024
NOTHING = memoryview(b"")


class Sending:
    __slots__ = ("_more_comes", "_room", "_unsent", "_writable", "transport")

    def __init__(self) -> None:
        self.transport: asyncio.Transport | None = None
        self._unsent = NOTHING
        self._more_comes = False
        self._writable = True
        self._room: asyncio.Future[None] | None = None  # somebody waits to write on

    @property
    def done(self) -> bool:
        """The whole request is with the transport."""
        return not self._unsent and not self._more_comes

    def begin(self, head: bytes, body: bytes | None) -> None:
        """Without a body here, one follows piece by piece."""
        self._more_comes = body is None
        if body is None or len(body) <= PIECE:
            self._write(head + (body or b""))
            return
        self._write(head)
        self._unsent = memoryview(body)
        self._send_on()

    async def piece(self, data: bytes) -> bool:
        """Returns when there is room for another one. False where the connection is gone."""
        self._write(data)
        if not self._writable and self.transport is not None:
            self._room = asyncio.get_running_loop().create_future()
            await self._room
        return self.transport is not None and not self.transport.is_closing()

    def end(self) -> None:
        """No piece follows."""
        self._more_comes = False

    def drop(self) -> None:
        self._unsent = NOTHING

    def lost(self) -> None:
        self.transport = None
        self.drop()
        self.hold(False)

    def hold(self, full: bool) -> None:
        """The transport's buffer is full, or has room again."""
        self._writable = not full
        if full:
            return
        self._send_on()
        if self._room is not None and not self._room.done():
            self._room.set_result(None)

    def _send_on(self) -> None:
        while self._unsent and self._writable:
            piece, self._unsent = self._unsent[:PIECE], self._unsent[PIECE:]
            self._write(bytes(piece))

    def _write(self, data: bytes) -> None:
        if self.transport is not None:
            self.transport.write(data)
