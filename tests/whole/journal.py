"""What the fake servers write down of themselves, as it happens: a named pipe that the test reads."""

from __future__ import annotations

import asyncio
import json
import os
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.whole.program import LONG

Entry = dict[str, Any]


class Journal:
    """Give `option` to the fake servers; `wait` for what they must do."""

    def __init__(self, folder: Path, name: str = "journal") -> None:
        self.path = folder / name
        os.mkfifo(self.path)
        self.entries: list[Entry] = []
        self.news = threading.Condition()
        self.marks = 0

    @property
    def option(self) -> str:
        return f"--journal {self.path}"

    def __enter__(self) -> Self:
        self.pipe = os.open(self.path, os.O_RDWR)  # both ends: it neither waits for a writer nor ends with one
        self.reader = threading.Thread(target=self.read_on, daemon=True)
        self.reader.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.write(self.pipe, b"\n")
        self.reader.join()
        os.close(self.pipe)
        if error is not None:
            error.add_note("\n".join(["The servers wrote:", *map(str, self.entries[-50:])]))

    def read_on(self) -> None:
        rest = b""
        while True:
            *lines, rest = (rest + os.read(self.pipe, 1 << 16)).split(b"\n")
            if b"" in lines:
                return
            with self.news:
                self.entries += [json.loads(line) for line in lines]
                self.news.notify_all()

    def all(self, event: str, **wanted: object) -> list[Entry]:
        """Of all that was written by now, whether or not it was read yet."""
        if self.reader.is_alive():
            self.marks += 1
            os.write(self.pipe, b'{"event": "mark", "number": %d}\n' % self.marks)
            self.wait("mark", number=self.marks)
        with self.news:
            return self.matching(event, wanted)

    def matching(self, event: str, wanted: dict[str, object]) -> list[Entry]:
        found = [entry for entry in self.entries if entry["event"] == event]
        return [entry for entry in found if all(entry.get(key) == value for key, value in wanted.items())]

    def wait(self, event: str, count: int = 1, **wanted: object) -> list[Entry]:
        """Returns once there are that many such entries."""
        deadline = time.monotonic() + LONG
        with self.news:
            while len(found := self.matching(event, wanted)) < count:
                left = deadline - time.monotonic()
                if left <= 0 or not self.news.wait(left):
                    raise AssertionError(f"not {count} of {event} {wanted}; there were {self.entries[-40:]}")
            return found

    async def soon(self, event: str, count: int = 1, **wanted: object) -> list[Entry]:
        """The same, while the test's other requests go on."""
        return await asyncio.to_thread(self.wait, event, count, **wanted)
