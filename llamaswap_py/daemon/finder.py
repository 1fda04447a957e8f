"""The models on the shelves, kept up to date while the program runs. What blocks is done in a thread."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import structlog

from llamaswap_py.config.discovered import Discovered
from llamaswap_py.config.values import Shelf
from llamaswap_py.daemon.sources import Sources
from llamaswap_py.runtime.tasks import Tasks
from llamaswap_py.runtime.threads import in_thread

if TYPE_CHECKING:  # whoever has no shelves does not pay for it
    from llamaswap_py.library.files import Discovery
    from llamaswap_py.library.library import Library, Sight

log = structlog.get_logger("library")

START_SECONDS = 1.0  # the start waits so long for the first look; sixty files take a tenth of it
SLOW_SECONDS = 10.0  # between looks without news: network folders tell nobody about changes
SHARE = 50  # and at least so many times as long as a look takes
UNFINISHED_SECONDS = 1.0  # between looks while a file is on its way
MOST_WATCHED = 256  # folders; each takes one of the system's watches, of which there may be 8192 for all programs
SHOWN = 20  # ids in one line of the log


class News(msgspec.Struct, frozen=True):
    """What follows from a look at the shelves."""

    sight: Sight
    discovery: Discovery
    entries: tuple[Discovered, ...]
    differs: bool
    gone: frozenset[str]  # ids


class Finder:
    def __init__(self, sources: Sources, env: Mapping[str, str] = os.environ) -> None:
        self.sources = sources
        self.env = env
        self.shelves: tuple[Shelf, ...] = ()
        self.library: Library | None = None
        self.discovery: Discovery | None = None
        self.sight: Sight | None = None  # the last one
        self.took = 0.0
        self.speaks = False  # the log is set up only after the first reading
        self.looking: asyncio.Future[News | None]  # the first time
        self.is_aimed = False  # at other shelves than those of the last look
        self.news = asyncio.Event()
        self.looked = asyncio.Event()  # for the first time

    async def begin(self) -> None:
        """Raises ConfigError. What takes too long is found while the program runs already."""
        self.shelves = self.sources.shelves(self.env)
        if not self.shelves:
            self.looked.set()
            return
        self.looking = self.examined(())
        await asyncio.wait([self.looking], timeout=START_SECONDS)
        if self.looking.done():
            await self.finish()

    @property
    def is_late(self) -> bool:
        """The first look takes longer than the start waits."""
        return not self.looked.is_set()

    async def finish(self) -> None:
        self.adopt(await self.looking)
        self.looked.set()

    def start(self, tasks: Tasks, in_use: Callable[[], Collection[str]], changed: Callable[[bool], None]) -> None:
        """`changed` hears whether other shelves are the reason."""
        self.speaks = True
        if self.discovery is not None:
            tell(None, self.discovery)
        tasks.start("find models", self.keep_looking(in_use, changed))
        tasks.start("watch the shelves", self.listen())

    def aim(self, shelves: tuple[Shelf, ...]) -> None:
        self.shelves, self.is_aimed = shelves, True
        self.news.set()

    async def keep_looking(self, in_use: Callable[[], Collection[str]], changed: Callable[[bool], None]) -> None:
        if self.is_late:
            if self.adopt(await self.looking):
                changed(False)
            self.looked.set()
        while True:
            await self.wait()
            is_aimed, self.is_aimed = self.is_aimed, False
            if self.adopt(await self.whole_look(in_use)) or is_aimed:
                changed(is_aimed)

    async def whole_look(self, in_use: Callable[[], Collection[str]]) -> News | None:
        """Once more, where somebody asked meanwhile for a model whose file is gone."""
        while True:
            news = await self.examined(in_use())
            if news is None or news.gone.isdisjoint(in_use()):
                return news

    async def wait(self) -> None:
        """For news, but not for ever; and not so little that a growing file keeps us busy."""
        if self.shelves:
            unfinished = self.discovery is not None and self.discovery.unfinished
            pause = max(UNFINISHED_SECONDS if unfinished else SLOW_SECONDS, SHARE * self.took)
            with suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self.news.wait()
        else:
            await self.news.wait()
        self.news.clear()

    def examined(self, in_use: Collection[str]) -> asyncio.Future[News | None]:
        return in_thread(lambda: self.examine(in_use), "library")

    def examine(self, in_use: Collection[str]) -> News | None:
        """Blocks: a look, and what follows from it; None where nothing does."""
        from llamaswap_py.library.library import Library

        self.library = self.library or Library(self.env)
        began = time.monotonic()
        sight = self.library.look(self.shelves)
        self.took = time.monotonic() - began
        return None if self.is_settled(sight) else self.decided(sight, in_use)

    def is_settled(self, sight: Sight) -> bool:
        """Nothing was touched, nothing is on its way, and nothing is kept only because it runs."""
        if sight != self.sight or self.discovery is None or self.discovery.unfinished:
            return False
        return all(model.path in sight[1] for model in self.discovery.models)

    def decided(self, sight: Sight, in_use: Collection[str]) -> News:
        from llamaswap_py.library.discover import NOTHING, Before, discover
        from llamaswap_py.library.entries import discovered

        before = self.discovery or NOTHING
        found = discover(*sight, time.time(), Before(before, in_use))
        return News(sight, found, discovered(found.models), found.models != before.models, gone(before, found))

    def adopt(self, news: News | None) -> bool:
        """Whether models came, went or changed. Of a look that failed nothing follows."""
        if news is None:
            return False
        if self.speaks:
            tell(self.discovery, news.discovery)
        self.sight, self.discovery, self.sources.discovered = news.sight, news.discovery, news.entries
        return news.differs

    async def listen(self) -> None:
        """Where the system tells of changes, they are seen at once."""
        while True:
            folders = watched(self.library)
            try:
                if folders:
                    await self.listen_in(folders)
                else:
                    await asyncio.sleep(SLOW_SECONDS)
            except (OSError, RuntimeError) as error:
                log.debug(f"the folders of models cannot be watched, looking every {SLOW_SECONDS:g} s: {error}")
                await asyncio.sleep(SLOW_SECONDS)

    async def listen_in(self, folders: list[Path]) -> None:
        """Until there are others."""
        from watchfiles import awatch

        async for _ in awatch(*folders, recursive=False, step=100, debounce=1000):
            self.news.set()
            if watched(self.library) != folders:
                return


def watched(library: Library | None) -> list[Path]:
    return [Path(folder) for folder in library.folders[:MOST_WATCHED]] if library else []


def gone(before: Discovery | None, now: Discovery | None) -> frozenset[str]:
    """Ids that are in the one and not in the other."""
    old, new = ({model.id for model in each.models} if each else set() for each in (before, now))
    return frozenset(old - new)


def tell(before: Discovery | None, now: Discovery) -> None:
    """What is new in it."""
    came, missing = gone(now, before), gone(before, now)
    if came:
        log.info(f"found {len(came)} model{'s' if len(came) > 1 else ''}: {listed(sorted(came))}")
    if missing:
        log.info(f"no longer there: {listed(sorted(missing))}")
    told = set(before.left_out) if before else set()
    for left in now.left_out:
        if left not in told:
            speak = log.info if left.harmless or left.later else log.warning
            speak(str(left))


def listed(ids: list[str]) -> str:
    more = f" and {len(ids) - SHOWN} more" if len(ids) > SHOWN else ""
    return ", ".join(ids[:SHOWN]) + more
