"""The models that could be written into the configuration: all that are on the shelves, and those that were pulled."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from llamaswap_py.config.values import Shelf
from llamaswap_py.daemon.finder import Finder

if TYPE_CHECKING:  # a start does not pay for it
    from llamaswap_py.library.files import Discovery
    from llamaswap_py.library.library import Library


class Candidates:
    def __init__(self, finder: Finder, downloads: Callable[[], Path]) -> None:
        self.finder = finder
        self.downloads = downloads
        self.library: Library | None = None  # of its own: the finder's is looked at in another thread

    def look(self) -> Discovery:
        """Blocks."""
        from llamaswap_py.library.discover import NOTHING, Before, discover
        from llamaswap_py.library.library import Library

        self.library = self.library or Library(self.finder.env)
        shelves = dict.fromkeys([*self.finder.shelves, Shelf(str(self.downloads()), "")])
        return discover(*self.library.look(shelves), time.time(), Before(self.finder.discovery or NOTHING))
