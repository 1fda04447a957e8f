"""`GET /api/events`: what the house hears of, told to the pages that follow. Without pages, nothing is done at all."""

from __future__ import annotations

import asyncio
import codecs
import secrets
from collections import deque
from collections.abc import Callable, Iterator

from aiohttp import hdrs, web

from llamaswap_py.observe.inflight import Inflight, Payload
from llamaswap_py.runtime.conductor import Conductor
from llamaswap_py.runtime.feed import ConfigLoaded, ConfigRefused, Event, Feed, ModelChanged, RowStored
from llamaswap_py.runtime.logs import Logs
from llamaswap_py.runtime.output import Ring
from llamaswap_py.server import messages
from llamaswap_py.server.audience import Audience, Message, Page
from llamaswap_py.server.doors import Door, Kind

# Middlemen cut streams that are silent for a minute, some for half of one.
HEARTBEAT_SECONDS = 15.0

# What a log says within one such moment is one message: nobody reads faster, and a flood costs fifty messages a second.
LOG_MOMENT_SECONDS = 0.02
LOG_MOMENT_BYTES = 64 * 1024

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


class LogTap:
    """Follows one ring while there are pages: bytes in, text of whole characters out, a moment at a time."""

    def __init__(self, source: str, ring: Ring, tell: Callable[[Message], None]) -> None:
        self.source = source
        self.ring = ring
        self.tell = tell
        self.pieces: list[bytes] = []
        self.held = 0
        self.lost = 0
        self.timer: asyncio.TimerHandle | None = None

    def open(self) -> None:
        self.decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self.decoder.decode(self.ring.history())  # which may end within a character
        self.ring.viewers.add(self)

    def close(self) -> None:
        self.ring.viewers.discard(self)
        self.pieces.clear()
        self.held = 0
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None

    def push(self, data: bytes) -> None:
        if self.held + len(data) > LOG_MOMENT_BYTES:
            self.lost += len(data)
        else:
            self.pieces.append(data)
            self.held += len(data)
        if self.timer is None:
            self.timer = asyncio.get_running_loop().call_later(LOG_MOMENT_SECONDS, self.flush)

    def flush(self) -> None:
        """Say what was held back, so that what is said next comes after it."""
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None
        text = self.decoder.decode(b"".join(self.pieces))
        size, self.held = self.held, 0
        self.pieces.clear()
        if text:
            self.tell(Message(messages.log_data(self.source, text), self.source, log_bytes=size))
        lost, self.lost = self.lost, 0
        if lost:
            self.tell(Message(messages.lost_log_data(self.source, lost), self.source, log_bytes=lost))

    def history(self) -> bytes:
        """All that was written, less the first bytes of a character whose last ones are still to come."""
        text = codecs.getincrementaldecoder("utf-8")("replace").decode(self.ring.history())
        return messages.log_data(self.source, text)


class Events:
    """Hears the feed, the rings and the table of requests; tells the pages. `tell_profile` is for whoever sets it."""

    def __init__(self, conductor: Conductor, logs: Logs, feed: Feed, inflight: Inflight) -> None:
        self.conductor = conductor
        self.inflight = inflight
        self.audience = Audience(messages.lost_log_data, self.begin, self.rest)
        rings = {"proxy": logs.proxy, "upstream": logs.upstream}
        self.taps = [LogTap(source, ring, self.audience.tell) for source, ring in rings.items()]
        self.epoch = secrets.token_hex(4)
        self.swaps: deque[tuple[int, ModelChanged]] = deque(maxlen=REMEMBERED)
        self.counted = 0
        self.reading: ConfigLoaded | ConfigRefused | None = None
        self.profile: Callable[[], str | None] = lambda: None
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
                self.counted += 1
                self.swaps.append((self.counted, event))
                self.tell_status()
                if self.followed:
                    self.tell(Message(messages.swap(event, self.name(self.counted)), "swap"))
            case ConfigLoaded() | ConfigRefused():
                self.reading = event
                self.tell_status()
                if self.followed:
                    self.tell(Message(messages.config(event), "config"))
            case RowStored(row) if self.followed:
                self.tell(Message(messages.activity(row), "activity"))

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

    def tell(self, message: Message) -> None:
        for tap in self.taps:
            tap.flush()
        self.audience.tell(message)

    # -- the pieces

    def name(self, number: int) -> str:
        return f"{self.epoch}-{number}"

    def status(self) -> bytes:
        return messages.model_status(self.conductor.standings())

    def requests(self) -> bytes:
        return messages.inflight(self.inflight.snapshot())

    def opening(self, last: str) -> Iterator[bytes]:
        """What a page is told first, in llama-swap's order; then ours."""
        for tap in self.taps:
            tap.flush()
            yield tap.history()
        yield self.status()
        yield messages.ui_config(self.conductor.config.session_headers)
        yield messages.profile_changed(self.profile())
        yield self.requests()
        yield messages.config(self.reading)
        for number, change in self.swaps_after(last):
            yield messages.swap(change, self.name(number))

    def swaps_after(self, last: str) -> list[tuple[int, ModelChanged]]:
        """Nothing for a page that was never here; all that is remembered for one that saw an earlier start of ours."""
        epoch, _, number = last.rpartition("-")
        if not epoch:
            return []
        ours = epoch == self.epoch and number.isdecimal() and len(number) < LONGEST_NUMBER
        seen = int(number) if ours else 0
        return [(count, change) for count, change in self.swaps if count > seen]

    def begin(self) -> None:
        """The first page is here."""
        for tap in self.taps:
            tap.open()
        self.leave = self.inflight.subscribe(self.tell_inflight)

    def rest(self) -> None:
        """The last page has gone."""
        for tap in self.taps:
            tap.close()
        if self.leave is not None:
            self.leave()

    # -- the door

    async def follow(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers=HEADERS)
        if request.method == hdrs.METH_HEAD:
            await response.prepare(request)
            return response
        last = request.headers.get("Last-Event-ID", "")
        with self.audience.join(lambda: self.opening(last)) as page:
            await response.prepare(request)
            await send(page, response)
        await response.write_eof()
        return response

    def close(self) -> None:
        self.audience.close()


async def send(page: Page, response: web.StreamResponse) -> None:
    while not page.closed:
        await response.write(await page.next(HEARTBEAT_SECONDS) or messages.HEARTBEAT)
