"""A connection whose caller must take what it asked for: in time, or it is ended."""

from __future__ import annotations

import asyncio
import socket
import sys
from collections.abc import Callable, Mapping
from typing import Any

import structlog
from aiohttp import web

from llamaswap_py.config.values import Limits

log = structlog.get_logger("entrance")

SO_NWRITE = 0x1024  # Darwin's <sys/socket.h>


class Taker(web.RequestHandler):
    __slots__ = ("departure", "fed_up", "held", "limits", "unread")

    def __init__(
        self,
        server: web.Server,
        loop: asyncio.AbstractEventLoop,
        limits: Callable[[], Limits],
        how: Mapping[str, Any],
    ) -> None:
        super().__init__(server, loop=loop, **how)
        self.limits = limits
        self.fed_up: asyncio.TimerHandle | None = None
        self.unread = 0  # bytes of its answer that the system held for it, when it was last looked at
        self.departure: Callable[[], None] | None = None  # to be called before its descriptor is somebody else's
        self.held = False  # once, at least, nothing was read of it for a while

    def connection_lost(self, exc: BaseException | None) -> None:
        self.stay()
        if self.departure is not None:
            self.departure()
        super().connection_lost(exc)

    def pause_reading(self) -> None:
        self.held = True
        super().pause_reading()

    def resume_reading(self, resume_parser: bool = True) -> None:
        """The library says so after every body; where nothing was ever held, that would be a walk through the parser.
        Where something was, the parser may keep the rest of a later read as well, and tells nobody."""
        if self.held:
            super().resume_reading(resume_parser)

    def pause_writing(self) -> None:
        """More waits for it than it takes."""
        super().pause_writing()
        self.wait_for_reader()

    def resume_writing(self) -> None:
        self.stay()
        super().resume_writing()

    def stay(self) -> None:
        if self.fed_up is not None:
            self.fed_up.cancel()
            self.fed_up = None

    def wait_for_reader(self) -> None:
        if self.transport is not None and (seconds := self.limits().reader_stall):
            self.unread = unread(self.transport)
            self.fed_up = self._loop.call_later(seconds, self.throw_out)

    def throw_out(self) -> None:
        """Not who reads slowly: the system takes more of an answer only after a good part of what it holds was read."""
        self.fed_up = None
        if self.transport is not None and unread(self.transport) != self.unread:
            self.wait_for_reader()
        elif self.transport is not None:
            log.warning(f"{self.peer} took nothing of its answer for {self.limits().reader_stall:g} s: ended")
            self.transport.abort()

    @property
    def peer(self) -> str:
        return str(self.peername[0]) if self.peername else "a caller"


def unread(transport: asyncio.BaseTransport) -> int:
    """How much the system holds that the other side has not taken. The same number always, where it does not say."""
    opened = transport.get_extra_info("socket")
    if opened is None or sys.platform == "win32":
        return 0
    if sys.platform == "darwin":
        return int(opened.getsockopt(socket.SOL_SOCKET, SO_NWRITE))
    import fcntl
    import termios

    return int.from_bytes(fcntl.ioctl(opened.fileno(), termios.TIOCOUTQ, bytes(4)), sys.byteorder)
