"""A server that speaks raw bytes on cue: the test reads its requests and decides every byte, close and reset."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import struct
from collections.abc import Callable
from types import TracebackType
from typing import Self

from llamaswap_py.wire.address import Address


class Peer:
    """One connection that came in."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self.name = writer.get_extra_info("peername")

    async def request(self) -> bytes:
        """The next request, head and body, as it came."""
        head = await self._reader.readuntil(b"\r\n\r\n")
        length = 0
        for line in head.lower().split(b"\r\n"):
            if line.startswith(b"content-length:"):
                length = int(line.split(b":")[1])
        return head + await self._reader.readexactly(length)

    async def head(self) -> bytes:
        return await self._reader.readuntil(b"\r\n\r\n")

    async def exactly(self, size: int) -> bytes:
        return await self._reader.readexactly(size)

    async def send(self, data: bytes) -> None:
        self._writer.write(data)
        await self._writer.drain()

    async def send_slowly(self, data: bytes) -> None:
        """One byte per segment, as far as the system allows: each is handed over before the next is written."""
        for at in range(len(data)):
            await self.send(data[at : at + 1])
            await asyncio.sleep(0)

    async def answer(self, data: bytes) -> bytes:
        """Wait for a request, then send these bytes."""
        request = await self.request()
        await self.send(data)
        return request

    async def gone(self) -> bytes:
        """Wait for the other side to close; what it still sent."""
        try:
            return await self._reader.read()
        except ConnectionError:
            return b""

    def close(self) -> None:
        self._writer.close()

    async def closed(self) -> None:
        """Wait until a close or reset has happened."""
        with contextlib.suppress(ConnectionError):
            await self._writer.wait_closed()

    def finish(self) -> None:
        """Close the sending side only."""
        self._writer.write_eof()

    def reset(self) -> None:
        connection = self._writer.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._writer.transport.abort()


class RawUpstream:
    """`async with RawUpstream() as upstream:` then `peer = await upstream.peer()` for each connection."""

    def __init__(
        self, host: str = "127.0.0.1", tls: ssl.SSLContext | None = None, play: Callable[[bytes], bytes] | None = None
    ) -> None:
        self._host = host
        self._tls = tls
        self._play = play
        self._arrivals: asyncio.Queue[Peer] = asyncio.Queue()
        self._arrival = asyncio.Event()
        self._peers: list[Peer] = []
        self._server: asyncio.Server | None = None
        self.port = 0

    @property
    def address(self) -> Address:
        return Address("https" if self._tls else "http", self._host, self.port)

    @property
    def connections(self) -> int:
        return len(self._peers)

    async def peer(self) -> Peer:
        return await self._arrivals.get()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._arrived, self._host, 0, ssl=self._tls)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        if self._tls is None and self._server.is_serving():
            await self._all_arrived()
        self._server.close()
        for peer in self._peers:
            peer.close()
        await self._server.wait_closed()

    async def _all_arrived(self) -> None:
        """They are taken in turn: with one more, those before it are here too, and are closed."""
        _, last = await asyncio.open_connection(self._host, self.port)
        while last.get_extra_info("sockname") not in [peer.name for peer in self._peers]:
            self._arrival.clear()
            await self._arrival.wait()
        last.close()

    async def _arrived(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peer = Peer(reader, writer)
        self._peers.append(peer)
        self._arrival.set()
        if self._play is None:
            self._arrivals.put_nowait(peer)
            return
        try:
            while True:
                await peer.send(self._play(await peer.request()))
        except (asyncio.IncompleteReadError, ConnectionError):
            peer.close()
