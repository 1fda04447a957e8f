"""WebSockets to a model's server: after the change of protocol both sides' bytes pass unread.

A tunnel takes a seat until the server has agreed and gives it up then, so that a socket left open neither keeps its
model from its ttl nor holds up a swap; what passes through it counts as use. It ends when the model is stopped."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, cast

from aiohttp import hdrs, web
from msgspec.structs import replace

from llamaswap_py.config.values import Model
from llamaswap_py.runtime.conductor import Conductor
from llamaswap_py.runtime.relay import relay
from llamaswap_py.server.proxy import Errand, fields_of
from llamaswap_py.server.relayed import Relayed, RequestSink
from llamaswap_py.server.sharing import caller_of
from llamaswap_py.wire.window import Piece

# Bytes of the caller that may wait for the server to read on.
FULL = 64 * 1024

# A ttl counts in seconds; saying it more often than this would be work for nothing.
USE_SECONDS = 1.0


def wants_tunnel(request: web.Request) -> bool:
    words = [word.strip().lower() for word in ",".join(request.headers.getall(hdrs.CONNECTION, [])).split(",")]
    return "upgrade" in words and request.headers.get(hdrs.UPGRADE, "").lower() == "websocket"


class Use:
    """Tells that a model is in use, now and then."""

    def __init__(self, tell: Callable[[], None]) -> None:
        self._tell = tell
        self._clock = asyncio.get_running_loop().time
        self._told = self._clock()

    def seen(self) -> None:
        now = self._clock()
        if now - self._told >= USE_SECONDS:
            self._told = now
            self._tell()


class Inlet:
    """What the caller sends after the change of protocol; the first `read` means that it has happened."""

    length = None

    def __init__(self, request: web.Request, use: Use, changed: Callable[[], None]) -> None:
        self._protocol = request.protocol
        self._use = use
        self._changed = changed
        self._open = False
        self._pieces: list[bytes] = []
        self._held = 0
        self._news = asyncio.Event()

    def invite(self) -> None:
        """The change of protocol is all the word there is."""

    async def read(self) -> bytes:
        if not self._open:
            self._open = True
            self._changed()
            self._protocol.set_parser(cast(Any, self))  # from here on it is we who are given the bytes
        await self._news.wait()
        self._news.clear()
        data = b"".join(self._pieces)
        self._pieces.clear()
        self._held = 0
        self._protocol.resume_reading()
        return data

    def feed_data(self, data: bytes) -> tuple[bool, bytes]:
        self._use.seen()
        self._pieces.append(data)
        self._held += len(data)
        self._news.set()
        if self._held > FULL:
            self._protocol.pause_reading()
        return False, b""

    def feed_eof(self) -> None:
        """The caller is gone; that cancels its handler, and with it the tunnel."""


class Outlet(RequestSink):
    def __init__(self, request: web.Request, extra: tuple[tuple[str, str], ...], use: Use) -> None:
        super().__init__(request, extra)
        self._use = use

    def write(self, data: Piece) -> bool:
        self._use.seen()
        return super().write(data)

    def write_all(self, pieces: Sequence[Piece]) -> bool:
        self._use.seen()
        return super().write_all(pieces)


async def tunnel(request: web.Request, errand: Errand, conductor: Conductor, model: Model) -> web.StreamResponse:
    """An ignored one counts as nothing at all, neither as a caller nor as use; a holding one keeps its seat."""
    ignored, holds = model.ignore_websockets, model.hold_websockets
    lease = conductor.lease(
        errand.model, caller_of(request, conductor.config), wakes=errand.wakes and not ignored, keeps=not ignored
    )
    async with lease as run:
        use = Use(idle if ignored else lease.touch)
        inlet = Inlet(request, use, idle if holds and not ignored else lease.leave)
        upstream = replace(errand.upstream, body=inlet, upgrade="websocket")
        sink = Outlet(request, fields_of(errand), use)
        outcome = await relay(run.connections, upstream, sink, errand.dialect.broken)
    if outcome.refusal is not None and not outcome.bytes_sent:
        raise outcome.refusal.afresh()
    return Relayed(request, outcome)


def idle() -> None:
    """Nothing is to be done."""
