"""Finished requests become rows: read by the loop, a few at a time, and stored by one thread, in batches.

Whatever happens here, a request neither waits nor fails for it: a full queue or a broken disk costs rows. Who reads
holds the interpreter's lock, and two threads that take it from each other pay more for that than for the reading: only
what is long or compressed is read in the thread."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from typing import TypeVar

import structlog

from llamaswap_py.observe.captures import Captures
from llamaswap_py.observe.details import Know, nothing_known
from llamaswap_py.observe.finished import Finished
from llamaswap_py.observe.reading import Read, Unstored, is_light
from llamaswap_py.observe.rows import Row
from llamaswap_py.observe.store import Store
from llamaswap_py.observe.writing import Question, Writer
from llamaswap_py.observe.written import USUAL, Bounds

T = TypeVar("T")
log = structlog.get_logger("activity")

LONGEST_QUEUE = 4096  # rows; at a thousand requests a second the thread may be away for four seconds
HEAVIEST_QUEUE = (
    64 * 1024 * 1024
)  # bytes of bodies that wait; beyond it rows go without captures, beyond twice none come in
FEW = 8  # rows that are read while a server works on its request
SOME = 32  # that are read at once where no request gives a moment: a few milliseconds, also of streams
MANY = 256  # that are stored at once
GATHER_SECONDS = 0.25  # the thread is woken that often, and not for each row
REST_SECONDS = 0.005  # where there are more than some
LONG = 64 * 1024  # bytes of a body that is read at once: its memory is used again, and is still near the processor
ROW_WEIGHT = 32 * 1024  # bytes of bodies that take as long as another row


def nobody_counts(rows: Sequence[Row]) -> None:
    """Until somebody does."""


def say_lost(before: int) -> None:
    if not before & (before - 1):  # at 0, 1, 2, 4, 8 …: said, but not for every one
        log.warning(f"more requests end than can be written down: {before + 1} rows lost")


class Recorder:
    """`stored` is called with the ids of new rows, and with the rows."""

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
        self.know: Know = nothing_known
        self.count: Callable[[Sequence[Row]], object] = nobody_counts  # called with all that could be read
        self.lost = 0
        self.unread: deque[Finished] = deque()
        self.timer: asyncio.TimerHandle | None = None
        self.done: list[Read | Finished] = []
        self.captured = Unstored()  # of those
        self.put = 0  # rows,
        self.put_weight = 0  # and bytes of their bodies
        self.long = 0  # bodies among the unread that are to be read at once,
        self.soon = False  # and somebody is about to
        self.writer = Writer(loop, captures, self.read, (stored, self.tally), (path, bounds))

    @property
    def held(self) -> int:
        """Bytes of bodies that wait."""
        return self.put_weight - self.writer.taken_weight

    def add(self, finished: Finished) -> None:
        """Never waits."""
        held = self.held
        if self.put - self.writer.taken >= LONGEST_QUEUE or held > 2 * HEAVIEST_QUEUE:
            say_lost(self.lost)
            self.lost += 1
            return
        if held + finished.weigh() > HEAVIEST_QUEUE:
            finished.without_capture()
            finished.weigh()
        self.put += 1
        self.put_weight += finished.weight
        self.unread.append(finished)
        if finished.weight >= LONG:
            self.long += 1
            if not self.soon:
                self.soon = True
                self.loop.call_soon(self.read_long)
        if self.timer is None:
            self.timer = self.loop.call_later(GATHER_SECONDS, self.look)

    def read_long(self) -> None:
        """Turn after turn of the loop, so that others have theirs between."""
        self.read_some(SOME)
        self.soon = self.long > 0
        if self.soon:
            self.loop.call_soon(self.read_long)

    def spare_moment(self) -> None:
        """What is done next on the loop sends a request to its server, and there is time until that answers."""
        if len(self.unread) >= FEW:
            self.loop.call_soon(self.read_some, FEW)

    def look(self) -> None:
        """Where no requests come that would give a moment."""
        self.timer = None
        self.read_some(SOME)
        self.hand_on()
        if self.unread:
            self.timer = self.loop.call_later(REST_SECONDS, self.look)

    def read_some(self, rows: int) -> None:
        while self.unread and rows > 0:
            finished = self.unread.popleft()
            self.long -= finished.weight >= LONG
            rows -= 1 + finished.weight // ROW_WEIGHT
            self.take(finished)

    def take(self, finished: Finished) -> None:
        one = self.read(finished) if is_light(finished) else finished
        if one is None:
            self.put -= 1
            self.put_weight -= finished.weight
            return
        if isinstance(one, Read):
            self.captured.hold(one, max(self.captures.limit, self.writer.place[1].captures))
        self.done.append(one)
        if len(self.done) >= MANY:
            self.hand_on()

    def hand_on(self) -> None:
        """In bounded batches: memory once needed for a large one would stay taken."""
        done, self.done = self.done, []
        self.captured.clear()
        if read := [one.row for one in done if isinstance(one, Read)]:
            self.tally(read)
        for start in range(0, len(done), MANY):
            self.writer.waiting.put(done[start : start + MANY])

    def read(self, finished: Finished) -> Read | None:
        """In either thread."""
        try:
            return Read(finished, self.know)
        except Exception as error:  # noqa: BLE001  # both must outlive whatever a server may send
            self.writer.say(f"an answer of {finished.model} could not be read, its row is lost: {error!r}")
            return None

    def tally(self, rows: Sequence[Row]) -> None:
        try:
            self.count(rows)
        except Exception:
            log.exception("finished requests could not be counted")

    def ask(self, question: Callable[[Store], T]) -> asyncio.Future[T]:
        """Its answer, after every row before it was stored."""
        asked = Question(question)
        self.order(asked)
        return asyncio.wrap_future(asked.answer, loop=self.loop)

    def order(self, order: Question | None) -> None:
        """Carried out after all that has finished was stored; what is too much to be read now, the thread reads."""
        self.read_some(SOME)
        self.done += self.unread
        self.unread.clear()
        self.long = 0
        self.hand_on()
        self.writer.waiting.put(order)

    def settle(self, path: str, bounds: Bounds, captures: int) -> None:
        """New settings, in force after the rows before them."""
        self.writer.place = (path, bounds)
        self.order(Question(lambda store: self.writer.move(store, captures)))

    async def flush(self) -> None:
        """Returns when all that has finished is stored."""
        await self.ask(lambda _: None)

    async def close(self) -> None:
        """Stores what is left; nothing may be added or asked any more."""
        self.order(None)
        if self.timer is not None:
            self.timer.cancel()
        await asyncio.to_thread(self.writer.thread.join)
