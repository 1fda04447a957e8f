"""What earlier loads took, in one small file of the state directory. It may be lost: then nothing is estimated."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import threading
from collections.abc import Callable, Hashable
from pathlib import Path

import msgspec
import structlog

from llamaswap_py.runtime.estimate import Estimate, Past, Progress
from llamaswap_py.runtime.health import Clock

CALM_SECONDS = 1.0
KEPT = 200  # commands; the one that was loaded longest ago is forgotten first

log = structlog.get_logger("history")


class History:
    """`path` None: remembered until the end of the program only."""

    def __init__(self, path: Path | None = None) -> None:
        self.path = path
        self.writing = threading.Lock()
        self.waiting = False  # to be written
        self.loads: dict[str, Past] = read(path) if path is not None else {}

    def past(self, key: Hashable) -> Past:
        return self.loads.get(digest(key), Past())

    def remember(self, key: Hashable, seconds: float, amount: int) -> None:
        name = digest(key)
        self.loads[name] = self.loads.pop(name, Past()).and_one(seconds, amount)
        while len(self.loads) > KEPT:
            del self.loads[next(iter(self.loads))]

    async def keep(self) -> None:
        """The first callers of what was loaded come before the disk; what is remembered meanwhile is kept with it."""
        if self.waiting:
            return
        self.waiting = True
        try:
            await asyncio.sleep(CALM_SECONDS)
        finally:
            self.waiting = False
            await asyncio.to_thread(self.write)

    def write(self) -> None:
        """As a whole or not at all. Blocks: called in a thread."""
        if self.path is None:
            return
        fresh = self.path.with_suffix(".new")
        try:
            with self.writing:
                fresh.write_bytes(msgspec.json.encode(dict(self.loads)))
                fresh.replace(self.path)
        except OSError as error:
            log.warning(f"what loads took cannot be kept in {self.path}: {error}")


class Load:
    """One load, from its start until it is ready."""

    def __init__(self, history: History, key: Hashable, clock: Clock, told: Callable[[Progress], None]) -> None:
        self.history = history
        self.key = key
        self.clock = clock
        self.told = told
        self.estimate = Estimate(history.past(key), clock())

    @property
    def progress(self) -> Progress:
        return self.estimate.at(self.clock())

    def looked(self, amount: int) -> None:
        self.estimate.seen(amount)
        self.told(self.progress)

    async def remember(self) -> None:
        """It is ready."""
        self.history.remember(self.key, self.progress.seconds, self.estimate.amount)
        await self.history.keep()


def digest(key: Hashable) -> str:
    """Commands hold keys and paths, which are nobody's business here."""
    return hashlib.sha256(repr(key).encode("utf-8", "surrogatepass")).hexdigest()[:24]


def read(path: Path) -> dict[str, Past]:
    with contextlib.suppress(OSError, msgspec.MsgspecError):
        return msgspec.json.decode(path.read_bytes(), type=dict[str, Past])
    return {}
