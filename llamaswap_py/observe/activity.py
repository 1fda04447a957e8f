"""Finished requests become rows: queued by the loop, read, stored and captured by one thread, in batches.

Whatever happens here, a request neither waits nor fails for it: a full queue or a broken disk costs rows."""

from __future__ import annotations

import asyncio
import queue
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from functools import partial
from typing import Any, TypeVar

import structlog

from llamaswap_py.errors import Refusal
from llamaswap_py.observe.captures import Capture, Captures, packed
from llamaswap_py.observe.details import Know, nothing_known
from llamaswap_py.observe.finished import Finished
from llamaswap_py.observe.heard import Heard
from llamaswap_py.observe.pruning import Pruning
from llamaswap_py.observe.rows import UNKNOWN, Row
from llamaswap_py.observe.store import USUAL, Bounds, Store
from llamaswap_py.observe.surplus import Surplus, give_back
from llamaswap_py.wire.coding import CODINGS, inflated
from llamaswap_py.wire.sse import events_in
from llamaswap_py.wire.usage import NOTHING, error_of, usage_of
from llamaswap_py.wire.window import Body

T = TypeVar("T")
log = structlog.get_logger("activity")

LONGEST_QUEUE = 4096  # rows; at a thousand requests a second the thread may be away for four seconds
MANY = 256  # rows; what takes long and can wait is broken off for them
HEAVIEST_QUEUE = (
    64 * 1024 * 1024
)  # bytes of bodies that wait; beyond it rows go without captures, beyond twice none come in
BIT, REST_SECONDS = 4, 0.0003  # rows that are read at once, and how long the thread rests behind them
GATHER_SECONDS = 0.05  # the thread wakes that often under load, not for every request
LARGEST_INFLATED = 64 * 1024 * 1024  # a compressed answer that holds more is not opened


class Read:
    """A finished request after the thread has read it."""

    __slots__ = ("capture", "row")

    def __init__(self, finished: Finished, know: Know) -> None:
        self.capture: Capture | None = None
        heard, answer = finished.heard, finished.heard.answer
        content_type = finished.content_type or (answer.content_type if answer is not None else "")
        usage, error, details = NOTHING, finished.error, UNKNOWN
        coding = answer.coding if answer is not None else ""
        # Events that are whole in the framing of their chunks can be read where they stand.
        framed = heard.read_framed() if "text/event-stream" in content_type and coding not in CODINGS else None
        try:
            body = framed or (opened(heard) if coding in CODINGS else heard.read())
        except NotOpened as reason:
            what = "decompression" if finished.status == 200 else "decode"
            error = error or f"response {what} failed: {reason}"
        else:
            if finished.status == 200:
                usage = usage_of(finished.path, content_type, body)
            elif not error:
                error = error_of(finished.status, b"" if finished.private else body.first)
            self.capture = captured(finished, body, framed is not None)
            streamed = body.whole and "text/event-stream" in content_type
            details = know(finished, events_in(body.first) if streamed else 0)
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
            details=details,
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


def nobody_counts(rows: Sequence[Row]) -> None:
    """Until somebody does."""


class Recorder:
    """`stored` is called on the loop with the ids of new rows, and with the rows."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        captures: Captures,
        stored: Callable[[Sequence[int], Sequence[Row]], None],
        path: str = "",
        bounds: Bounds = USUAL,
    ) -> None:
        self.loop = loop
        self.captures = captures
        self.stored = stored
        self.place = (path, bounds)
        self.know: Know = nothing_known
        self.count: Callable[[Sequence[Row]], object] = nobody_counts  # called in the thread, for what could be read
        self.lost = 0
        self.waiting: queue.SimpleQueue[Finished | Question | None] = queue.SimpleQueue()
        self.hurry = threading.Event()
        self.put_weight = 0  # counted by the loop,
        self.taken_weight = 0  # and by the thread
        self.broken = False  # the last batch could not be stored; said once
        self.pruning = Pruning(self.say)
        self.surplus = Surplus(partial(tidy, self.captures, self.waiting))
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

    def ask(self, question: Callable[[Store], T]) -> asyncio.Future[T]:
        """Its answer, after every row before it was stored."""
        asked = Question(question)
        self.waiting.put(asked)
        self.hurry.set()
        return asyncio.wrap_future(asked.answer, loop=self.loop)

    def settle(self, path: str, bounds: Bounds, captures: int) -> None:
        """New settings, in force after the rows before them."""
        self.place = (path, bounds)
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
        path, bounds = self.place
        self.pruning.due = 0.0
        if path != self.opened_for:
            self.store = self.opened()
            store.close()
        else:
            store.bounds = bounds

    def opened(self) -> Store:
        path, bounds = self.place
        self.opened_for = path
        try:
            store = Store(path, bounds)
        except (sqlite3.Error, OSError) as error:
            self.say(f"cannot use {path} for the records: {error}; they are kept in memory until the next start")
            store = Store("", bounds)
        store.is_busy = lambda: self.waiting.qsize() > MANY
        return store

    def turn(self) -> bool:
        """One batch; False after the last."""
        assert self.store is not None
        left = self.pruning.left(self.store)
        try:
            first = self.waiting.get(timeout=self.surplus.patience(left))
        except queue.Empty:
            if not self.surplus.given_back():
                self.pruning.step(self.store)
            return True
        if left == 0:
            self.pruning.step(self.store)  # also where there is always something to write down
        if self.waiting.qsize() < MANY:
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
        """No more than are read at a time: what waits is bounded, and what was taken is so too."""
        return [self.waiting.get_nowait() for _ in range(min(MANY, self.waiting.qsize()))]

    def write(self, batch: Sequence[Finished]) -> None:
        if not batch:
            return
        assert self.store is not None
        weight = sum([finished.weight for finished in batch])
        self.taken_weight += weight
        self.surplus.let_go += weight
        read = [one for finished in bit_by_bit(batch, self.hurry.wait) if (one := self.read(finished))]
        rows = [one.row for one in read]
        self.count(rows)
        try:
            ids = self.store.add(rows) if read else []
        except (sqlite3.Error, ValueError, OverflowError) as error:  # of the disk, or of what a row says
            self.fail(len(batch), error)
            return
        self.broken = False
        kept = [(row, one.capture) for row, one in zip(ids, read, strict=True) if one.capture is not None]
        keep(self.captures, self.store, kept, self.say)
        self.loop.call_soon_threadsafe(self.stored, ids, rows)

    def read(self, finished: Finished) -> Read | None:
        try:
            return Read(finished, self.know)
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


def tidy(captures: Captures, waiting: queue.SimpleQueue[Any]) -> None:
    """While nothing ends."""
    captures.compress(until=lambda: not waiting.empty())
    give_back()


def bit_by_bit(batch: Sequence[Finished], rest: Callable[[float], object]) -> Iterator[Finished]:
    """The loop has the interpreter to itself again and again, where not too many wait for that."""
    for number, finished in enumerate(batch, 1):
        yield finished
        if number % BIT == 0 and len(batch) < MANY:
            rest(REST_SECONDS)


def keep(captures: Captures, store: Store, new: Sequence[tuple[int, Capture]], say: Callable[[str], object]) -> None:
    """In memory, and in the file where that is asked for."""
    for row, capture in new:
        if not captures.keep(row, capture):
            say(f"what request {row} asked and got was not kept: it is larger than captureBuffer")
    if not store.bounds.captures or not store.path or not new:
        return
    try:
        store.keep_captures([(row, packed(capture)) for row, capture in new])
    except sqlite3.Error as error:
        say(f"cannot write down what {len(new)} requests asked and got: {error}")
