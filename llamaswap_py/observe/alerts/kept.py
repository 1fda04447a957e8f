"""What outlives the program: which alerts fire, what is silenced, and what receivers have yet to hear."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from pathlib import Path

import msgspec
import structlog

from llamaswap_py.observe.alerts.judge import Silence
from llamaswap_py.observe.alerts.outbox import Parcel
from llamaswap_py.observe.alerts.rules import Alert

log = structlog.get_logger("alerts")


class Kept(msgspec.Struct, frozen=True):
    firing: list[Alert] = msgspec.field(default_factory=list)
    past: list[Alert] = msgspec.field(default_factory=list)
    silences: dict[str, Silence] = msgspec.field(default_factory=dict)
    waiting: dict[str, list[Parcel]] = msgspec.field(default_factory=dict)


def read(path: Path | None) -> Kept:
    if path is None or not path.exists():
        return Kept()
    try:
        return msgspec.json.decode(path.read_bytes(), type=Kept)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError) as error:
        log.warning(f"what was known of alerts cannot be read from {path}: {error}; it begins anew")
        return Kept()


def write(path: Path, kept: bytes) -> None:
    """As a whole or not at all, also where the power fails."""
    fresh = path.with_suffix(".new")
    with fresh.open("wb") as file:
        file.write(kept)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)


class Notebook:
    """Written in a thread, one after the other; whoever waits for `save` knows that all until then is down."""

    def __init__(self, path: Path | None, told: Callable[[], Kept]) -> None:
        self.path = path
        self.told = told
        self.turn = asyncio.Lock()
        self.wanted = 0
        self.written = 0
        self.broken = False

    async def save(self) -> None:
        self.wanted += 1
        mine = self.wanted
        async with self.turn:
            if self.path is None or self.written >= mine:
                return  # whoever was before has written this too
            self.written = self.wanted
            data = msgspec.json.encode(self.told())
            try:
                await asyncio.to_thread(write, self.path, data)
            except OSError as error:
                self.complain(error)
            else:
                self.broken = False

    def complain(self, error: OSError) -> None:
        """Once, until it works again."""
        if not self.broken:
            log.warning(
                f"alerts cannot be kept in {self.path}: {error}; after a restart some may come twice or not at all"
            )
        self.broken = True
