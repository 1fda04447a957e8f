"""Finished requests become rows: queued by the loop, read, stored and captured by one thread, in batches.

Whatever happens here, a request neither waits nor fails for it: a full queue or a broken disk costs rows."""

from __future__ import annotations

import asyncio
import queue
import sqlite3
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Any, TypeVar

import msgspec
import structlog

from llamaswap_py.errors import Refusal
from llamaswap_py.observe.captures import Asked, Capture, Captures
from llamaswap_py.observe.heard import Heard
from llamaswap_py.observe.store import Row, Store
from llamaswap_py.wire.coding import CODINGS, inflated
from llamaswap_py.wire.usage import NOTHING, error_of, usage_of
from llamaswap_py.wire.window import Body

T = TypeVar("T")
log = structlog.get_logger("activity")

LONGEST_QUEUE = 4096  # rows; at a thousand requests a second the thread may be away for four seconds
HEAVIEST_QUEUE = (
    64 * 1024 * 1024
)  # bytes of bodies that wait; beyond it rows go without captures, beyond twice none come in
GATHER_SECONDS = 0.05  # the thread wakes that often under load, not for every request
LARGEST_INFLATED = 64 * 1024 * 1024  # a compressed answer that holds more is not opened


class Finished(msgspec.Struct, gc=False):
    """A request that is over, as the loop hands it to the thread: nothing in it has been looked at."""

    model: str
    path: str
    status: int
    when: float  # unix seconds
    seconds: float  # it took
    heard: Heard
    content_type: str = ""  # where the answer was our own
    error: str = ""
    metadata: dict[str, str] = msgspec.field(default_factory=dict)
    asked: Asked | None = None  # None: not to be captured
    weight: int = 0  # of its bodies, about; what it counts for in the queue

    def weigh(self) -> int:
        asked = self.asked
        self.weight = self.heard.window.held + (len(asked.body) if asked is not None and asked.body else 0)
        return self.weight

    def without_capture(self) -> None:
        self.asked = None
        self.heard.window.shed()


class Read:
    """A finished request after the thread has read it."""

    __slots__ = ("capture", "row")

    def __init__(self, finished: Finished) -> None:
        self.capture: Capture | None = None
        heard, answer = finished.heard, finished.heard.answer
        content_type = finished.content_type or (answer.content_type if answer is not None else "")
        usage, error = NOTHING, finished.error
        coding = answer.coding if answer is not None else ""
        # Events stay whole in the framing of their chunks: they can be read where they stand.
        framed = heard.chunked and "text/event-stream" in content_type and coding not in CODINGS
        try:
            body = opened(heard) if coding in CODINGS else heard.read(framed)
        except NotOpened as reason:
            what = "decompression" if finished.status == 200 else "decode"
            error = error or f"response {what} failed: {reason}"
        else:
            if finished.status == 200:
                usage = usage_of(finished.path, content_type, body)
            elif not error:
                error = error_of(finished.status, body.first)
            self.capture = captured(finished, body, framed)
        took = finished.seconds * 1000
        self.row = Row(
            int(finished.when),
            finished.model,
            finished.path,
            content_type,
            finished.status,
            usage,
            int(max(took, usage.milliseconds)),
            error,
            finished.metadata,
        )


class NotOpened(Exception):
    """The compressed body cannot be read; the sentence says why."""


def opened(heard: Heard) -> Body:
    """A compressed body as plain bytes."""
    body = heard.read()
    if not body.first:
        return body
    if not body.whole:
        raise NotOpened(f"it is compressed and {heard.size} bytes long, more than is held")
    try:
        return Body(inflated(body.first, LARGEST_INFLATED))
    except Refusal as why:
        raise NotOpened("it is cut off, no such coding, or far larger than it looks") from why


def captured(finished: Finished, body: Body, framed: bool) -> Capture | None:
    if finished.asked is None or finished.heard.answer is None or not body.whole:
        return None
    if finished.status == 200 and not body.first:
        return None
    answered = body.first if finished.status == 200 else None
    return Capture(finished.path, finished.asked, finished.heard.answer, answered, framed)


class Question:
    """Something to be done with the store in its thread; the answer is a future's."""

    __slots__ = ("answer", "ask")

    def __init__(self, ask: Callable[[Store], object]) -> None:
        self.ask = ask
        self.answer: Future[Any] = Future()

    def put_to(self, store: Store) -> None:
        if not self.answer.set_running_or_notify_cancel():
            return
        try:
            self.answer.set_result(self.ask(store))
        except Exception as error:  # noqa: BLE001  # it is the asker's, who gets it from the future
            self.answer.set_exception(error)


class Recorder:
    """`stored` is called on the loop with the ids of new rows."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        captures: Captures,
        stored: Callable[[Sequence[int]], None],
        path: str = "",
        keep: int = 1000,
    ) -> None:
        self.loop = loop
        self.captures = captures
        self.stored = stored
        self.place = (path, keep)
        self.lost = 0
        self.waiting: queue.SimpleQueue[Finished | Question | None] = queue.SimpleQueue()
        self.hurry = threading.Event()
        self.put_weight = 0  # counted by the loop,
        self.taken_weight = 0  # and by the thread
        self.broken = False  # the last batch could not be stored; said once
        self.store: Store | None = None  # the thread's
        self.opened_for = path  # its file, also where memory had to do instead
        self.thread = threading.Thread(target=self.work, name="records", daemon=True)
        self.thread.start()

    # -- the loop's side

    def add(self, finished: Finished) -> None:
        """Never waits."""
        held = self.put_weight - self.taken_weight
        if self.waiting.qsize() >= LONGEST_QUEUE or held > 2 * HEAVIEST_QUEUE:
            self.lose()
            return
        if held + finished.weigh() > HEAVIEST_QUEUE:
            finished.without_capture()
            finished.weigh()
        self.put_weight += finished.weight
        self.waiting.put(finished)

    def lose(self) -> None:
        if not self.lost & (self.lost - 1):  # at 0, 1, 2, 4, 8 …: said, but not for every one
            log.warning(f"more requests end than can be written down: {self.lost + 1} rows lost")
        self.lost += 1

    async def ask(self, question: Callable[[Store], T]) -> T:
        """Its answer, after every row before it was stored."""
        asked = Question(question)
        self.waiting.put(asked)
        self.hurry.set()
        answer: T = await asyncio.wrap_future(asked.answer)
        return answer

    def settle(self, path: str, keep: int, captures: int) -> None:
        """New settings, in force after the rows before them."""
        self.place = (path, keep)
        self.waiting.put(Question(lambda store: self.move(store, captures)))
        self.hurry.set()

    async def flush(self) -> None:
        """Returns when all that has finished is stored."""
        await self.ask(lambda _: None)

    async def close(self) -> None:
        """Stores what is left; nothing may be added or asked any more."""
        self.waiting.put(None)
        self.hurry.set()
        await asyncio.to_thread(self.thread.join)

    # -- the thread's side

    def work(self) -> None:
        self.store = self.opened()
        try:
            while self.turn():
                pass
        finally:
            self.store.close()

    def move(self, store: Store, captures: int) -> None:
        self.captures.resize(captures)
        path, keep = self.place
        if path != self.opened_for:
            self.store = self.opened()
            store.close()
        else:
            store.keep = keep

    def opened(self) -> Store:
        path, keep = self.place
        self.opened_for = path
        try:
            return Store(path, keep)
        except (sqlite3.Error, OSError) as error:
            self.say(f"cannot use {path} for the records: {error}; they are kept in memory until the next start")
            return Store("", keep)

    def turn(self) -> bool:
        """One batch; False after the last."""
        first = self.waiting.get()
        self.hurry.wait(GATHER_SECONDS)
        self.hurry.clear()
        batch: list[Finished] = []
        for item in (first, *self.gathered()):
            if isinstance(item, Finished):
                batch.append(item)
                continue
            self.write(batch)
            batch = []
            if item is None:
                return False
            assert self.store is not None
            item.put_to(self.store)
        self.write(batch)
        return True

    def gathered(self) -> list[Finished | Question | None]:
        return [self.waiting.get_nowait() for _ in range(self.waiting.qsize())]

    def write(self, batch: Sequence[Finished]) -> None:
        if not batch:
            return
        assert self.store is not None
        self.taken_weight += sum([finished.weight for finished in batch])
        read = [one for finished in batch if (one := self.read(finished))]
        try:
            ids = self.store.add([one.row for one in read]) if read else []
        except (sqlite3.Error, ValueError, OverflowError) as error:  # of the disk, or of what a row says
            self.fail(len(batch), error)
            return
        self.broken = False
        for row, one in zip(ids, read, strict=True):
            if one.capture is not None and not self.captures.keep(row, one.capture):
                self.say(f"what request {row} asked and got was not kept: it is larger than captureBuffer")
        self.loop.call_soon_threadsafe(self.stored, ids)

    def read(self, finished: Finished) -> Read | None:
        try:
            return Read(finished)
        except Exception as error:  # noqa: BLE001  # the thread must outlive whatever a server may send
            self.say(f"an answer of {finished.model} could not be read, its row is lost: {error!r}")
            return None

    def fail(self, count: int, error: Exception) -> None:
        if not self.broken:
            self.say(f"cannot write down {count} finished requests: {error}; requests go on, their rows are lost")
        self.broken = True

    def say(self, warning: str) -> None:
        """The log belongs to the loop."""
        self.loop.call_soon_threadsafe(log.warning, warning)
