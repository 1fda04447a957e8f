"""Notices that the configuration's files changed: told by the system where it can, and by a slow look of our own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import structlog

from llamaswap_py.daemon.sources import Look, Sources
from llamaswap_py.runtime.tasks import Tasks

log = structlog.get_logger("watch")

# Bind mounts and network folders tell nobody about changes; this is how long such a change may go unseen.
SLOW_LOOK_SECONDS = 2.0

# A burst of saves counts as one once it has been quiet for QUIET_MS, at the latest after BURST_MS.
QUIET_MS = 100
BURST_MS = 1000


class Watch:
    """Calls `changed` after every change; may call it once too often, never once too few."""

    def __init__(self, sources: Sources, seen: Look, changed: Callable[[], None]) -> None:
        self.sources = sources
        self.seen = seen  # taken before the files were first read, so that no edit falls in between
        self.changed = changed

    def start(self, tasks: Tasks) -> None:
        tasks.start("watch the configuration", self.listen())
        tasks.start("look at the configuration", self.look_now_and_then())

    def compare(self) -> None:
        now = self.sources.look()
        if now and now != self.seen:
            self.seen = now
            self.changed()

    async def look_now_and_then(self) -> None:
        while True:
            self.compare()
            await asyncio.sleep(SLOW_LOOK_SECONDS)

    async def listen(self) -> None:
        """Watches the folders anew whenever a link leads elsewhere; without the system's help the slow look remains."""
        while True:
            folders = self.sources.folders()
            try:
                await self.listen_in(folders)
            except (OSError, RuntimeError) as error:
                log.warning(
                    f"the configuration's folder cannot be watched, looking every {SLOW_LOOK_SECONDS:g} s: {error}"
                )
                return

    async def listen_in(self, folders: list[Path]) -> None:
        from watchfiles import awatch  # a megabyte, for whoever has files watched

        async for _ in awatch(*folders, recursive=False, step=QUIET_MS, debounce=BURST_MS):
            self.compare()
            if self.sources.folders() != folders:
                return
