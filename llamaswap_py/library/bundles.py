"""Files put together: the parts of a split model, and links that lead to one file. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import PurePath

import msgspec
from msgspec.structs import replace

from llamaswap_py.library.files import File
from llamaswap_py.library.naming import Name, Part, given_name, name_of, part_of, split_quant, stem_of


class Bundle(msgspec.Struct, frozen=True):
    """The files of one model in their order. All stand in one folder."""

    stem: str
    files: tuple[File, ...]
    missing: tuple[str, ...] = ()  # names of files
    links: tuple[str, ...] = ()  # other names that lead to the same files

    @property
    def first(self) -> File:
        return self.files[0]

    @property
    def identity(self) -> tuple[tuple[int, int], ...]:
        return tuple(file.identity for file in self.files)

    def name(self, quant: str) -> Name:
        """`quant` is what the header says."""
        given, folder = self.first.given, self.first.folder
        name = given_name(given) if given else name_of(self.stem, folder, quant)
        return replace(name, other=(*name.other, *self.links))


def bundles(files: Sequence[File]) -> list[Bundle]:
    """What is no link comes first, for its name was chosen with the file."""
    made = [*singles(files), *sets(files)]
    return sorted(made, key=lambda each: each.first.is_link)


def singles(files: Iterable[File]) -> list[Bundle]:
    return [Bundle(stem_of(leaf(file)), (file,)) for file in files if part_of(leaf(file)) is None]


def leaf(file: File) -> str:
    """What a store calls a file says nothing, where it gives the model a name of its own."""
    return PurePath(file.path).name


def sets(files: Iterable[File]) -> list[Bundle]:
    together: dict[tuple[tuple[str, ...], str, int], dict[int, tuple[Part, File]]] = {}
    for file in files:
        part = part_of(leaf(file))
        if part is not None:
            together.setdefault((file.folder, part.stem, part.count), {})[part.number] = part, file
    return [put_together(stem, count, found) for (_, stem, count), found in together.items()]


def put_together(stem: str, count: int, found: dict[int, tuple[Part, File]]) -> Bundle:
    missing = tuple(
        f"{stem}-{number:05}-of-{count:05}.gguf" for number in range(1, min(count, 99_999) + 1) if number not in found
    )
    return Bundle(stem, tuple(found[number][1] for number in sorted(found)), missing)


def without_doubles(found: Iterable[Bundle]) -> list[Bundle]:
    """A second way to the same files is another name of the model, and no second model."""
    kept: dict[tuple[tuple[int, int], ...], Bundle] = {}
    for bundle in found:
        first = kept.get(bundle.identity)
        kept[bundle.identity] = replace(first, links=(*first.links, *names_of_link(bundle))) if first else bundle
    return list(kept.values())


def names_of_link(bundle: Bundle) -> tuple[str, ...]:
    if bundle.first.given:
        name = given_name(bundle.first.given)
        return name.base, *name.other
    return (bundle.stem if split_quant(bundle.stem)[0] else bundle.name("").written,)
