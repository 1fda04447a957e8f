"""What a program said lately: a bounded ring of bytes, and viewers who follow it. Writing never waits for anyone."""

from __future__ import annotations

import asyncio
import re
from collections import deque
from types import TracebackType
from typing import Protocol, Self

KEPT = 100 * 1024  # as llama-swap keeps: a model's whole start-up talk, and cheap for a hundred models
QUEUED = 256 * 1024  # what a slow viewer may lag behind: the whole ring and a burst
LONGEST_LINE = 500  # characters of one line in a tail: it goes into error answers

# Terminal sequences and control characters; a tail is shown to people and put into JSON.
NOISE = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|[\x00-\x08\x0b-\x1f\x7f-\x9f]")


class Viewer(Protocol):
    """Whoever follows a ring by standing in its `viewers`."""

    def push(self, data: bytes) -> None:
        """Take what was written; at once, because the writer does not wait."""

    def close(self) -> None:
        """The ring says no more."""


class Subscription:
    """One viewer: an async iterator over what was and what comes. Leave it by `close`, or use it as a context."""

    def __init__(self, ring: Ring) -> None:
        self.ring = ring
        self.queue: deque[bytes] = deque()
        self.queued = 0
        self.dropped = 0
        self.closed = False
        self.wake: asyncio.Future[None] | None = None

    def push(self, data: bytes) -> None:
        # After the first loss all is dropped until the viewer catches up: the gap stays in one place.
        if self.dropped or self.queued + len(data) > QUEUED:
            self.dropped += len(data)
        elif data:
            self.queue.append(data)
            self.queued += len(data)
        self.ring_bell()

    def ring_bell(self) -> None:
        if self.wake is not None and not self.wake.done():
            self.wake.set_result(None)

    def __aiter__(self) -> Subscription:
        return self

    async def __anext__(self) -> bytes:
        while not (data := self.take()):
            if self.closed:
                raise StopAsyncIteration
            self.wake = asyncio.get_running_loop().create_future()
            await self.wake
        return data

    def take(self) -> bytes:
        """All that waits; once that was given, word of what was lost behind it."""
        if self.queue:
            data = b"".join(self.queue)
            self.queue.clear()
            self.queued = 0
            return data
        lost, self.dropped = self.dropped, 0
        return f"\n— {lost} bytes dropped —\n".encode() if lost else b""

    def close(self) -> None:
        """The iteration ends after what was queued."""
        self.closed = True
        self.ring.viewers.discard(self)
        self.ring_bell()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class Ring:
    """The last bytes written, and those who follow."""

    def __init__(self, kept: int = KEPT) -> None:
        self.kept = kept
        self.most = kept + kept // 4  # so much may be there until the rest is dropped
        self.chunks: deque[bytes] = deque()
        self.size = 0
        self.written = 0  # bytes, ever: a place in the log
        self.viewers: set[Viewer] = set()
        self.closed = False

    def write(self, data: bytes) -> None:
        if not data:
            return
        self.chunks.append(data)
        self.size += len(data)
        self.written += len(data)
        if self.size > self.most:
            self.shorten()
        if self.viewers:
            for viewer in tuple(self.viewers):
                viewer.push(data)

    def shorten(self) -> None:
        """To what is kept, with room for a while."""
        kept = self.history()
        self.chunks = deque([kept])
        self.size = len(kept)

    def history(self) -> bytes:
        return b"".join(self.chunks)[-self.kept :]

    def since(self, place: int) -> bytes:
        """What was written from there on, as far as it is kept."""
        missing = min(self.written - place, self.kept)
        pieces: deque[bytes] = deque()
        for chunk in reversed(self.chunks):
            if missing <= 0:
                break
            pieces.appendleft(chunk[-missing:])
            missing -= len(chunk)
        return b"".join(pieces)

    def clear(self) -> None:
        self.chunks.clear()
        self.size = 0

    def subscribe(self, history: bool = True) -> Subscription:
        """Follow from now on, what is kept first (or not): no gap between the two, nothing twice."""
        viewer = Subscription(self)
        if history:
            viewer.push(self.history())
        self.viewers.add(viewer)
        return viewer

    def close(self) -> None:
        """Ends every viewer's iteration."""
        self.closed = True
        for viewer in tuple(self.viewers):
            viewer.close()

    def tail(self, lines: int) -> str:
        """The last lines that say something, fit to be shown."""
        found = (clean(line) for line in self.history().split(b"\n"))
        return "\n".join([line for line in found if line][-lines:] if lines > 0 else [])


def clean(line: bytes) -> str:
    """Of a progress bar the last state; no terminal sequences; not too long."""
    shown = line.rstrip(b"\r").rpartition(b"\r")[2].decode("utf-8", "replace")
    text = NOISE.sub("", shown).rstrip()
    return text if len(text) <= LONGEST_LINE else text[: LONGEST_LINE - 1] + "…"
