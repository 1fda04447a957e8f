"""Pages that follow the events: each has a bounded backlog, and one that stops reading costs nobody anything.

Knows no kind of message; every message is made once, whoever gets it."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from types import TracebackType
from typing import Self

# What a slow page may lag behind: some seconds of a talkative start-up. Beside it, at most what it gets at the start.
QUEUED = 256 * 1024


@dataclass(frozen=True, slots=True)
class Message:
    data: bytes
    topic: str  # who was away gets the last of each topic only
    again: Callable[[], bytes] | None = None  # or, instead of the last, what this makes when it is back
    log_bytes: int = 0  # of a log's message: who was away hears only how many bytes it missed


class Page:
    """One page that follows. Leave it by using it as a context. Without `logs` it is told none."""

    def __init__(self, audience: Audience, opening: Iterable[bytes], room: int = QUEUED, logs: bool = True) -> None:
        self.audience = audience
        self.queue = deque(opening)
        self.queued = 0  # bytes, without the opening
        self.room = room
        self.logs = logs
        self.lost: Counter[str] = Counter()  # log bytes by topic
        self.missed: dict[str, Message] = {}
        self.closed = False
        self.wake: asyncio.Future[None] | None = None

    @property
    def away(self) -> bool:
        """It lags too far behind: until it has caught up nothing is queued, so that the gap is in one place."""
        return bool(self.lost or self.missed)

    def push(self, message: Message) -> None:
        if message.log_bytes and not self.logs:
            return
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
    """All pages. `came` is called before the first comes, `left` after the last has gone."""

    def __init__(self, gap: Callable[[str, int], bytes], came: Callable[[], None], left: Callable[[], None]) -> None:
        self.gap = gap
        self.came = came
        self.left = left
        self.pages: set[Page] = set()

    def join(self, opening: Callable[[], Iterable[bytes]], logs: bool = True) -> Page:
        if not self.pages:
            self.came()
        page = Page(self, opening(), logs=logs)
        self.pages.add(page)
        return page

    def leave(self, page: Page) -> None:
        if page in self.pages:
            self.pages.remove(page)
            if not self.pages:
                self.left()

    def tell(self, message: Message) -> None:
        for page in self.pages:
            page.push(message)

    def close(self) -> None:
        """Every page's stream ends after what it was told."""
        for page in self.pages:
            page.close()
