"""What a YAML text says, as immutable nodes that remember their places. Nothing here knows what a key means."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec


class Place(msgspec.Struct, frozen=True):
    file: str
    line: int  # 1-based; 0 where the file as a whole is meant
    column: int


class Stamp(msgspec.Struct, frozen=True):
    """An unquoted date or time. Kept as written: only its type matters to us."""

    text: str


Plain = bool | int | float | str | Stamp | None


class Scalar(msgspec.Struct, frozen=True):
    value: Plain
    text: str  # as written, quotes and folding undone
    place: Place
    lines: int = 1  # of the file, from its place on

    @property
    def blank(self) -> bool:
        """Nothing stands after the colon. `null` and `~` are not blank."""
        return self.value is None and not self.text


class List(msgspec.Struct, frozen=True):
    items: tuple[Node, ...]
    place: Place


class Map(msgspec.Struct, frozen=True):
    entries: Mapping[str, Node]  # in the order written; keys are their text, whatever type YAML gives them
    keys: Mapping[str, Place]
    place: Place


Node = Scalar | List | Map

KIND = {Scalar: "a single value", List: "a list", Map: "a mapping"}


def kind(node: Node) -> str:
    return KIND[type(node)]


def at(node: Node | None, *path: str | int) -> Node | None:
    """The node under `path`, or None where there is none."""
    for step in path:
        if isinstance(node, Map) and isinstance(step, str):
            node = node.entries.get(step)
        elif isinstance(node, List) and isinstance(step, int):
            node = node.items[step] if step < len(node.items) else None
        else:
            return None
    return node


def inside(path: str, step: str | int) -> str:
    """The dotted spelling of one step further down."""
    if isinstance(step, int):
        return f"{path}[{step}]"
    return f"{path}.{step}" if path else step
