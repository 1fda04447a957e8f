"""What the file that a model's command names says of the model: read once, and again where the file has changed.

Blocks: called in a thread."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec

from llamaswap_py.config.command import argv, option
from llamaswap_py.config.values import Model
from llamaswap_py.library.files import Card
from llamaswap_py.library.headers import read
from llamaswap_py.library.naming import part_of

Mark = tuple[tuple[int, int], ...]


class Described(msgspec.Struct, frozen=True):
    """0 and empty where nothing is known."""

    architecture: str = ""
    quantisation: str = ""
    parameters: int = 0
    size: int = 0  # bytes, of all its files
    trained_context: int = 0
    layers: int = 0


UNKNOWN = Described()


class Said(msgspec.Struct, frozen=True):
    """What a command says of its model by itself."""

    file: str = ""
    context: int = 0
    quantisation: str = ""


SAID_NOTHING = Said()


def said_by(model: Model) -> Said:
    words = argv(model.cmd)
    context = option(words, "-c", "--ctx-size")
    _, _, tag = option(words, "-hf", "-hfr", "--hf-repo").partition(":")
    return Said(option(words, "-m", "--model"), int(context) if context.isdecimal() else 0, tag.upper())


class Descriptions:
    """What is not asked for any more is forgotten."""

    def __init__(self) -> None:
        self.known: dict[str, tuple[Mark, Described]] = {}

    def of(self, files: Iterable[str]) -> Mapping[str, Described]:
        self.known = {file: self.one(file) for file in dict.fromkeys(files) if file}
        return {file: found for file, (_, found) in self.known.items()}

    def one(self, file: str) -> tuple[Mark, Described]:
        try:
            parts = parts_of(Path(file))
            stats = [part.stat() for part in parts]
        except (OSError, ValueError):  # it is not there, or no path at all
            return (), UNKNOWN
        mark = tuple((stat.st_size, stat.st_mtime_ns) for stat in stats)
        before, found = self.known.get(file, (None, UNKNOWN))
        return mark, found if before == mark else described(parts, sum(size for size, _ in mark))


def parts_of(file: Path) -> list[Path]:
    """All that are there of a model in several files, whichever of them was named."""
    part = part_of(file.name)
    if part is None:
        return [file]
    beside = [(part_of(each.name), each) for each in file.parent.iterdir()]
    mine = [(each.number, path) for each, path in beside if each and (each.stem, each.count) == (part.stem, part.count)]
    return [path for _, path in sorted(mine)] or [file]


def described(parts: Iterable[Path], size: int) -> Described:
    cards = [card for part in parts if isinstance(card := read(str(part)), Card)]
    if not cards:
        return Described(size=size)
    first = cards[0].facts
    parameters = sum(card.facts.parameters for card in cards)
    return Described(first.architecture, first.quantisation, parameters, size, first.context_length, first.block_count)
