"""`GET /api/events`: what the house hears of, told to the pages that follow. Without pages, nothing is done at all."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from aiohttp import hdrs, web

from llamaswap_py.observe.inflight import Payload
from llamaswap_py.runtime.conductor import Conductor
from llamaswap_py.runtime.feed import (
    AlertChanged,
    BenchmarkChanged,
    ConfigLoaded,
    ConfigRefused,
    Event,
    Feed,
    LoadProgressed,
    ModelChanged,
    PullChanged,
    RowsStored,
)
from llamaswap_py.runtime.logs import Logs
from llamaswap_py.server import messages
from llamaswap_py.server.audience import Audience, Message, Page
from llamaswap_py.server.doors import Door, Kind
from llamaswap_py.server.own import Own
from llamaswap_py.server.recording import Recordings
from llamaswap_py.server.taps import Taps

# Middlemen cut streams that are silent for a minute, some for half of one.
HEARTBEAT_SECONDS = 15.0

HEADERS = {
    "Content-Type": "text/event-stream",
    "Cache-Control": "no-cache",
    "Connection": "keep-alive",
    "X-Content-Type-Options": "nosniff",
    "X-Accel-Buffering": "no",
}


class Events:
    """Hears the feed, the rings and the table of requests; tells the pages. `tell_profile` is for whoever sets it."""

    def __init__(
        self, conductor: Conductor, logs: Logs, feed: Feed, recordings: Recordings, keeper: Callable[[], int]
    ) -> None:
        self.conductor = conductor
        self.inflight = recordings.inflight
        self.audience = Audience(messages.lost_log_data, self.settle)
        self.wants = self.audience.wants
        self.own = Own(conductor, recordings, self.tell, keeper)
        rings = {"proxy": logs.proxy, "upstream": logs.upstream}
        self.taps = Taps(rings, self.audience.tell)
        self.reading: ConfigLoaded | ConfigRefused | None = None
        self.profile: Callable[[], str | None] = lambda: None
        self.pulls: Callable[[], Iterable[Mapping[str, Any]]] = tuple  # rows of those under way
        self.alerts: Callable[[], Iterable[Mapping[str, Any]]] = tuple  # rows of those that fire
        self.benchmarks: Callable[[], Iterable[Mapping[str, Any]]] = tuple  # rows of those that are not over
        self.leave: Callable[[], None] | None = None  # the table of requests
        self.stale = False
        feed.subscribe(self.hear)

    def doors(self) -> list[Door]:
        return [Door("GET", "/api/events", Kind.CONTROL, self.follow)]

    # -- what there is to tell

    def hear(self, event: Event) -> None:
        match event:
            case ModelChanged():
                self.tell_status()
            case LoadProgressed() if self.wants("loading"):
                self.tell(Message(messages.loading(event), "loading"))
            case ConfigLoaded() | ConfigRefused():
                self.reading = event
                self.tell_status()
                if self.wants("config"):
                    self.tell(Message(messages.config(event), "config"))
            case RowsStored(ids) if self.wants("activity"):
                for row in ids:
                    self.tell(Message(messages.activity(row), "activity"))
            case PullChanged(row) if self.wants("pull"):
                self.tell(Message(messages.pull(row), f"pull {row['id']}"))
            case AlertChanged(row) if self.wants("alert"):
                self.tell(Message(messages.alert(row), f"alert {row['id']}"))
            case BenchmarkChanged(row) if self.wants("benchmark"):
                self.tell(Message(messages.benchmark(row), f"benchmark {row['id']}"))
        self.own.hear(event)

    def tell_status(self) -> None:
        """The list is made once for all changes of one moment, after they all have happened."""
        if not self.stale and self.wants("modelStatus"):
            self.stale = True
            asyncio.get_running_loop().call_soon(self.refresh)

    def refresh(self) -> None:
        self.stale = False
        if self.wants("modelStatus"):
            self.tell(Message(self.status(), "modelStatus", self.status))

    def tell_profile(self) -> None:
        """Another profile is active: names mean something else now."""
        self.tell_status()
        if self.wants("profileChanged"):
            self.tell(Message(messages.profile_changed(self.profile()), "profileChanged"))

    def tell_inflight(self, payload: Payload) -> None:
        self.tell(Message(messages.inflight(payload), "inflight", self.requests))

    def tell(self, message: Message) -> None:
        self.taps.flush()
        self.audience.tell(message)

    # -- the pieces

    def status(self) -> bytes:
        return messages.model_status(self.conductor.standings(), self.conductor.config.peers.values())

    def requests(self) -> bytes:
        return messages.inflight(self.inflight.snapshot())

    def opening(self, page: Page, last: str) -> Iterator[bytes]:
        """What a page is told first, in llama-swap's order; then ours."""
        without = page.without
        if "logData" not in without:
            self.taps.flush()
            yield from self.taps.histories()
        if "modelStatus" not in without:
            yield self.status()
        if "uiConfig" not in without:
            yield messages.ui_config(self.conductor.config.session_headers)
        yield messages.profile_changed(self.profile())
        if "inflight" not in without:
            yield self.requests()
        yield messages.config(self.reading)
        yield messages.beat(time.time())
        yield from map(messages.pull, self.pulls())
        yield from map(messages.alert, self.alerts())
        yield from map(messages.benchmark, self.benchmarks())
        yield from self.own.opening(last, without)

    def settle(self) -> None:
        """Who listens to what, and nothing else."""
        self.taps.settle(self.wants("logData"))
        if self.wants("inflight") and self.leave is None:
            self.leave = self.inflight.subscribe(self.tell_inflight)
        elif self.leave is not None and not self.wants("inflight"):
            self.leave()
            self.leave = None
        self.own.settle(self.wants)

    # -- the door

    async def follow(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers=HEADERS)
        if request.method == hdrs.METH_HEAD:
            await response.prepare(request)
            return response
        last = request.headers.get("Last-Event-ID", "")
        without = frozenset(",".join(request.query.getall("without", [])).split(","))
        if request.query.get("logs") == "no":
            without |= {"logData"}
        with self.audience.join(lambda page: self.opening(page, last), without) as page:
            await response.prepare(request)
            await send(page, response)
        await response.write_eof()
        return response

    def close(self) -> None:
        self.audience.close()


async def send(page: Page, response: web.StreamResponse) -> None:
    while not page.closed:
        await response.write(await page.next(HEARTBEAT_SECONDS) or messages.beat(time.time()))
