"""A configuration read for a person: mistakes and warnings on standard error, in the order of their lines."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import msgspec

from llamaswap_py.cli.terminal.colours import BOLD, DIM, RED, YELLOW, Paint
from llamaswap_py.config.read import Reading
from llamaswap_py.errors import ConfigError, Mistake

if TYPE_CHECKING:
    from llamaswap_py.library.files import LeftOut


class Understood(msgspec.Struct, frozen=True):
    """What a server would make of it, with the models that it would find just now."""

    reading: Reading
    left_out: Sequence[LeftOut] = ()


def read_or_tell(config: str | None, config_dir: str | None, models_dirs: Sequence[str] = ()) -> Understood | None:
    """None where a server would not start with it, which is told."""
    from llamaswap_py.daemon.finder import Finder
    from llamaswap_py.daemon.sources import Sources

    sources = Sources(config, config_dir, models_dirs)
    finder = Finder(sources)
    try:
        finder.shelves = sources.shelves(os.environ)
        if finder.shelves:
            finder.adopt(finder.examine(()))
        return Understood(sources.read(os.environ), finder.discovery.left_out if finder.discovery else ())
    except ConfigError as error:
        tell(error.mistakes, error.warnings)
        print(f"\n{count(len(error.mistakes), 'mistake')}: a server would not start with this.", file=sys.stderr)
        return None


def tell(mistakes: Iterable[Mistake], warnings: Iterable[Mistake]) -> None:
    paint = Paint(sys.stderr)
    found = [("mistake", RED, each) for each in mistakes] + [("warning", YELLOW, each) for each in warnings]
    files = list(dict.fromkeys(each.file for _, _, each in found))
    found.sort(key=lambda row: (files.index(row[2].file), row[2].line, row[2].column))
    for word, colour, each in found:
        print(f"{paint(word, colour)}  {line(each, paint)}", file=sys.stderr)


def line(mistake: Mistake, paint: Paint) -> str:
    """As the mistake says itself, with its parts told apart."""
    if not paint.on:
        return str(mistake)
    place = f"{mistake.file}:{mistake.line}:{mistake.column}:" if mistake.line else f"{mistake.file}:"
    subject = f"{mistake.key}: " if mistake.key else ""
    return f"{paint(place, BOLD)} {subject}{mistake.message}. {paint(mistake.remedy, DIM)}"


def count(number: int, thing: str) -> str:
    return f"{number} {thing}{'' if number == 1 else 's'}"
