"""`GET /api/events`: what the house hears of, told to the pages that follow. Without pages, nothing is done at all."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from aiohttp import hdrs, web

from llamaswap_py.observe.inflight import Inflight, Payload
from llamaswap_py.runtime.conductor import Conductor
from llamaswap_py.runtime.feed import (
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
from llamaswap_py.server.standings import Standings
from llamaswap_py.server.taps import Taps

# Middlemen cut streams that are silent for a minute, some for half of one.
HEARTBEAT_SECONDS = 15.0

# Swaps that a page hears of when it comes back and says what it heard last.
REMEMBERED = 200
LONGEST_NUMBER = 20  # digits; Python refuses to read thousands of them

HEADERS = {
    "Content-Type": "text/event-stream",
    "Cache-Control": "no-cache",
    "Connection": "keep-alive",
    "X-Content-Type-Options": "nosniff",
    "X-Accel-Buffering": "no",
}


class Swaps:
    """The last changes of models, each with a name by which a page can say that it has seen it."""

    def __init__(self) -> None:
        self.epoch = secrets.token_hex(4)  # names of an earlier start mean nothing now
        self.changes: deque[tuple[int, ModelChanged]] = deque(maxlen=REMEMBERED)
        self.count = 0

    def add(self, change: ModelChanged) -> str:
        self.count += 1
        self.changes.append((self.count, change))
        return self.name(self.count)

    def name(self, number: int) -> str:
        return f"{self.epoch}-{number}"

    def after(self, last: str) -> list[tuple[str, ModelChanged]]:
        """Nothing for a page that was never here; all that is remembered for one that saw an earlier start of ours."""
        epoch, _, number = last.rpartition("-")
        if not epoch:
            return []
        ours = epoch == self.epoch and number.isdecimal() and len(number) < LONGEST_NUMBER
        seen = int(number) if ours else 0
        return [(self.name(count), change) for count, change in self.changes if count > seen]


class Events:
    """Hears the feed, the rings and the table of requests; tells the pages. `tell_profile` is for whoever sets it."""

    def __init__(self, conductor: Conductor, logs: Logs, feed: Feed, inflight: Inflight) -> None:
        self.conductor = conductor
        self.inflight = inflight
        self.audience = Audience(messages.lost_log_data, self.begin, self.rest)
        rings = {"proxy": logs.proxy, "upstream": logs.upstream}
        self.standings = Standings(conductor, self.tell)
        self.taps = Taps(rings, self.audience.tell)
        self.swaps = Swaps()
        self.reading: ConfigLoaded | ConfigRefused | None = None
        self.profile: Callable[[], str | None] = lambda: None
        self.pulls: Callable[[], Iterable[Mapping[str, Any]]] = tuple  # rows of those under way
        self.leave: Callable[[], None] | None = None  # the table of requests
        self.stale = False
        feed.subscribe(self.hear)

    def doors(self) -> list[Door]:
        return [Door("GET", "/api/events", Kind.CONTROL, self.follow)]

    # -- what there is to tell

    @property
    def followed(self) -> bool:
        """Somebody listens; if not, there is no need to tell."""
        return bool(self.audience.pages)

    def hear(self, event: Event) -> None:
        match event:
            case ModelChanged():
                name = self.swaps.add(event)
                self.tell_status()
                self.standings.touch()
                if self.followed:
                    self.tell(Message(messages.swap(event, name), "swap"))
            case LoadProgressed() if self.followed:
                self.tell(Message(messages.loading(event), "loading"))
                self.standings.touch()
            case ConfigLoaded() | ConfigRefused():
                self.reading = event
                self.tell_status()
                self.standings.touch()
                if self.followed:
                    self.tell(Message(messages.config(event), "config"))
                    self.tell(Message(self.standings.rules(), "rules"))
            case RowsStored(rows) if self.followed:
                for row in rows:
                    self.tell(Message(messages.activity(row), "activity"))
            case PullChanged(row) if self.followed:
                self.tell(Message(messages.pull(row), f"pull {row['id']}"))

    def tell_status(self) -> None:
        """The list is made once for all changes of one moment, after they all have happened."""
        if self.followed and not self.stale:
            self.stale = True
            asyncio.get_running_loop().call_soon(self.refresh)

    def refresh(self) -> None:
        self.stale = False
        if self.followed:
            self.tell(Message(self.status(), "modelStatus", self.status))

    def tell_profile(self) -> None:
        """Another profile is active: names mean something else now."""
        self.tell_status()
        if self.followed:
            self.tell(Message(messages.profile_changed(self.profile()), "profileChanged"))

    def tell_inflight(self, payload: Payload) -> None:
        self.tell(Message(messages.inflight(payload), "inflight", self.requests))
        self.standings.touch()

    def tell(self, message: Message) -> None:
        self.taps.flush()
        self.audience.tell(message)

    # -- the pieces

    def status(self) -> bytes:
        return messages.model_status(self.conductor.standings(), self.conductor.config.peers.values())

    def requests(self) -> bytes:
        return messages.inflight(self.inflight.snapshot())

    def opening(self, last: str, logs: bool) -> Iterator[bytes]:
        """What a page is told first, in llama-swap's order; then ours."""
        self.taps.flush()
        if logs:
            yield from self.taps.histories()
        yield self.status()
        yield messages.ui_config(self.conductor.config.session_headers)
        yield messages.profile_changed(self.profile())
        yield self.requests()
        yield messages.config(self.reading)
        yield messages.beat(time.time())
        yield self.standings.rules()
        yield self.standings.whole()
        yield from map(messages.pull, self.pulls())
        for name, change in self.swaps.after(last):
            yield messages.swap(change, name)

    def begin(self) -> None:
        """The first page is here."""
        self.standings.open()
        self.leave = self.inflight.subscribe(self.tell_inflight)

    def rest(self) -> None:
        """The last page has gone."""
        self.standings.close()
        if self.leave is not None:
            self.leave()

    # -- the door

    async def follow(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers=HEADERS)
        if request.method == hdrs.METH_HEAD:
            await response.prepare(request)
            return response
        last = request.headers.get("Last-Event-ID", "")
        logs = request.query.get("logs") != "no"
        with self.taps.read(logs), self.audience.join(lambda: self.opening(last, logs), logs) as page:
            await response.prepare(request)
            await send(page, response)
        await response.write_eof()
        return response

    def close(self) -> None:
        self.audience.close()


async def send(page: Page, response: web.StreamResponse) -> None:
    while not page.closed:
        await response.write(await page.next(HEARTBEAT_SECONDS) or messages.beat(time.time()))
