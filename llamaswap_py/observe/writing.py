"""The thread that stores what was read of finished requests, in batches, and answers questions to the store."""

from __future__ import annotations

import asyncio
import queue
import sqlite3
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Any

import structlog

from llamaswap_py.observe.captures import Captures, Dense, packed
from llamaswap_py.observe.finished import Finished
from llamaswap_py.observe.pruning import Pruning
from llamaswap_py.observe.reading import Read
from llamaswap_py.observe.rows import Row
from llamaswap_py.observe.store import Store
from llamaswap_py.observe.surplus import Surplus, give_back
from llamaswap_py.observe.written import UNWRITTEN, Bounds

log = structlog.get_logger("activity")

FEW = 1  # batches; where more wait, what takes long and can wait is broken off


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


class Writer:
    """`read` is called in the thread, for what was not read yet; `stored` on the loop, with every batch, and `count`
    with the rows that were read here."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        captures: Captures,
        read: Callable[[Finished], Read | None],
        told: tuple[Callable[[Sequence[int], Sequence[Row]], None], Callable[[Sequence[Row]], None]],
        place: tuple[str, Bounds],
    ) -> None:
        self.loop = loop
        self.captures = captures
        self.read = read
        self.stored, self.count = told
        self.place = place
        self.opened_for = place[0]  # its file, also where memory had to do instead
        self.waiting: queue.SimpleQueue[Sequence[Read | Finished] | Question | None] = queue.SimpleQueue()
        self.taken = 0  # rows,
        self.taken_weight = 0  # and bytes of their bodies
        self.broken = False  # the last batch could not be stored; said once
        self.pruning = Pruning(self.say)
        self.surplus = Surplus(self.tidy)
        self.store: Store | None = None
        self.thread = threading.Thread(target=self.work, name="records", daemon=True)
        self.thread.start()

    def work(self) -> None:
        self.store = self.opened()
        try:
            while self.turn():
                pass
        finally:
            self.store.close()

    def move(self, store: Store, captures: int) -> None:
        """To where the settings say now."""
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
        store.is_busy = lambda: self.waiting.qsize() > FEW
        store.lost = self.fail
        return store

    def turn(self) -> bool:
        """One step; False after the last."""
        assert self.store is not None
        left = self.pruning.left(self.store)
        try:
            item = self.waiting.get(timeout=self.surplus.patience(left))
        except queue.Empty:
            if not self.surplus.given_back():
                self.pruning.step(self.store)
            return True
        if left == 0:
            self.pruning.step(self.store)  # also where there is always something to write down
        if item is None:
            return False
        if isinstance(item, Question):
            item.put_to(self.store)
        else:
            self.write(item)
        return True

    def let_go(self, weight: int) -> None:
        """In the loop's thread: bytes of answers that are still under way."""
        self.waiting.put(Question(lambda _: self.surplus.add(weight)))

    def write(self, batch: Sequence[Read | Finished]) -> None:
        assert self.store is not None
        self.taken += len(batch)
        weight = sum([each.weight for each in batch])
        self.taken_weight += weight
        self.surplus.add(weight)
        read, uncounted = self.all_read(batch)
        if uncounted:
            self.loop.call_soon_threadsafe(self.count, uncounted)
        if read:
            self.put(self.store, read)

    def put(self, store: Store, read: Sequence[Read]) -> None:
        rows = [one.row for one in read]
        try:
            ids = store.add(rows)
        except sqlite3.Error as error:
            self.fail(len(read), error)
            return
        except UNWRITTEN as error:  # of what one of them says
            if len(read) > 1:
                for one in read:
                    self.put(store, [one])
            else:
                self.fail(1, error)
            return
        self.broken = False
        self.keep([(row, one.capture) for row, one in zip(ids, read, strict=True) if one.capture is not None])
        self.loop.call_soon_threadsafe(self.stored, ids, rows)

    def all_read(self, batch: Sequence[Read | Finished]) -> tuple[list[Read], list[Row]]:
        """And the rows of those that nobody has counted yet. Mostly none: the loop waits meanwhile."""
        read = [each for each in batch if isinstance(each, Read)]
        if len(read) == len(batch):
            return read, []
        found = [(each if isinstance(each, Read) else self.read(each)) for each in batch]
        uncounted = [one.row for one, each in zip(found, batch, strict=True) if one is not None and one is not each]
        return [one for one in found if one is not None], uncounted

    def keep(self, captures: Sequence[tuple[int, Dense]]) -> None:
        """In memory, and in the file where that is asked for."""
        for row, capture in captures:
            try:
                kept = self.captures.keep(row, capture)
            except Exception as error:  # noqa: BLE001  # the thread must outlive whatever a server may send
                self.say(f"what request {row} asked and got was not kept: {error!r}")
                continue
            if not kept:
                self.say(f"what request {row} asked and got was not kept: it is larger than captureBuffer")
        store = self.store
        if store is None or not store.bounds.captures or not store.path or not captures:
            return
        try:
            store.keep_captures([(row, packed(capture.whole())) for row, capture in captures])
        except sqlite3.Error as error:
            self.say(f"cannot write down what {len(captures)} requests asked and got: {error}")

    def tidy(self) -> None:
        """While nothing ends."""
        self.captures.compress(until=lambda: not self.waiting.empty())
        give_back()

    def fail(self, count: int, error: Exception) -> None:
        if not self.broken:
            self.say(f"cannot write down {count} finished requests: {error}; requests go on, their rows are lost")
        self.broken = True

    def say(self, warning: str) -> None:
        """The log belongs to the loop."""
        self.loop.call_soon_threadsafe(log.warning, warning)
