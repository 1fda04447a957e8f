"""The smallest aiohttp server with a relay in it, and a caller of raw bytes."""

from __future__ import annotations

import asyncio
import ssl
from types import TracebackType
from typing import Self

from aiohttp import web

from llamaswap_py.config.values import Limits, Timeouts
from llamaswap_py.errors import Refusal
from llamaswap_py.runtime.express import Express
from llamaswap_py.runtime.pool import Pool
from llamaswap_py.runtime.relay import Manner, Outcome, Phase, UpstreamRequest, relay
from llamaswap_py.server.relayed import Relayed, RequestSink
from llamaswap_py.server.taking import Taker
from llamaswap_py.wire.address import Address


def broken(refusal: Refusal) -> bytes:
    return b'data: {"error":"%b"}\n\n' % refusal.code.encode()


class WatchedSink(RequestSink):
    """Tells when a relay waits for its caller to read."""

    def __init__(self, request: web.BaseRequest, extra: tuple[tuple[str, str], ...], full: asyncio.Event) -> None:
        super().__init__(request, extra)
        self._full = full

    async def drained(self) -> None:
        self._full.set()
        await super().drained()


class WatchedRelayed(Relayed):
    """Tells when a complete answer waits for its caller to read."""

    def __init__(self, request: web.BaseRequest, outcome: Outcome, full: asyncio.Event) -> None:
        super().__init__(request, outcome)
        self._protocol = request.protocol
        self._full = full

    async def write_eof(self, data: bytes = b"") -> None:
        if self._protocol.writing_paused:
            self._full.set()
        await super().write_eof(data)


class RelayApp:
    """`async with RelayApp(address) as app:` relays everything to one address."""

    def __init__(self, address: Address, tls: ssl.SSLContext | None = None, connect_timeout: float = 30.0) -> None:
        self.pool = Pool(address, timeouts=Timeouts(connect=connect_timeout))
        self.outcomes: asyncio.Queue[Outcome] = asyncio.Queue()
        self.full = asyncio.Event()
        self.begun_full = False  # an answer was begun while the one before it still filled the caller's buffer
        self.port = 0
        self._callers: list[RawCaller] = []
        self._tls = tls
        self.express = Express(crowd=1)
        app = web.Application(client_max_size=1 << 30)
        app.router.add_route("*", "/{path:.*}", self._relay)
        self._runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
        self.takers: list[Taker] = []

    async def _relay(self, request: web.Request) -> web.StreamResponse:
        self.begun_full = self.begun_full or request.protocol.writing_paused
        body = await request.read()
        wanted = UpstreamRequest(
            request.method, request.raw_path, tuple(request.headers.items()), body, request.remote or ""
        )
        sink = WatchedSink(request, (("X-Request-Id", "7"),), self.full)
        outcome = await relay(
            self.pool, wanted, sink, broken, self.outcomes.put_nowait, manner=Manner(express=self.express)
        )
        if outcome.phase is Phase.NOTHING:
            assert outcome.refusal is not None
            return web.Response(status=outcome.refusal.status, text=outcome.refusal.message)
        return WatchedRelayed(request, outcome, self.full)

    async def __aenter__(self) -> Self:
        await self._runner.setup()
        loop = asyncio.get_running_loop()
        self._listening = await loop.create_server(self._taker, "127.0.0.1", 0, ssl=self._tls)
        self.port = self._listening.sockets[0].getsockname()[1]
        return self

    def _taker(self) -> Taker:
        assert self._runner.server is not None
        how = {"auto_decompress": False, "access_log": None}
        self.takers.append(Taker(self._runner.server, asyncio.get_running_loop(), Limits, how))
        return self.takers[-1]

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for caller in self._callers:
            caller.leave()
        self.pool.close(Refusal("the test is over"))
        self._listening.close()
        await self._runner.cleanup()

    async def caller(self, tls: ssl.SSLContext | None = None, limit: int = 1 << 16) -> RawCaller:
        name = "localhost" if tls else None
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", self.port, ssl=tls, server_hostname=name, limit=limit
        )
        caller = RawCaller(reader, writer)
        self._callers.append(caller)
        return caller


class RawCaller:
    """A client that shows the answer's bytes as they are."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    def send(self, data: bytes) -> None:
        self.writer.write(data)

    def stop_reading(self) -> None:
        self.writer.transport.pause_reading()  # type: ignore[attr-defined]

    def read_on(self) -> None:
        self.writer.transport.resume_reading()  # type: ignore[attr-defined]

    def get(self, path: str = "/", method: str = "GET", version: str = "1.1") -> None:
        self.send(f"{method} {path} HTTP/{version}\r\nHost: here\r\n\r\n".encode())

    def post(self, body: bytes, path: str = "/") -> None:
        self.send(b"POST %b HTTP/1.1\r\nHost: here\r\nContent-Length: %d\r\n\r\n%b" % (path.encode(), len(body), body))

    async def head(self) -> bytes:
        return await self.reader.readuntil(b"\r\n\r\n")

    async def until(self, end: bytes) -> bytes:
        return await self.reader.readuntil(end)

    async def exactly(self, size: int) -> bytes:
        return await self.reader.readexactly(size)

    async def rest(self) -> bytes:
        """Everything up to the orderly close; ConnectionResetError where it was none."""
        return await self.reader.read()

    def leave(self) -> None:
        self.writer.transport.abort()
