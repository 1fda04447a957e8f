"""A changed configuration, read in a thread, comes into force, or is turned down and the old one serves on."""

from __future__ import annotations

import asyncio
import os
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress

import msgspec
import structlog

from llamaswap_py.config.read import Reading
from llamaswap_py.config.values import Shelf
from llamaswap_py.daemon.finder import Finder
from llamaswap_py.daemon.sources import Sources
from llamaswap_py.errors import ConfigError
from llamaswap_py.runtime.feed import ConfigLoaded, ConfigRefused, Feed
from llamaswap_py.runtime.tasks import Tasks
from llamaswap_py.runtime.threads import in_thread
from llamaswap_py.server.configuration.kept import Accepted
from llamaswap_py.server.configuration.saving import Taken

log = structlog.get_logger("config")

Put = Callable[[], None]


class Read(msgspec.Struct, frozen=True):
    """What came of a reading; `put` brings it into force, where anything differs."""

    reading: Reading
    put: Put | None
    is_ordered: bool  # the files were read, not only what was found


class Aim(msgspec.Struct, frozen=True):
    """The files name other shelves: these are looked at before anything comes into force."""

    shelves: tuple[Shelf, ...]


Outcome = Read | Aim | ConfigError


def nobody() -> None:
    pass


def forgotten(accepted: Accepted) -> None:
    pass


class Reload:
    """One reading at a time, in the order in which they were asked for; one that nobody has begun yet stands for all
    that ask for the same. `prepare` is called in a thread; what it returns, on the loop, and only where something
    differs."""

    def __init__(
        self,
        sources: Sources,
        reading: Reading,
        prepare: Callable[[Reading], Put],
        feed: Feed,
        finder: Finder | None = None,
    ) -> None:
        self.sources = sources
        self.finder = finder
        self.reading = reading
        self.prepare = prepare
        self.feed = feed
        self.wanted: deque[Callable[[], Outcome]] = deque()
        self.news = asyncio.Event()
        self.aimed = False  # the finder will tell of the shelves that it was sent to
        self.askers: list[Callable[[], None]] = []
        self.taken = Taken("unchanged")  # the files, when they were read last
        self.accepted: Callable[[Accepted], None] = forgotten

    def start(self, tasks: Tasks) -> None:
        tasks.start("read the configuration again", self.keep_reading())

    # -- asked for, on the loop

    def now(self, settled: Callable[[], None] = nobody) -> None:
        """The files, and a look at the shelves. `settled` is called once nothing of it is left to do."""
        self.askers.append(settled)
        self.want(self.read_edited)

    async def ordered(self) -> Taken:
        """The same, awaited: what came of it."""
        settled = asyncio.Event()
        self.now(settled.set)
        await settled.wait()
        return self.taken

    def rediscovered(self, is_aimed: bool) -> None:
        """Models came or went, or the shelves of an edited file were looked at."""
        if is_aimed:
            self.aimed = False
        self.want(self.read_files if is_aimed else self.read_found)

    def want(self, reading: Callable[[], Outcome]) -> None:
        if reading not in self.wanted:
            self.wanted.append(reading)
        self.news.set()

    # -- in a thread

    def read_edited(self) -> Outcome:
        with suppress(ConfigError):  # the reading will tell
            if self.finder is not None and (shelves := self.sources.shelves(os.environ)) != self.finder.shelves:
                return Aim(shelves)
        return self.read_files()

    def read_files(self) -> Outcome:
        return self.compared(lambda env: self.sources.read(env, lenient=True), is_ordered=True)

    def read_found(self) -> Outcome:
        return self.compared(self.sources.again, is_ordered=False)

    def compared(self, read: Callable[[Mapping[str, str]], Reading], *, is_ordered: bool) -> Outcome:
        try:
            reading = read(os.environ)
        except ConfigError as error:
            return error.with_traceback(None)  # what it was raised through knows all that was read
        before = self.reading
        differs = (reading.config, reading.disabled) != (before.config, before.disabled)
        return Read(reading, self.prepare(reading) if differs else None, is_ordered)

    # -- on the loop again

    async def keep_reading(self) -> None:
        while True:
            await self.news.wait()
            self.news.clear()
            while self.wanted:
                outcome = await in_thread(self.wanted.popleft(), "reload")
                try:
                    self.heed(outcome)
                except Exception:
                    log.exception("the configuration could not be put into force")  # the next one may be
            if not self.aimed:
                self.settle()

    def settle(self) -> None:
        askers, self.askers = self.askers, []
        for settled in askers:
            settled()

    def heed(self, outcome: Outcome | None) -> None:
        match outcome:
            case Aim(shelves) if self.finder is not None:
                self.aimed = True
                self.finder.aim(shelves)
            case Read():
                if self.finder is not None and outcome.is_ordered:
                    self.finder.news.set()
                self.adopt(outcome)
            case ConfigError():
                self.turn_down(outcome)
            case _:
                self.taken = Taken("failed")
                log.error("configuration not reloaded: its reading failed; the one before serves on")

    def adopt(self, read: Read) -> None:
        reading = read.reading
        if read.is_ordered:
            tell_warnings(reading)
        tell_disabled(reading)
        before, self.reading = self.reading.config, reading
        if read.put is not None:
            read.put()
        if read.is_ordered:
            self.taken = Taken("unchanged" if read.put is None else "loaded")
            self.accepted(Accepted(tuple(self.sources.last), before, reading.config, "edit"))
        if read.put is None:
            if read.is_ordered:
                log.info("configuration read again: nothing differs")
            return
        log.info("configuration reloaded")
        mistakes = tuple(str(mistake) for each in reading.disabled.values() for mistake in each)
        self.feed.publish(ConfigLoaded(tuple(reading.config.models), mistakes))

    def turn_down(self, error: ConfigError) -> None:
        for mistake in error.mistakes:
            log.error(str(mistake))
        count = len(error.mistakes)
        log.error(f"configuration not reloaded: {count} mistake{'s' if count > 1 else ''}; the one before serves on")
        mistakes = tuple(map(str, error.mistakes))
        self.taken = Taken("refused", mistakes)
        self.feed.publish(ConfigRefused(mistakes))


def tell_disabled(reading: Reading) -> None:
    for model, mistakes in reading.disabled.items():
        for mistake in mistakes:
            log.error(f"model {model} is disabled: {mistake}")


def tell_warnings(reading: Reading) -> None:
    for warning in reading.warnings:
        log.warning(str(warning))
