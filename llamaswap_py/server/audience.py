"""Pages that follow the events: each has a bounded backlog, and one that stops reading costs nobody anything.

Knows no kind of message; every message is made once, whoever gets it."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Callable, Collection, Iterable
from types import TracebackType
from typing import Self

import msgspec

# What a slow page may lag behind: some seconds of a talkative start-up. Beside it, at most what it gets at the start.
QUEUED = 256 * 1024


class Message(msgspec.Struct, frozen=True):
    data: bytes
    topic: str  # its type, and of what; who was away gets the last of each topic only
    again: Callable[[], bytes] | None = None  # or, instead of the last, what this makes when it is back
    log_bytes: int = 0  # of a log's message: who was away hears only how many bytes it missed

    @property
    def kind(self) -> str:
        return self.topic.partition(" ")[0]


Tell = Callable[[Message], None]


class Page:
    """One page that follows. Leave it by using it as a context."""

    def __init__(self, audience: Audience, without: Collection[str] = (), room: int = QUEUED) -> None:
        """`without`: types that it does not want."""
        self.audience = audience
        self.without = without
        self.queue: deque[bytes] = deque()
        self.queued = 0  # bytes, without the opening
        self.room = room
        self.lost: Counter[str] = Counter()  # log bytes by topic
        self.missed: dict[str, Message] = {}
        self.closed = False
        self.wake: asyncio.Future[None] | None = None

    @property
    def away(self) -> bool:
        """It lags too far behind: until it has caught up nothing is queued, so that the gap is in one place."""
        return bool(self.lost or self.missed)

    def push(self, message: Message) -> None:
        if self.away or self.queued + len(message.data) > self.room:
            self.miss(message)
        else:
            self.queue.append(message.data)
            self.queued += len(message.data)
        self.rouse()

    def miss(self, message: Message) -> None:
        if message.log_bytes:
            self.lost[message.topic] += message.log_bytes
        else:
            self.missed[message.topic] = message

    def take(self) -> bytes:
        """All that waits, then what was missed, brought up to date."""
        if not self.queue and not self.away:
            return b""
        pieces = [*self.queue]
        pieces += [self.audience.gap(topic, lost) for topic, lost in self.lost.items()]
        pieces += [message.again() if message.again else message.data for message in self.missed.values()]
        self.queue.clear()
        self.queued = 0
        self.lost.clear()
        self.missed.clear()
        return b"".join(pieces)

    async def next(self, patience: float) -> bytes:
        """What there is to say, as soon as there is something; nothing when patience or the stream is over."""
        data = self.take()
        if data or self.closed:
            return data
        loop = asyncio.get_running_loop()
        self.wake = loop.create_future()
        alarm = loop.call_later(patience, self.rouse)
        try:
            await self.wake
        finally:
            alarm.cancel()
        return self.take()

    def rouse(self) -> None:
        if self.wake is not None and not self.wake.done():
            self.wake.set_result(None)

    def close(self) -> None:
        self.closed = True
        self.rouse()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.audience.leave(self)


class Audience:
    """All pages. `settle` is called before one comes and after one has gone: other types may be wanted then."""

    def __init__(self, gap: Callable[[str, int], bytes], settle: Callable[[], None]) -> None:
        self.gap = gap
        self.settle = settle
        self.pages: set[Page] = set()
        self.coming: Page | None = None

    def wants(self, kind: str) -> bool:
        pages, coming = self.pages, self.coming
        if not pages:
            return coming is not None and kind not in coming.without
        return any(kind not in page.without for page in pages) or (coming is not None and kind not in coming.without)

    def join(self, opening: Callable[[Page], Iterable[bytes]], without: Collection[str] = ()) -> Page:
        page = self.coming = Page(self, without)
        self.settle()
        page.queue.extend(opening(page))
        self.pages.add(page)
        self.coming = None
        return page

    def leave(self, page: Page) -> None:
        if page in self.pages:
            self.pages.remove(page)
            self.settle()

    def tell(self, message: Message) -> None:
        kind = message.kind
        for page in self.pages:
            if kind not in page.without:
                page.push(message)

    def close(self) -> None:
        """Every page's stream ends after what it was told."""
        for page in self.pages:
            page.close()
