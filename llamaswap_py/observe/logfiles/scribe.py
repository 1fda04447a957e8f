"""What the writing thread does: everybody's lines into their files by batches, and what to do without a disk."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

from llamaswap_py.config.values import LogFiles
from llamaswap_py.observe.logfiles.folder import Folder, LogFile
from llamaswap_py.observe.logfiles.sources import Source

RETRY_SECONDS = 1.0  # a full disk is not asked more often

Gap = Callable[[int], bytes]


def gap_line(lines: int) -> bytes:
    return f"— {lines} line{'s' if lines > 1 else ''} lost: the disk did not keep up —\n".encode()


class Scribe:
    """`tell` says in our log what becomes of the files. `gap` is how that log says that something is missing in it."""

    def __init__(self, sources: Callable[[], Iterable[Source]], tell: Callable[[str], None]) -> None:
        self.sources = sources
        self.tell = tell
        self.wall_clock: Callable[[], float] = time.time
        self.gap: Gap = gap_line
        self.folder = Folder(LogFiles(), self.wall_clock)
        self.taken = 0  # bytes
        self.lost = 0  # lines
        self.trouble: set[str] = set()

    def adopt(self, rules: LogFiles) -> None:
        """Another folder at once; none when all is written that can be."""
        if rules == self.folder.rules:
            return
        if not rules.directory:
            for source in self.sources():
                if source.name in self.trouble:
                    self.taken += source.forget()
            if any(source.waits for source in self.sources()):
                return
        self.let_go()
        self.folder = Folder(rules, self.wall_clock)
        self.trouble.clear()

    def let_go(self) -> None:
        """Every file is opened anew when it is needed."""
        for source in self.sources():
            source.put_away()
        self.folder.close()

    def serve_all(self, last: bool = False) -> bool:
        """Everybody's next batch; False where nothing waits, or nothing can be done now. The last time, all that is
        there, a line's beginning too."""
        served = [self.serve(source, last) for source in self.sources()]
        return any(served)

    def serve(self, source: Source, last: bool) -> bool:
        while source.queue and not source.held:
            self.take(source)
        if last and not source.held:
            source.held = source.lines.end()
        if not source.held or (source.again > time.monotonic() and not last):
            return False
        try:
            self.put_down(source)
        except OSError as error:
            self.fail(source, error)
            return False
        self.succeed(source)
        return True

    def take(self, source: Source) -> None:
        missing = source.take()
        if missing:
            self.lost += missing
            source.held += gap_line(missing) if source.name else self.gap(missing)
        if not source.held:
            self.taken += source.settle()

    def put_down(self, source: Source) -> None:
        if source.file is None:
            source.file = LogFile(self.folder, source.file_name)
        while source.held:
            source.held = source.held[source.file.put(source.held) :]

    def succeed(self, source: Source) -> None:
        self.taken += source.settle()
        source.again = 0.0
        if source.name in self.trouble:
            self.trouble.discard(source.name)
            if not self.trouble:
                self.tell(f"logs are written to {self.folder.path} again; {self.lost} lines are missing there by now")

    def fail(self, source: Source, error: OSError) -> None:
        source.put_away()
        source.again = time.monotonic() + RETRY_SECONDS
        if not self.trouble:
            why = error.strerror or error
            self.tell(f"{source.file_name} cannot be written in {self.folder.path}: {why}; trying again every second")
        self.trouble.add(source.name)
