"""Whoever says something, on one side; a thread that writes it into files, on the other. Saying never waits."""

from __future__ import annotations

import threading
from collections.abc import Callable

from llamaswap_py.config.values import LogFiles
from llamaswap_py.observe.logfiles.names import file_name, other_name
from llamaswap_py.observe.logfiles.scribe import RETRY_SECONDS, Scribe
from llamaswap_py.observe.logfiles.sources import MIB, OVER, Source

BACKLOG = 16 * MIB  # of one source, half a second of the fastest: a disk that takes longer cannot keep up
BACKLOG_OF_ALL = 64 * MIB
GATHER_SECONDS = 0.02  # the thread wakes that often under load, not for every line
CLOSING_SECONDS = 2.0  # an end waits so long for what is not written yet


class Writer:
    """The source without a name is the program itself. `tell` is called by the thread."""

    def __init__(self, rules: LogFiles, tell: Callable[[str], None]) -> None:
        self.rules = rules
        self.sources: dict[str, Source] = {}
        self.names: set[str] = set()
        self.put = 0
        self.scribe = Scribe(lambda: list(self.sources.values()), tell)
        self.told = threading.Event()
        self.reopening = threading.Event()
        self.closing = threading.Event()
        self.thread: threading.Thread | None = None

    def write(self, name: str, data: bytes) -> None:
        if not self.rules.directory:
            return
        source = self.sources.get(name) or self.welcome(name)
        if (
            source.gap is not None
            or source.put - source.taken > BACKLOG
            or self.put - self.scribe.taken > BACKLOG_OF_ALL
        ):
            source.lose(data)
            return
        source.add(data)
        self.put += len(data)
        if not self.told.is_set():
            self.told.set()

    def welcome(self, name: str) -> Source:
        file = file_name(name)
        if file.lower() in self.names:
            file = other_name(name)
        self.names.add(file.lower())
        self.sources[name] = source = Source(name, file)
        if self.thread is None:
            self.thread = threading.Thread(target=self.write_on, name="log files", daemon=True)
            self.thread.start()
        return source

    def over(self, name: str) -> None:
        """A model's server has ended: its last line is one though it has no end."""
        source = self.sources.get(name)
        if source is not None and self.rules.directory:
            source.queue.append(OVER)
            self.told.set()

    def adopt(self, rules: LogFiles) -> None:
        """Other files from now on, or none."""
        if not rules.directory:
            for name in self.sources:
                self.over(name)
        self.rules = rules
        self.told.set()

    def reopen(self) -> None:
        """Somebody has moved the files away."""
        self.reopening.set()
        self.told.set()

    def close(self) -> None:
        """What was said is written, as far as the disk allows that soon."""
        self.closing.set()
        self.told.set()
        if self.thread is not None:
            self.thread.join(CLOSING_SECONDS)

    def write_on(self) -> None:
        """The thread."""
        while not self.closing.is_set():
            self.told.wait(RETRY_SECONDS if self.scribe.trouble else None)
            self.closing.wait(GATHER_SECONDS)
            self.told.clear()  # before the queues are looked at: what comes meanwhile is told again
            self.heed_orders()
            while self.scribe.serve_all():
                self.heed_orders()
            self.heed_orders()
        while self.scribe.serve_all(last=True):
            pass
        self.scribe.let_go()

    def heed_orders(self) -> None:
        self.scribe.adopt(self.rules)
        if self.reopening.is_set():
            self.reopening.clear()
            self.scribe.let_go()
