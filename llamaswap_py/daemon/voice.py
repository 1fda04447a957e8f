"""How the program speaks: one line a message in llama-swap's form, to the log rings and, by a thread, to stdout."""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import select
import threading
from collections import deque
from collections.abc import Callable, Iterator, MutableMapping
from contextlib import contextmanager
from typing import Any

import structlog

from llamaswap_py.daemon.forms import Console, Facts, Form, gap

LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warn": logging.WARNING, "error": logging.ERROR}
# Bytes that wait for a slow stdout; beyond it they are lost there, never in the rings.
STDOUT_BACKLOG = 4 * 1024 * 1024

# A line waits so long for others, and under load the thread wakes no more often. Whoever swaps models says so while
# each millisecond counts: the thread would take the interpreter's lock from him just then.
GATHER_SECONDS = 0.05

# A disk that is full may have room again; a reader that is gone does not come back.
PASSING = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO) if hasattr(errno, "EDQUOT") else (errno.ENOSPC,)


class Stdout:
    """A reader that is slow or gone must not hold up the loop, so a thread does the writing, and past the
    interpreter's own buffer: at its end it would wait for that."""

    def __init__(self, descriptor: int = 1) -> None:
        self.descriptor = descriptor
        self.backlog: deque[bytes] = deque()
        self.put_bytes = 0  # counted by the loop,
        self.taken_bytes = 0  # and by the thread
        self.lost = 0  # pieces that nobody will read; the thread says so, once it can
        self.lost_told = 0
        self.gap = gap(Console())
        self.is_torn = False  # the last line was cut off
        self.is_gone = False  # nobody reads any more
        self.told = threading.Event()  # something waits
        self.closing = threading.Event()
        self.thread = threading.Thread(target=self.write_on, name="stdout", daemon=True)
        self.thread.start()

    def write(self, data: bytes) -> None:
        if self.is_gone or self.put_bytes - self.taken_bytes > STDOUT_BACKLOG:
            self.lost += 1
            return
        self.put_bytes += len(data)
        self.backlog.append(data)
        if not self.told.is_set():
            self.told.set()

    def write_on(self) -> None:
        closing = False
        gather = 0.0  # whoever starts us waits for the first line
        while not closing:
            self.told.wait()
            self.closing.wait(gather)
            gather = GATHER_SECONDS
            self.told.clear()  # before what waits is taken: what comes meanwhile is told again
            closing = self.closing.is_set()
            pieces = [self.backlog.popleft() for _ in range(len(self.backlog))]
            self.put(pieces)
            self.taken_bytes += sum(map(len, pieces))
            if self.is_gone:
                return

    def put(self, pieces: list[bytes]) -> None:
        lost = self.lost - self.lost_told
        missing = self.gap(lost) if lost else b""
        left = memoryview(b"".join([b"\n" if self.is_torn else b"", missing, *pieces]))
        size = len(left)
        try:
            while left:
                left = self.some_written(left)
        except OSError as error:
            self.is_torn = self.is_torn or len(left) < size
            self.is_gone = error.errno not in PASSING
            self.lost += len(pieces)
            return
        self.is_torn = False
        self.lost_told += lost

    def some_written(self, data: memoryview) -> memoryview:
        try:
            return data[os.write(self.descriptor, data) :]
        except BlockingIOError:  # whoever shares it with us has made it so
            select.select([], [self.descriptor], [])
            return data

    def close(self) -> None:
        """Wait a little for what is queued; a reader that stopped gets no more of our time."""
        self.closing.set()
        self.told.set()
        self.thread.join(timeout=1.0)


def access(level: str, write: Callable[[bytes], None], form: Form) -> Callable[..., None]:
    """How a finished request is said: `say(method, message, request, facts)`. Every request has such a line, and
    structlog's steps would cost more than all that the line is made of."""
    said = {name for name, number in LEVELS.items() if number >= LEVELS[level]}

    def say(method: str, message: str, request: str, facts: Callable[[], Facts]) -> None:
        if method in said:
            write(form.request(method, message, request, facts).encode("utf-8", "replace"))

    return say


class Lines:
    """What structlog hands finished lines to."""

    def __init__(self, write: Callable[[bytes], None], name: str = "") -> None:
        self.write = write
        self.name = name

    def msg(self, message: str) -> None:
        self.write(message.encode("utf-8", "replace"))

    debug = info = warning = error = exception = critical = msg


def from_any_thread(write: Callable[[bytes], None]) -> Callable[[bytes], None]:
    """Who reads the log (pages, viewers) lives on the loop: what is said in another thread is handed over to it."""
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        return write
    owner = threading.get_ident()

    def hand_over(data: bytes) -> None:
        if threading.get_ident() == owner:
            write(data)
        elif not loop.is_closed():
            loop.call_soon_threadsafe(write, data)

    return hand_over


def speak(level: str, write: Callable[[bytes], None], form: Form | None = None) -> None:
    """May be called again when level or form change. Then anybody may speak, in any thread."""
    write, shape = from_any_thread(write), form or Console()

    def line(logger: Lines, method: str, event: MutableMapping[str, Any]) -> str:
        return shape.line(logger.name, method, event)

    structlog.configure(
        processors=[structlog.processors.format_exc_info, line],
        wrapper_class=structlog.make_filtering_bound_logger(LEVELS[level]),
        logger_factory=lambda *names: Lines(write, *names),
        cache_logger_on_first_use=False,
    )


class Others(logging.Handler):
    """What libraries say, from any thread, in our log: their own way is stderr, which may be a pipe that is full."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(logging.WARNING)
        self.loop = loop

    def emit(self, record: logging.LogRecord) -> None:
        if not self.loop.is_closed():
            said = structlog.get_logger("library").warning
            self.loop.call_soon_threadsafe(said, self.format(record))


@contextmanager
def hearing_others(loop: asyncio.AbstractEventLoop) -> Iterator[None]:
    others, root = Others(loop), logging.getLogger()
    root.addHandler(others)
    logging.captureWarnings(True)
    try:
        yield
    finally:
        logging.captureWarnings(False)
        root.removeHandler(others)
