"""Walking a shelf's folders: bounded, past loops and hidden folders, and never failing as a whole."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import msgspec

from llamaswap_py.library.files import File, LeftOut, Listing

DEEPEST = 8  # folders below a shelf; the deepest layout known has four
MOST_ENTRIES = 50_000  # of one shelf; it takes a fifth of a second to walk so many
ENDING = ".gguf"


class Walk(msgspec.Struct):
    """What was seen so far, over all shelves."""

    shelf: str = ""
    files: list[File] = msgspec.field(default_factory=list)
    notes: list[LeftOut] = msgspec.field(default_factory=list)
    unseen: list[str] = msgspec.field(default_factory=list)
    folders: list[str] = msgspec.field(default_factory=list)
    visited: set[tuple[int, int]] = msgspec.field(default_factory=set)
    entries: int = 0

    def listing(self) -> Listing:
        return Listing(tuple(self.files), tuple(self.notes), tuple(self.unseen), tuple(self.folders))

    def begin(self, shelf: str) -> None:
        self.shelf, self.entries = shelf, 0

    def tree(self, path: str, folder: tuple[str, ...]) -> None:
        """All model files below, `folder` being what this one is called."""
        waiting = [(path, folder, 0)]
        while waiting:
            path, folder, depth = waiting.pop()
            shown = [entry for entry in self.read(path) if not entry.name.startswith(".")]
            for entry in shown:
                if is_folder(entry):
                    waiting += [(entry.path, (*folder, entry.name), depth + 1)] if depth < DEEPEST else []
                elif entry.name.lower().endswith(ENDING):
                    self.add(entry.path, folder, entry.is_symlink())

    def read(self, path: str) -> Iterator[os.DirEntry[str]]:
        """In the order of names. A folder that a link leads back to is not read again."""
        try:
            status = Path(path).stat()
            if (status.st_dev, status.st_ino) in self.visited:
                return
            self.visited.add((status.st_dev, status.st_ino))
            with os.scandir(path) as found:
                entries = sorted(found, key=lambda entry: entry.name)
        except FileNotFoundError:
            return
        except OSError as error:
            self.unreadable(path, error)
            return
        self.folders.append(path)
        for entry in entries:
            self.entries += 1
            if self.entries > MOST_ENTRIES:
                self.cut(path)
                return
            yield entry

    def cut(self, path: str) -> None:
        if self.entries == MOST_ENTRIES + 1:
            why = f"more than {MOST_ENTRIES} files and folders are on this shelf; from here on nothing was looked at"
            self.notes.append(LeftOut(path, why))

    def unreadable(self, path: str, error: OSError) -> None:
        self.unseen.append(path)
        self.notes.append(LeftOut(path, f"it cannot be read: {error.strerror}"))

    def add(self, path: str, folder: tuple[str, ...], is_link: bool, given: str = "", expected: int = 0) -> None:
        try:
            status = Path(path).stat()
        except FileNotFoundError:
            if is_link:
                self.notes.append(LeftOut(path, "the link leads nowhere"))
            return
        except OSError as error:
            self.unreadable(path, error)
            return
        identity = status.st_dev, status.st_ino
        self.files.append(
            File(path, status.st_size, status.st_mtime, identity, folder, self.shelf, is_link, given, expected)
        )


def is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to itself
        return False
