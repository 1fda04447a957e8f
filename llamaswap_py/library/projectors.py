"""Which projector (mmproj: a model's eyes and ears) belongs to which model. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from llamaswap_py.library.naming import GENERIC, fit, projector_stem

# llama.cpp's own conversions are of the first kind; more bits bring nothing that could be seen.
BEST_FIRST = ("F16", "BF16", "Q8_0", "F32")


class Projector(msgspec.Struct, frozen=True):
    path: str
    folder: tuple[str, ...]
    stem: str  # of the file's name
    title: str  # in its header
    quantisation: str

    @property
    def names(self) -> set[str]:
        """Those of a model that it may have."""
        return {projector_stem(self.stem), fit(self.title)} - GENERIC

    @property
    def rank(self) -> tuple[int, str]:
        known = self.quantisation in BEST_FIRST
        return BEST_FIRST.index(self.quantisation) if known else len(BEST_FIRST), self.path


class Blind(msgspec.Struct, frozen=True):
    """A model that may get one."""

    folder: tuple[str, ...]
    base: str
    title: str


def join(models: Mapping[str, Blind], projectors: Sequence[Projector]) -> dict[str, str]:
    """The model's path -> the projector's. In the nearest folder above that has one, but never on the bare shelf
    unless the model stands there too."""
    joined: dict[str, str] = {}
    by_folder: dict[tuple[str, ...], list[Projector]] = {}
    for each in projectors:
        by_folder.setdefault(each.folder, []).append(each)
    for path, model in models.items():
        folder = next((each for each in folders_of(model.folder) if each in by_folder), None)
        if folder is not None:
            beside = by_folder[folder]
            fitting = beside if alone(model, folder, models) else [each for each in beside if suits(each, model)]
            if fitting:
                joined[path] = min(fitting, key=lambda each: each.rank).path
    return joined


def folders_of(folder: tuple[str, ...]) -> list[tuple[str, ...]]:
    return [folder, *(folder[:length] for length in range(len(folder) - 1, 1, -1))]


def alone(model: Blind, folder: tuple[str, ...], models: Mapping[str, Blind]) -> bool:
    """Whether the folder is this model's own. A shelf is nobody's."""
    inside = {each.base for each in models.values() if each.folder[: len(folder)] == folder}
    return len(folder) > 1 and inside == {model.base}


def suits(projector: Projector, model: Blind) -> bool:
    return any(same(name, own) for name in projector.names for own in {model.base, fit(model.title)} - GENERIC)


def same(one: str, other: str) -> bool:
    """Equal, or the shorter one with more words behind it; a single word is no name yet."""
    short, long = sorted((one, other), key=len)
    return one == other or ("-" in short and long.startswith(f"{short}-"))
