"""All shelves together: looked at as often as one likes, each header read once. Blocks, so it is called in a thread."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from os.path import normpath
from pathlib import Path, PurePath

from llamaswap_py.config.values import NO_FILE, Shelf
from llamaswap_py.library import huggingface, ollama
from llamaswap_py.library.files import Cards, LeftOut, Listing
from llamaswap_py.library.folders import Walk
from llamaswap_py.library.headers import Headers

Sight = tuple[Listing, Cards]
HUGGINGFACE, OLLAMA = "huggingface", "ollama"


class Library:
    def __init__(self, env: Mapping[str, str]) -> None:
        self.env = env
        self.headers = Headers()
        self.folders: tuple[str, ...] = ()  # that were read by the last look

    def look(self, shelves: Iterable[Shelf]) -> Sight:
        walk = Walk()
        for shelf in shelves:
            walk.begin(shelf.word)
            self.visit(shelf, walk)
        listing = walk.listing()
        self.folders = listing.folders
        return listing, self.headers.read(listing.files)

    def visit(self, shelf: Shelf, walk: Walk) -> None:
        if shelf.word == HUGGINGFACE:
            huggingface.look(huggingface.folder(self.env), walk)
        elif shelf.word == OLLAMA:
            for store in ollama.folders(self.env):
                ollama.look(store, walk)
        else:
            folder = folder_of(shelf)
            if not folder.exists() and PurePath(shelf.file).name != NO_FILE:
                walk.notes.append(LeftOut(str(folder), "there is no such folder", harmless=True))
            walk.tree(str(folder), (str(folder),))


def folder_of(shelf: Shelf) -> Path:
    """Relative to the file that names it."""
    return Path(normpath(Path(shelf.file).absolute().parent / Path(shelf.word).expanduser()))
