"""What must be known of a run once nobody who knew it lives: how to stop what its command started elsewhere.

One small file for each run with a `cmdStop`, in the state directory: written before its command is spawned, replaced
as a whole, removed when the run is over. What is found there at a start belongs to a proxy that was killed.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path

import msgspec
import structlog
from msgspec.structs import replace

from llamaswap_py.keeper import table, trees

log = structlog.get_logger("records")


class Record(msgspec.Struct, frozen=True):
    model: str
    token: str  # of the proxy: its processes carry it
    boot: str  # of the machine; empty where it has no name
    cmd_stop: str  # its port is filled in, `${PID}` is not
    env: tuple[str, ...]  # the model's own variables; ours are whatever they are then
    cwd: str
    grace: float
    pid: int = 0  # of the command; 0 until it was spawned
    started: float = 0.0

    def process(self) -> int | None:
        """Its number, if that is still its: the same start on the same boot, and the proxy's mark on it."""
        if not self.pid or self.boot != table.boot():
            return None
        row = table.look(self.pid)
        if row is None or not row.alive or row.identity != (self.pid, self.started):
            return None
        carries = trees.branded([self.pid], self.token) | table.marked([self.pid], trees.mark(self.token))
        return self.pid if carries else None


class Note:
    """The record of one run. Neither call waits for the disk longer than its own awaiting does."""

    def __init__(self, records: Records, path: Path, record: Record) -> None:
        self.records = records
        self.path = path
        self.record = record

    async def save(self) -> None:
        """Returns when it is written."""
        await asyncio.wrap_future(self.records.thread.submit(write, self.path, self.record))

    def know(self, pid: int, started: float) -> None:
        self.record = replace(self.record, pid=pid, started=started)
        self.records.thread.submit(write, self.path, self.record)

    def remove(self) -> None:
        """Safe twice."""
        self.records.thread.submit(remove, self.path)


class Records:
    """One thread does it all, in order: a slow disk holds up nobody but a run that needs a record."""

    def __init__(self, folder: Path, token: str) -> None:
        self.folder = folder
        self.token = token
        self.numbers = count(1)
        self.thread = ThreadPoolExecutor(1, "records")

    def note(self, model: str, cmd_stop: str, env: tuple[str, ...], grace: float) -> Note:
        path = self.folder / f"{self.token}-{next(self.numbers)}.json"
        return Note(self, path, Record(model, self.token, table.boot(), cmd_stop, env, str(Path.cwd()), grace))

    async def close(self) -> None:
        """Everything ordered was done."""
        await asyncio.get_running_loop().run_in_executor(None, self.thread.shutdown)


def write(path: Path, record: Record) -> None:
    """Whole or not at all, for its owner's eyes: a model's variables may hold keys."""
    fresh = path.with_suffix(".new")
    try:
        path.parent.mkdir(mode=0o700, exist_ok=True)
        fresh.touch(0o600)
        fresh.write_bytes(msgspec.json.encode(record))
        fresh.replace(path)
    except (OSError, UnicodeEncodeError) as error:
        log.warning(f"model {record.model}: if the proxy is killed, its cmdStop will not be run: {error}")


def remove(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        log.warning(f"the record of a run that is over stays: {error}")


def left(folder: Path) -> list[tuple[Path, Record]]:
    """What a proxy before us did not come to remove. Half-written ones were never spawned for."""
    found = []
    for path in sorted(folder.glob("*.json")):
        try:
            found.append((path, msgspec.json.decode(path.read_bytes(), type=Record)))
        except (OSError, msgspec.MsgspecError) as error:
            log.warning(f"the record {path} cannot be read: {error}")
            remove(path)
    for path in folder.glob("*.new"):
        remove(path)
    return found
