"""Connections of callers: so many at once, none that takes nothing of its answer, a word to whoever finds no room."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

import structlog
from aiohttp import web

from llamaswap_py.config.values import Limits
from llamaswap_py.dialects import openai
from llamaswap_py.errors import Overloaded
from llamaswap_py.server.shortcut import Swift
from llamaswap_py.server.visitor import Visitor

log = structlog.get_logger("entrance")

# How long a connection may be without a whole request head, new, idle or slow. SDK pools give up theirs before.
KEEP_ALIVE_SECONDS = 75.0
LOOKS = 8  # in that time, at who has come to its end
SPARE = 32  # beyond the limit: enough to hear what they want, so that operators and probes are served
SETTLED_SECONDS = 1.0  # a connection that is younger may have its request still under way
LISTEN_SECONDS = 0.01  # between two looks at whether everybody has been heard
LOOK_AGAIN_SECONDS = 0.1  # where nobody could be sent away a moment ago
BATCH = 64  # of the allowed number this part is freed in one look: a look costs as much as there are connections
SAY_AGAIN_SECONDS = 10.0

FULL = "the proxy serves as many connections as it can: try again in a moment, or raise limits.connections"


class Entrance:
    """Makes a Visitor for every connection; `most` says how many there may be at present."""

    def __init__(
        self,
        server: web.Server,
        how: Mapping[str, Any],
        limits: Callable[[], Limits],
        most: Callable[[], int],
        settled: float = SETTLED_SECONDS,
        *,
        swift: Swift = frozenset(),
    ) -> None:
        """`swift`: the doors for whose requests there is a shortcut."""
        self.loop = asyncio.get_running_loop()
        self.settled = settled
        self.swift = swift
        self.server = server
        self.how = how
        self.limits = limits
        self.most = most
        self.visitors: dict[Visitor, None] = {}
        self.pause = how.get("keepalive_timeout", KEEP_ALIVE_SECONDS) / LOOKS
        self.sweep: asyncio.TimerHandle | None = None
        self.look_at = 0.0
        self.say_at = 0.0

    def __call__(self) -> Visitor:
        return Visitor(self, self.server, self.how)

    def enter(self, visitor: Visitor) -> None:
        self.visitors[visitor] = None
        if self.sweep is None:
            self.sweep = self.loop.call_later(self.pause, self.see_off)
        most = self.most()
        if len(self.visitors) > most:
            self.make_room(most)
        if len(self.visitors) > most:
            self.turn_away(visitor, most)

    def see_off(self) -> None:
        """Who has asked for nothing for long. One timer for all: one each would cost more than what they ask."""
        now = self.loop.time()
        for visitor in [each for each in self.visitors if each.is_stale(now)]:
            visitor.force_close()
        self.sweep = self.loop.call_later(self.pause, self.see_off) if self.visitors else None

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
        visitor.close()  # after this answer: the next try comes by another connection, when there may be room
        raise Overloaded(FULL, retry_after=1)
