"""One connection of a caller."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

import structlog
from aiohttp import web

from llamaswap_py.runtime.tasks import own_task
from llamaswap_py.server.leaving import Leaving
from llamaswap_py.server.relayed import Relayed
from llamaswap_py.server.shortcut import Asking, swift_one
from llamaswap_py.server.taking import Taker
from llamaswap_py.wire.asked import Simple

if TYPE_CHECKING:
    from llamaswap_py.server.entrance import Entrance

log = structlog.get_logger("entrance")

MOST_LATER = 64 * 1024  # bytes of further requests that are held while one is answered
# Of a request whose head came alone, this much more is waited for, and so long; the library takes what it has then.
MOST_AWAITED = 64 * 1024
AWAITED_SECONDS = 0.1


class Visitor(Taker):
    """What is simple and comes at once, or nearly so, is answered without the library's parser, and without a task that
    waits for it. From the first request on that is not, everything on the connection goes the library's way."""

    __slots__ = ("begun", "crowded", "entrance", "first", "is_passed_on", "later", "patience")

    def __init__(self, entrance: Entrance, server: web.Server, how: Mapping[str, Any]) -> None:
        super().__init__(server, entrance.loop, entrance.limits, how)
        self.entrance = entrance
        self.crowded = False  # came when there was no room: only what needs no model is done for it
        self.first = 0.0  # when it may be closed if it asks for nothing
        self.is_passed_on = False
        self.later = b""  # what it asks next, before it has its answer
        self.begun = b""  # of a request whose rest is awaited
        self.patience: asyncio.TimerHandle | None = None  # with that

    @property
    def is_idle(self) -> bool:
        if self.is_passed_on:
            return self._waiter is not None and not self._waiter.done()
        return self._task_handler is None and not self.begun

    @property
    def idle_since(self) -> float | None:
        """When it last had a whole request, or came; None while one is being answered."""
        return self._next_keepalive_close_time - self._keepalive_timeout if self.is_idle else None

    def is_stale(self, now: float) -> bool:
        """Kept open for long enough. What is passed on has the library's timer for that."""
        return not self.is_passed_on and self.is_idle and now >= self._next_keepalive_close_time

    def may_yet_ask(self, now: float) -> bool:
        """It came a moment ago, and nothing was heard of it, or not the whole."""
        if self.begun:
            return True
        came = self.first - self._keepalive_timeout
        has_asked = self._current_request is not None or self._next_keepalive_close_time != self.first
        if not self.is_passed_on:
            has_asked = has_asked or self._task_handler is not None
        return not has_asked and came > now - self.entrance.settled

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        if self._manager is not None:
            self._manager.connection_made(self, self.transport)
        self.first = self._next_keepalive_close_time = self._loop.time() + self._keepalive_timeout
        # What does not fit its socket holds up its server at once; and what fits is written without a detour.
        # TLS takes 0 for "always full": a byte that waits is its least.
        least = 1 if transport.get_extra_info("sslcontext") else 0
        self.transport.set_write_buffer_limits(least)
        self.entrance.enter(self)

    def connection_lost(self, exc: BaseException | None) -> None:
        self.entrance.visitors.pop(self, None)
        self.await_nothing()
        super().connection_lost(exc)

    def eof_received(self) -> None:
        if self.begun:
            self.pass_on(self.begun)
        super().eof_received()

    def force_close(self) -> None:
        self.await_nothing()
        super().force_close()

    def data_received(self, data: bytes) -> None:
        if self.is_passed_on:
            super().data_received(data)
        elif self._task_handler is not None:
            self.hold(data)
        elif self._force_close or self._close:
            if self.begun:
                self.force_close()  # nobody would answer it
        else:
            data = self.begun + data if self.begun else data
            asked = swift_one(data, self.entrance.swift)
            if asked is None or asked.lacks > MOST_AWAITED:
                self.pass_on(data)
            elif asked.lacks:
                self.begun = data
                if self.patience is None:
                    self.patience = self._loop.call_later(AWAITED_SECONDS, lambda: self.pass_on(self.begun))
            else:
                self.await_nothing()
                self._task_handler = own_task(self._loop, self.answer(asked))

    def await_nothing(self) -> None:
        self.begun = b""
        if self.patience is not None:
            self.patience.cancel()
            self.patience = None

    def pass_on(self, data: bytes) -> None:
        self.is_passed_on = True
        self.await_nothing()
        assert self.transport is not None
        super().connection_made(self.transport)
        self.first = self._next_keepalive_close_time
        super().data_received(data)

    def hold(self, data: bytes) -> None:
        self.later += data
        if len(self.later) > MOST_LATER and self.transport is not None and self._task_handler is not None:
            self.transport.pause_reading()
            Leaving(self.transport, self._task_handler)

    async def answer(self, asked: Simple) -> None:
        """As the library's `start` has it for one request, less what an answer that the relay has written needs not."""
        assert self._request_handler is not None
        loop, keeps = self._loop, False
        began = loop.time()
        request = self._current_request = Asking(asked, self, loop)
        self._request_in_progress = True
        try:
            response: web.StreamResponse
            try:
                response = await self._request_handler(request)
            except web.HTTPException as raised:
                response = raised
            except Exception as mistake:  # noqa: BLE001 - it is told
                response = self.handle_error(request, 500, mistake)
            if isinstance(response, Relayed) and not self.writing_paused:
                self.log_access(request, response, began)
                is_cut = False
            else:
                response, is_cut = await self.finish_response(request, response, began)
            self._keepalive = bool(response.keep_alive)
            keeps = self._keepalive and not is_cut
        except ConnectionError:
            log.debug(f"{self.peer} has left")
        except asyncio.CancelledError:
            self.force_close()
            raise
        except Exception as error:  # noqa: BLE001 - it is told
            self.log_exception("Unhandled exception", exc_info=error)
            self.force_close()
        finally:
            request._task = None  # type: ignore[assignment]  # noqa: SLF001 - it knows this coroutine, which knows it
            self._current_request, self._request_in_progress = None, False
            if self._handler_waiter is not None:
                self._handler_waiter.set_result(None)
            self.answered(keeps)

    def answered(self, keeps: bool) -> None:
        self._task_handler = None
        if self._force_close or self.transport is None:
            return
        if self._close or not keeps:
            self._close = True
            self.transport.close()
            return
        self._next_keepalive_close_time = self._loop.time() + self._keepalive_timeout
        if self.later:
            later, self.later = self.later, b""
            self.transport.resume_reading()
            self.data_received(later)

    @property
    def sockname(self) -> Any:
        """Asked for with each connection, and needed only where a request names no host."""
        return super().sockname if self.is_passed_on else None
