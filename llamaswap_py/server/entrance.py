"""Connections of callers: so many at once, none that takes nothing of its answer, a word to whoever finds no room."""

from __future__ import annotations

import asyncio
import socket
import sys
from collections.abc import Callable, Mapping
from typing import Any, cast

import structlog
from aiohttp import web

from llamaswap_py.config.values import Limits
from llamaswap_py.dialects import openai
from llamaswap_py.errors import Overloaded

log = structlog.get_logger("entrance")

SPARE = 32  # beyond the limit: enough to hear what they want, so that operators and probes are served
SETTLED_SECONDS = 1.0  # a connection that is younger may have its request still under way
LISTEN_SECONDS = 0.01  # between two looks at whether everybody has been heard
LOOK_AGAIN_SECONDS = 0.1  # where nobody could be sent away a moment ago
BATCH = 64  # of the allowed number this part is freed in one look: a look costs as much as there are connections
SAY_AGAIN_SECONDS = 10.0
SO_NWRITE = 0x1024  # Darwin's <sys/socket.h>

FULL = "the proxy serves as many connections as it can: try again in a moment, or raise limits.connections"


class Visitor(web.RequestHandler):
    """One connection."""

    __slots__ = ("crowded", "entrance", "fed_up", "first", "held", "unread")

    def __init__(self, entrance: Entrance, server: web.Server, how: Mapping[str, Any]) -> None:
        super().__init__(server, loop=entrance.loop, **how)
        self.entrance = entrance
        self.crowded = False  # came when there was no room: only what needs no model is done for it
        self.fed_up: asyncio.TimerHandle | None = None
        self.first = 0.0  # when it may be closed if it asks for nothing
        self.unread = 0  # bytes of its answer that the system held for it, when it was last looked at
        self.held = False  # once, at least, nothing was read of it for a while

    @property
    def idle_since(self) -> float | None:
        """When it last had a whole request, or came; None while one is being answered."""
        if self._waiter is None or self._waiter.done():
            return None
        return self._next_keepalive_close_time - self._keepalive_timeout

    def may_yet_ask(self, now: float) -> bool:
        """It came a moment ago, and nothing was heard of it."""
        came = self.first - self._keepalive_timeout
        has_asked = self._current_request is not None or self._next_keepalive_close_time != self.first
        return not has_asked and came > now - self.entrance.settled

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self.first = self._next_keepalive_close_time
        # What does not fit its socket holds up its server at once; and what fits is written without a detour.
        # TLS takes 0 for "always full": a byte that waits is its least.
        least = 1 if transport.get_extra_info("sslcontext") else 0
        cast(asyncio.WriteTransport, transport).set_write_buffer_limits(least)
        self.entrance.enter(self)

    def connection_lost(self, exc: BaseException | None) -> None:
        self.entrance.visitors.pop(self, None)
        self.stay()
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
        if self.transport is not None and (seconds := self.entrance.limits().reader_stall):
            self.unread = unread(self.transport)
            self.fed_up = self.entrance.loop.call_later(seconds, self.throw_out)

    def throw_out(self) -> None:
        """Not who reads slowly: the system takes more of an answer only after a good part of what it holds was read."""
        self.fed_up = None
        if self.transport is not None and unread(self.transport) != self.unread:
            self.wait_for_reader()
        elif self.transport is not None:
            log.warning(f"{self.peer} took nothing of its answer for {self.entrance.limits().reader_stall:g} s: ended")
            self.transport.abort()

    @property
    def peer(self) -> str:
        return str(self.peername[0]) if self.peername else "a caller"


class Entrance:
    """Makes a Visitor for every connection; `most` says how many there may be at present."""

    def __init__(
        self,
        server: web.Server,
        how: Mapping[str, Any],
        limits: Callable[[], Limits],
        most: Callable[[], int],
        settled: float = SETTLED_SECONDS,
    ) -> None:
        self.loop = asyncio.get_running_loop()
        self.settled = settled
        self.server = server
        self.how = how
        self.limits = limits
        self.most = most
        self.visitors: dict[Visitor, None] = {}
        self.look_at = 0.0
        self.say_at = 0.0

    def __call__(self) -> Visitor:
        return Visitor(self, self.server, self.how)

    def enter(self, visitor: Visitor) -> None:
        self.visitors[visitor] = None
        most = self.most()
        if len(self.visitors) > most:
            self.make_room(most)
        if len(self.visitors) > most:
            self.turn_away(visitor, most)

    def make_room(self, most: int) -> None:
        """Whoever asked for nothing for the longest time goes first."""
        now = self.loop.time()
        if now < self.look_at:
            return
        idle = [(since, id(visitor), visitor) for visitor in self.visitors if (since := visitor.idle_since) is not None]
        idle = [each for each in sorted(idle) if each[0] <= now - self.settled]
        for _, _, visitor in idle[: max(1, most // BATCH)]:
            del self.visitors[visitor]
            visitor.force_close()
        if not idle:
            self.look_at = now + LOOK_AGAIN_SECONDS

    async def hear_out(self) -> None:
        """Returns when everybody who was let in has said something, or had the time for it. Rare and short: a look now
        and then is cheaper than news of each first request."""
        while any(visitor.may_yet_ask(self.loop.time()) for visitor in self.visitors):  # noqa: ASYNC110
            await asyncio.sleep(LISTEN_SECONDS)

    def turn_away(self, visitor: Visitor, most: int) -> None:
        if self.loop.time() >= self.say_at:
            self.say_at = self.loop.time() + SAY_AGAIN_SECONDS
            log.warning(f"{len(self.visitors)} connections at once, and {most} are allowed: callers are refused")
        visitor.crowded = True
        if len(self.visitors) > most + SPARE and visitor.transport is not None:
            visitor.transport.write(refusal())
            visitor.force_close()


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


def refusal() -> bytes:
    """An answer to a request that is not read."""
    answer = openai.DIALECT.refuse(Overloaded(FULL, retry_after=1), "")
    fields = [*answer.headers, ("Content-Length", str(len(answer.body))), ("Connection", "close")]
    head = "".join(f"{name}: {value}\r\n" for name, value in fields)
    return f"HTTP/1.1 {answer.status} Service Unavailable\r\n{head}\r\n".encode("latin-1") + answer.body


def check_room(request: web.Request) -> None:
    """Refuses who came when there was no room."""
    visitor = request.protocol
    if isinstance(visitor, Visitor) and visitor.crowded:
        visitor.keep_alive(False)
        raise Overloaded(FULL, retry_after=1)
