"""Whoever has a log file of its own, and what waits to be written there."""

from __future__ import annotations

import threading
from collections import deque

from llamaswap_py.observe.logfiles.folder import LogFile
from llamaswap_py.observe.logfiles.lines import Lines

MIB = 1024 * 1024
BATCH = MIB  # then the next one has its turn
OVER = b""  # in a queue: nothing comes any more


class Lost:
    """In a queue: something is missing here. Grows until the thread comes to it."""

    def __init__(self) -> None:
        self.ends = 0
        self.whole = True

    def add(self, data: bytes) -> None:
        self.ends += data.count(b"\n")
        self.whole = data.endswith(b"\n")


class Source:
    """`put` is counted by who says something, `taken` by the thread that writes."""

    def __init__(self, name: str, file: str) -> None:
        self.name = name
        self.file_name = file
        self.queue: deque[bytes | Lost] = deque()
        self.put = self.taken = 0
        self.gap: Lost | None = None  # waits in the queue: until it is taken out nothing more is put in
        self.guard = threading.Lock()  # of the gap
        # The thread's own:
        self.lines = Lines()
        self.file: LogFile | None = None
        self.held = b""  # whole lines that are to be written before anything else
        self.holds = 0  # so much of what was put they are
        self.ended = False  # with them the file is closed
        self.again = 0.0  # when to try again, after an error

    @property
    def waits(self) -> bool:
        return bool(self.queue or self.held)

    def add(self, data: bytes) -> None:
        self.put += len(data)
        self.queue.append(data)

    def lose(self, data: bytes) -> None:
        with self.guard:
            if self.gap is None:
                self.gap = Lost()
                self.queue.append(self.gap)
            self.gap.add(data)

    # -- in the thread

    def take(self) -> int:
        """A batch out of the queue, as whole lines to be held. How many lines are missing behind them."""
        pieces: list[bytes] = []
        missing = 0
        while self.queue and self.holds < BATCH and not missing and not self.ended:
            item = self.queue.popleft()
            if isinstance(item, Lost):
                missing = self.missing(item, pieces)
            elif item:
                pieces.append(item)
                self.holds += len(item)
            else:
                self.ended = True
        self.held += self.lines.feed(b"".join(pieces)) if pieces else b""
        if self.ended:
            self.held += self.lines.end()
        return missing

    def missing(self, lost: Lost, before: list[bytes]) -> int:
        with self.guard:
            self.gap = None
        self.held += self.lines.feed(b"".join(before))
        before.clear()
        return self.lines.gap(lost.ends, lost.whole)

    def settle(self) -> int:
        """What was held is written. How much of what was put it was."""
        settled, self.holds = self.holds, 0
        self.taken += settled
        if self.ended:
            self.put_away()
            self.ended = False
        return settled

    def forget(self) -> int:
        """What waits, unwritten; and nobody puts in any more."""
        self.queue.clear()
        self.lines, self.held, self.holds, self.ended, self.gap = Lines(), b"", 0, False, None
        forgotten, self.taken = self.put - self.taken, self.put
        return forgotten

    def put_away(self) -> None:
        if self.file is not None:
            self.file.close()
            self.file = None
