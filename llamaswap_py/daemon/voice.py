"""How the program speaks: one line a message in llama-swap's form, to the log rings and, by a thread, to stdout."""

from __future__ import annotations

import logging
import sys
import threading
from collections import deque
from collections.abc import Callable, MutableMapping
from datetime import datetime
from typing import Any

import structlog

from llamaswap_py.daemon.stamps import STAMPS

LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warn": logging.WARNING, "error": logging.ERROR}
NAMES = {
    "debug": "DEBUG",
    "info": "INFO",
    "warning": "WARN",
    "error": "ERROR",
    "exception": "ERROR",
    "critical": "ERROR",
}

# Pieces that wait for a slow stdout; beyond it they are lost there, never in the rings.
STDOUT_BACKLOG = 4096
GATHER_SECONDS = 0.02  # the thread wakes that often under load, not for every line


class Stdout:
    """A reader that is slow or gone must not hold up the loop, so a thread does the writing."""

    def __init__(self) -> None:
        self.backlog: deque[bytes] = deque()
        self.lost = 0
        self.told = threading.Event()  # something waits
        self.closing = threading.Event()
        self.thread = threading.Thread(target=self.write_on, name="stdout", daemon=True)
        self.thread.start()

    def write(self, data: bytes) -> None:
        if len(self.backlog) >= STDOUT_BACKLOG:
            self.lost += 1
            return
        self.backlog.append(data)
        if not self.told.is_set():
            self.told.set()

    def write_on(self) -> None:
        while self.told.wait():
            closing = self.closing.wait(GATHER_SECONDS)
            self.told.clear()  # before what waits is taken: what comes meanwhile is told again
            try:
                sys.stdout.buffer.write(b"".join(self.backlog.popleft() for _ in range(len(self.backlog))))
                sys.stdout.buffer.flush()
            except (OSError, ValueError):
                return  # nobody reads any more; the backlog fills and the rest is counted as lost
            if closing:
                return

    def close(self) -> None:
        """Wait a little for what is queued; a reader that stopped gets no more of our time."""
        self.closing.set()
        self.told.set()
        self.thread.join(timeout=1.0)


def line(_: Any, method: str, event: MutableMapping[str, Any]) -> str:
    when = event.pop("when", "")
    message = str(event.pop("event", ""))
    trace = event.pop("exception", None)
    fields = "".join(f" {key}={value}" for key, value in event.items())
    return f"{when}[{NAMES.get(method, 'INFO')}] {message}{fields}" + (f"\n{trace}" if trace else "")


class Lines:
    """What structlog hands finished lines to."""

    def __init__(self, write: Callable[[bytes], None]) -> None:
        self.write = write

    def msg(self, message: str) -> None:
        self.write(message.encode("utf-8", "replace") + b"\n")

    debug = info = warning = error = exception = critical = msg


def dated(time_format: str) -> Callable[[Any, str, MutableMapping[str, Any]], MutableMapping[str, Any]]:
    """Puts the time in front, for a name that is known; else nothing."""
    stamp = STAMPS.get(time_format)

    def date(_: Any, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        if stamp is not None:
            event["when"] = f"{stamp(datetime.now().astimezone())} "
        return event

    return date


def speak(level: str, write: Callable[[bytes], None], time_format: str = "") -> None:
    """May be called again when level or form change."""
    structlog.configure(
        processors=[structlog.processors.format_exc_info, dated(time_format), line],
        wrapper_class=structlog.make_filtering_bound_logger(LEVELS[level]),
        logger_factory=lambda *_: Lines(write),
        cache_logger_on_first_use=False,
    )
