"""The pulls that the running program has under way: each a `llamaswap pull --json` of its own.

A program of its own keeps the network library out of the proxy's memory and its checksums off the loop, and a kill ends
it for certain: what has come is safe from that at any moment."""

from __future__ import annotations

import asyncio
import json
import secrets
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol

import msgspec
import structlog

from llamaswap_py.library.pull.names import Wish

AT_ONCE = 3  # programs; each takes some files at once, and a disk or a line is full before that
KEPT = 50  # that are over
LONGEST_LINE = 16 * 1024 * 1024  # one look at a repository of a hundred thousand files
COMMAND = (sys.executable, "-m", "llamaswap_py", "pull")

log = structlog.get_logger("pulls")


class State(StrEnum):
    WAITING = "waiting"
    ASKING = "asking"
    LOADING = "loading"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


OVER = (State.DONE, State.FAILED, State.CANCELLED)


class Work(Protocol):
    def cancel(self) -> bool: ...


Spawn = Callable[[str, Coroutine[Any, Any, None]], Work]
Row = Mapping[str, Any]


class Underway(msgspec.Struct):
    """One pull as it is known here."""

    id: str
    wish: Wish
    state: State = State.WAITING
    folder: str = ""
    commit: str = ""
    files: list[dict[str, Any]] = msgspec.field(default_factory=list)
    done: int = 0
    total: int = 0
    speed: float = 0.0
    left: float | None = None
    notes: list[str] = msgspec.field(default_factory=list)
    error: dict[str, Any] | None = None
    changed: asyncio.Event = msgspec.field(default_factory=asyncio.Event)
    work: Work | None = None

    @property
    def is_over(self) -> bool:
        return self.state in OVER

    def row(self) -> Row:
        """As the API shows it."""
        names = ("id", "state", "folder", "commit", "files", "done", "total", "speed", "left", "notes", "error")
        wish = {"repo": self.wish.repo, "include": list(self.wish.include), "quant": self.wish.quant}
        return {**wish, "revision": self.wish.revision, **{name: getattr(self, name) for name in names}}

    def hear(self, event: Mapping[str, Any]) -> None:
        """What the program said."""
        match event["event"]:
            case "note":
                self.notes.append(event["text"])
            case "chosen":
                self.state = State.LOADING
                self.folder, self.commit, self.total = event["folder"], event["commit"], event["total"]
                self.files = [{"path": path, "size": size, "done": 0, "stage": ""} for path, size in event["files"]]
            case "progress" if event["total"]:
                self.done, self.speed, self.left = event["done"], round(event["speed"]), event["left"]
                names = ("path", "done", "size", "stage")
                self.files = [dict(zip(names, row, strict=True)) for row in event["files"]]
            case "done":
                self.end(State.DONE)
                self.done = self.total
                self.files = [{**file, "done": file["size"], "stage": "done"} for file in self.files]
            case "failed":
                self.end(State.FAILED, event["trouble"], event["message"], event["near"])

    def end(self, state: State, code: str = "", message: str = "", near: list[str] | None = None) -> None:
        self.state, self.speed, self.left = state, 0.0, None
        if code:
            self.error = {"code": code, "message": message, "near": near or []}


class Pulls:
    """`told` hears of every change, at most a few in a second for one pull."""

    def __init__(self, folder: Callable[[], Path], spawn: Spawn, told: Callable[[Row], None]) -> None:
        self.folder = folder
        self.spawn = spawn
        self.told = told
        self.known: dict[str, Underway] = {}
        self.places = asyncio.Semaphore(AT_ONCE)

    def begin(self, wish: Wish) -> tuple[Underway, bool]:
        """The pull, and whether it is a new one: who wants what is under way already shares it."""
        for pull in self.known.values():
            if pull.wish == wish and not pull.is_over:
                return pull, False
        self.forget_old()
        pull = Underway(secrets.token_hex(4), wish)
        self.known[pull.id] = pull
        pull.work = self.spawn(f"pull {wish.repo}", self.carry_out(pull))
        self.tell(pull)
        return pull, True

    def cancel(self, pull: Underway) -> None:
        """A pull that is over is forgotten instead."""
        if pull.is_over:
            del self.known[pull.id]
            return
        pull.end(State.CANCELLED)
        if pull.work is not None:
            pull.work.cancel()
        self.tell(pull)

    def rows(self, everything: bool = True) -> list[Row]:
        return [pull.row() for pull in self.known.values() if everything or not pull.is_over]

    async def follow(self, pull: Underway) -> AsyncIterator[Row]:
        """Its row whenever it changed, the last of it included. Who reads slowly misses some."""
        while True:
            changed = pull.changed
            yield pull.row()
            if pull.is_over:
                return
            await changed.wait()

    # -- one of them

    async def carry_out(self, pull: Underway) -> None:
        async with self.places:
            pull.state = State.ASKING
            process = await asyncio.create_subprocess_exec(
                *command(pull.wish, self.folder()),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
                limit=LONGEST_LINE,
            )
            try:
                assert process.stdout is not None
                async for line in process.stdout:
                    self.hear(pull, line)
                await process.wait()
            finally:
                if process.returncode is None:
                    process.kill()
                    await process.wait()
            if not pull.is_over:
                pull.end(
                    State.FAILED, "internal_error", f"The program ended with {process.returncode}; the log says more."
                )
                self.tell(pull)
        log.info(f"pull of {pull.wish.repo} is {pull.state}{': ' + pull.error['message'] if pull.error else ''}")

    def hear(self, pull: Underway, line: bytes) -> None:
        try:
            event = json.loads(line)
        except ValueError:  # a warning of a library, or the program's last words
            log.warning(f"pull of {pull.wish.repo}: {line.decode('utf-8', 'replace').rstrip()}")
            return
        if not pull.is_over:
            pull.hear(event)
            self.tell(pull)

    def tell(self, pull: Underway) -> None:
        changed, pull.changed = pull.changed, asyncio.Event()
        changed.set()
        self.told(pull.row())

    def forget_old(self) -> None:
        over = [pull.id for pull in self.known.values() if pull.is_over]
        for name in over[: max(0, len(over) - KEPT + 1)]:
            del self.known[name]


def command(wish: Wish, folder: Path) -> list[str]:
    flags = ["--json", f"--dir={folder}", *(f"--include={pattern}" for pattern in wish.include)]
    flags += [f"--quant={wish.quant}"] if wish.quant else []
    flags += [f"--revision={wish.revision}"] if wish.revision else []
    flags += [] if wish.mmproj else ["--no-mmproj"]
    return [*COMMAND, *flags, "--", wish.repo]
