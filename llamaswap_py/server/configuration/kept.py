"""Every text that came into force, kept in the state directory with what it changed. Nothing here changes any."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import structlog
from msgspec.structs import asdict

from llamaswap_py.config.preview import changes
from llamaswap_py.config.report import Source
from llamaswap_py.config.values import Config
from llamaswap_py.config.versions import NAME, Version, last_of, name_of, surplus, tag_of

log = structlog.get_logger("config")

MARK = b"\xef\xbb\xbf"  # readers take it off, so it is no part of a version


class Accepted(msgspec.Struct, frozen=True):
    """The files as they came into force, and the configuration before and after."""

    sources: Sequence[Source]
    before: Config | None
    now: Config
    by: str


class Versions:
    """One file each: a line of JSON, then the text. `tell` is called on the loop; a task writes down what was told."""

    def __init__(self, directory: Path, clock: Callable[[], float] = time.time) -> None:
        self.directory = directory
        self.clock = clock
        self.told: asyncio.Queue[Accepted] = asyncio.Queue()
        self.expected: dict[tuple[str, str], tuple[str, str]] = {}

    def expect(self, file: str, raw: bytes, by: str, restored: str = "") -> None:
        """This text comes from here: so it is no edit by hand."""
        self.expected[file, tag_of(raw.removeprefix(MARK))] = by, restored

    def tell(self, accepted: Accepted) -> None:
        self.told.put_nowait(accepted)

    async def keep(self) -> None:
        while True:
            accepted = await self.told.get()
            try:
                await asyncio.to_thread(self.record, accepted)
            except OSError as error:
                log.warning(f"an earlier configuration cannot be kept in {self.directory}: {error}")
            finally:
                self.told.task_done()

    async def settled(self) -> None:
        """All that was told is written down."""
        await self.told.join()

    # -- in a thread

    def record(self, accepted: Accepted) -> None:
        known = self.versions()
        fresh = []
        for source in accepted.sources:
            raw = source.text.encode()
            last, tag = last_of(known, source.path), tag_of(raw)
            if last is None or last.tag != tag:
                fresh.append((source.path, raw, tag))
        if not fresh:
            return
        changed: Mapping[str, Any] | None = None
        if accepted.before is not None:
            changed = changes(accepted.before, accepted.now)
        for file, raw, tag in fresh:
            by, restored = self.expected.pop((file, tag), (accepted.by, ""))
            at = self.clock()
            version = Version(name_of(at, tag), file, at, by, tag, len(raw), changed, restored)
            self.write(version, raw)
            known.append(version)
        for each in surplus(known):
            self.path(each.id).unlink(missing_ok=True)

    def write(self, version: Version, raw: bytes) -> None:
        self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        unfinished = self.directory / f".{version.id}.new"
        unfinished.touch(mode=0o600)  # keys may stand in it
        unfinished.write_bytes(msgspec.json.encode(asdict(version)) + b"\n" + raw)
        unfinished.replace(self.path(version.id))

    def path(self, name: str) -> Path:
        return self.directory / f"{name}.version"

    def versions(self) -> list[Version]:
        """The newest first. What cannot be read is not there."""
        found = []
        for path in sorted(self.directory.glob("*.version"), reverse=True):
            version = head_of(path)
            if version is not None:
                found.append(version)
        return found

    def text(self, name: str) -> tuple[Version, str] | None:
        """None where there is no such version (any more)."""
        if not NAME.fullmatch(name) or (version := head_of(self.path(name))) is None:
            return None
        _, _, raw = self.path(name).read_bytes().partition(b"\n")
        return version, raw.decode()


def head_of(path: Path) -> Version | None:
    try:
        with path.open("rb") as file:
            return msgspec.json.decode(file.readline(), type=Version)
    except (OSError, msgspec.DecodeError):
        return None
