"""Where mistakes and warnings gather while a configuration is read, so that all of them can be shown at once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import get_close_matches

import msgspec
from msgspec.structs import replace

from llamaswap_py.config.mask import without
from llamaswap_py.config.tree import Place
from llamaswap_py.errors import ConfigError, Mistake


class Source(msgspec.Struct, frozen=True):
    """One file: the path it is spoken of by, and what is in it."""

    path: str
    text: str


class Report:
    def __init__(self, sources: Sequence[Source]) -> None:
        self.mistakes: list[Mistake] = []
        self.warnings: list[Mistake] = []
        self.order = {source.path: number for number, source in enumerate(sources)}
        self.texts = {source.path: source.text for source in sources}
        self.said: set[str] = set()
        self.hidden: set[str] = set()  # what no mistake may quote

    def again(self) -> Report:
        """What is known so far, for another attempt at the rest."""
        found = Report([])
        found.mistakes, found.warnings = list(self.mistakes), list(self.warnings)
        found.order, found.texts, found.hidden = self.order, self.texts, self.hidden
        return found

    def wrong(self, place: Place, key: str, message: str, remedy: str) -> None:
        self.mistakes.append(Mistake(place.file, place.line, place.column, key, message, remedy))

    def warn(self, place: Place, key: str, message: str, remedy: str) -> None:
        self.warnings.append(Mistake(place.file, place.line, place.column, key, message, remedy))

    def warn_once(self, subject: str, place: Place, key: str, message: str, remedy: str) -> None:
        if subject not in self.said:
            self.said.add(subject)
            self.warn(place, key, message, remedy)

    def locate(self, start: Place, needle: str, lines: int) -> Place:
        """Where `needle` stands in the source, searched over so many lines from `start` but not in comments; `start`
        where it does not."""
        rows = self.texts.get(start.file, "").splitlines()[max(start.line - 1, 0) :][:lines]
        for number, row in enumerate(rows):
            column = row.find(needle, start.column - 1 if number == 0 else 0)
            if column >= 0 and not row.lstrip().startswith("#"):
                return replace(start, line=start.line + number, column=column + 1)
        return start

    def sort(self, found: list[Mistake]) -> tuple[Mistake, ...]:
        """In file order, the same one said once, without secrets."""
        unique = dict.fromkeys(map(self.shown, found) if self.hidden else found)
        return tuple(sorted(unique, key=lambda m: (self.order.get(m.file, -1), m.line, m.column)))

    def shown(self, mistake: Mistake) -> Mistake:
        message, remedy = without(mistake.message, self.hidden), without(mistake.remedy, self.hidden)
        return replace(mistake, message=message, remedy=remedy)

    def settle(self) -> None:
        """Raise if anything is wrong so far."""
        if self.mistakes:
            raise ConfigError(self.sort(self.mistakes), self.sort(self.warnings))


def closest(word: str, words: Iterable[str], count: int = 1) -> list[str]:
    """The words a person who wrote `word` probably meant, best first."""
    spelled: dict[str, list[str]] = {}
    for each in words:
        spelled.setdefault(each.lower(), []).append(each)
    # 0.6 is difflib's own measure of "similar"
    found = get_close_matches(word.lower(), spelled, n=count, cutoff=0.6)
    return [each for low in found for each in spelled[low]][:count]
