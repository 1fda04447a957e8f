"""The record of one request: from its entry in the table of those in flight to its row."""

from __future__ import annotations

import asyncio
import time
from types import TracebackType
from typing import Self

from aiohttp import web

from llamaswap_py.errors import Cancelled, Internal, Refusal
from llamaswap_py.observe.activity import Recorder
from llamaswap_py.observe.captures import Asked
from llamaswap_py.observe.finished import Finished, Served
from llamaswap_py.observe.heard import Heard
from llamaswap_py.observe.inflight import Flight, Inflight
from llamaswap_py.runtime.relay import Closer, Outcome, ordered
from llamaswap_py.server.identity import MODEL, id_of
from llamaswap_py.wire.headers import Head, UpstreamRequest

# Of an answer, where no captures are kept: a JSON answer of this size is still read as a whole.
HELD = 256 * 1024
# Of all answers that are under way, about: a thousand long ones at once must not take a gigabyte.
HELD_IN_ALL = 64 * 1024 * 1024
LEFT = "the caller left before the answer ended"
CALLER_LEFT = 499  # what nginx writes down for it
GONE = "caller_left"
LENGTH = "Content-Length"
ENDED = (CALLER_LEFT, "", "")


def nothing() -> None:
    """There is nothing left to cancel."""


class Recording:
    """`with recordings.begin(…) as recording:` — hand `recording` to the relay as its tap, and `ended` its outcome.

    However the block is left, the request is written down once. One that an operator cancels is refused."""

    __slots__ = (
        "asked", "body", "flight", "heard", "inflight", "outcome", "over", "path", "private", "recorder", "request",
        "served", "weigh", "writes",
    )  # fmt: skip

    def __init__(self, inflight: Inflight, recorder: Recorder, flight: Flight, path: str, request: web.Request) -> None:
        self.inflight = inflight
        self.recorder = recorder
        self.flight = flight
        self.request = request
        self.heard = flight.heard
        self.body = flight.heard.body  # called for every piece that is written: no step between
        self.weigh = flight.heard.weigh
        self.path = path  # the row's: without a prefix of ours
        self.writes = request.method == "POST"  # a row; else it is only shown while in flight
        self.served: Served | None = None  # the run that answers
        self.private = False
        self.asked: Asked | None = None
        self.outcome: Outcome | None = None
        self.over = False

    @property
    def tap(self) -> Self:
        return self

    @property
    def metadata(self) -> dict[str, str]:
        return self.flight.metadata

    def asks(self, upstream: UpstreamRequest) -> None:
        """What goes to the model's server."""
        body = upstream.body
        held, length = (body, len(body)) if isinstance(body, bytes) else (None, body.length)
        if held is not None and len(held) <= HELD:
            self.flight.asked = held
        limit = self.recorder.captures.limit
        if limit:
            told = () if length is None else ((LENGTH, str(length)),)
            headers = (*upstream.headers, *upstream.own, *told)
            self.asked = Asked(headers, held if held is not None and len(held) <= limit else None)

    def head(self, head: Head, chunked: bool) -> None:
        self.heard.head(head, chunked)
        self.inflight.headed(self.flight)

    def slim(self) -> None:
        if let_go := self.heard.slim(HELD):
            self.recorder.writer.let_go(let_go)

    def ended(self, outcome: Outcome) -> None:
        self.outcome = outcome

    def __enter__(self) -> Self:
        self.inflight.enter(self.flight)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        order = ordered(error) if isinstance(error, asyncio.CancelledError) else None
        self.end(order or error)
        if order is not None:
            raise order.afresh() from None

    def end(self, error: BaseException | None = None) -> None:
        """Once; later calls do nothing."""
        if self.over:
            return
        self.over = True
        self.inflight.leave(self.flight)
        self.flight.cancel = nothing  # it holds the task, which holds this: a ring that only a collection would open
        if self.writes:
            self.recorder.add(self.finished(error))

    def finished(self, error: BaseException | None) -> Finished:
        status, why, code = self.end_of(error)
        flight, request = self.flight, self.request
        return Finished(
            model=flight.model,
            path=self.path,
            status=self.heard.status or status,
            when=time.time(),
            seconds=self.inflight.loop.time() - flight.began,
            heard=self.heard,
            content_type="" if self.heard.answer else "application/json",
            error=why,
            metadata=flight.metadata,
            asked=self.asked,
            began=flight.began,
            headers=request.headers,
            address=flight.remote,
            request=flight.request,
            private=self.private,
            code=code,
            outcome=self.outcome,
            served=self.served,
        )

    def end_of(self, error: BaseException | None) -> tuple[int, str, str]:
        """The status where no server gave one, what went wrong, and the code of that."""
        if isinstance(error, asyncio.CancelledError):
            return CALLER_LEFT, LEFT, GONE
        if isinstance(error, Refusal):
            return error.status, error.message, error.code
        if error is not None or self.outcome is None:
            return Internal.status, "something went wrong inside the proxy; its log says what", Internal.code
        refusal = self.outcome.refusal
        if refusal is not None:
            return refusal.status, refusal.message, refusal.code
        if self.outcome.closed_by is None or self.outcome.closed_by is not Closer.CALLER:
            return ENDED
        return CALLER_LEFT, LEFT, GONE


class Recordings:
    def __init__(self, inflight: Inflight, recorder: Recorder) -> None:
        self.inflight = inflight
        self.recorder = recorder

    def begin(self, request: web.Request, model: str, path: str) -> Recording:
        """`model` as it is called here, or as it was asked for where there is none; `path` as the model's server
        gets it."""
        task = asyncio.current_task()
        assert task is not None  # a handler always runs in one
        request[MODEL] = model
        self.recorder.spare_moment()
        flight = Flight(
            model=model,
            path=request.path,
            method=request.method,
            headers=request.headers.items(),
            remote=request.remote or "",
            when=time.time(),
            began=self.inflight.loop.time(),
            heard=Heard(room_for_one(self.recorder.captures.limit, len(self.inflight.flights))),
            request=id_of(request),
            cancel=lambda: task.cancel(Cancelled("the request was cancelled by an operator")),
        )
        return Recording(self.inflight, self.recorder, flight, path, request)


def room_for_one(kept: int, others: int) -> int:
    """Bytes that are held of an answer until it ends, where `kept` may be kept in all, and so many are under way."""
    return max(HELD, min(kept, HELD_IN_ALL // (1 + others)))
