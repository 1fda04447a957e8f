"""A changed configuration comes into force, or is turned down and the old one serves on."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping

import structlog

from llamaswap_py.config.read import Reading
from llamaswap_py.daemon.finder import Finder
from llamaswap_py.daemon.sources import Sources
from llamaswap_py.errors import ConfigError
from llamaswap_py.runtime.feed import ConfigLoaded, ConfigRefused, Feed

log = structlog.get_logger("config")


class Reload:
    """`apply` puts a new configuration into force; it is called only where something differs."""

    def __init__(
        self,
        sources: Sources,
        reading: Reading,
        apply: Callable[[Reading], None],
        feed: Feed,
        finder: Finder | None = None,
    ) -> None:
        self.sources = sources
        self.finder = finder
        self.reading = reading
        self.apply = apply
        self.feed = feed

    def now(self) -> None:
        """The files, and a look at the shelves; where other shelves are named, the look comes first."""
        if self.finder is not None and self.aims_elsewhere(self.finder):
            return
        self.read()

    def aims_elsewhere(self, finder: Finder) -> bool:
        try:
            shelves = self.sources.shelves(os.environ)
        except ConfigError:
            return False  # the reading will tell
        if shelves != finder.shelves:
            finder.aim(shelves)
            return True
        finder.news.set()
        return False

    def rediscovered(self, is_aimed: bool) -> None:
        """Models came or went, or the shelves of an edited file were looked at."""
        if is_aimed:
            self.read()
        else:
            self.read(self.sources.again)

    def read(self, how: Callable[[Mapping[str, str]], Reading] | None = None) -> None:
        try:
            reading = how(os.environ) if how else self.sources.read(os.environ, lenient=True)
        except ConfigError as error:
            self.turn_down(error)
            return
        if how is None:
            tell_warnings(reading)
        tell_disabled(reading)
        if (reading.config, reading.disabled) == (self.reading.config, self.reading.disabled):
            if how is None:
                log.info("configuration read again: nothing differs")
            return
        self.reading = reading
        self.apply(reading)
        log.info("configuration reloaded")
        mistakes = tuple(str(mistake) for each in reading.disabled.values() for mistake in each)
        self.feed.publish(ConfigLoaded(tuple(reading.config.models), mistakes))

    def turn_down(self, error: ConfigError) -> None:
        for mistake in error.mistakes:
            log.error(str(mistake))
        count = len(error.mistakes)
        log.error(f"configuration not reloaded: {count} mistake{'s' if count > 1 else ''}; the one before serves on")
        self.feed.publish(ConfigRefused(tuple(str(mistake) for mistake in error.mistakes)))


def tell_disabled(reading: Reading) -> None:
    for model, mistakes in reading.disabled.items():
        for mistake in mistakes:
            log.error(f"model {model} is disabled: {mistake}")


def tell_warnings(reading: Reading) -> None:
    for warning in reading.warnings:
        log.warning(str(warning))
