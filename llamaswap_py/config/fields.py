"""One mapping read by the schema: known keys give values of their kind, unknown ones a warning."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from llamaswap_py.config.kinds import READERS, Spot, read_map
from llamaswap_py.config.report import Report, closest
from llamaswap_py.config.schema import ANY_NAME, KEYS_IN, NOT_YET, Key
from llamaswap_py.config.tree import Map, Node, Place, Scalar, inside

FREE = "x-"  # a top-level key that begins so is the operator's own, a place for anchors


def says_something(node: Node | None) -> bool:
    """False for what asks for nothing: null and false."""
    return isinstance(node, Scalar) and node.value is not None and node.value is not False


class Fields:
    """`section` is the mapping's path in the schema, `path` the one in the file."""

    def __init__(self, node: Node | None, section: str, path: str, report: Report) -> None:
        self.node = read_map(node, path, report)
        self.section = section
        self.path = path
        self.report = report
        self.entries: Mapping[str, Node] = self.node.entries if self.node else {}
        self.keys = KEYS_IN[section]
        for name, value in self.entries.items():
            key = self.keys.get(name)
            if key is None:
                self.unknown(name)
            elif key.path in NOT_YET and says_something(value):
                self.missed(key, name)

    def unknown(self, name: str) -> None:
        if not self.section and name.startswith(FREE):
            return
        message = "this key is unknown here and has no effect"
        self.report.warn(self.place(name), inside(self.path, name), message, self.home(name))

    def home(self, name: str) -> str:
        """Where an unknown key would be known, or which known one it resembles."""
        near = closest(name, self.keys)
        if near:
            return f"Did you mean `{near[0]}`?"
        sections = [section for section, keys in KEYS_IN.items() if name in keys]
        if sections:
            place = sections[0].replace(ANY_NAME, "<name>")
            return f"It belongs under `{place}`." if place else "It belongs at the top of the file."
        return "Remove it; the documentation lists the keys there are."

    def missed(self, key: Key, name: str) -> None:
        """Said once for all models: a file that uses it uses it often."""
        message = f"this version does not act on `{name}` yet"
        self.report.warn_once(key.path, self.place(name), inside(self.path, name), message, "It may stay in the file.")

    def place(self, name: str) -> Place:
        """Where the key stands; where the mapping begins if it does not."""
        if self.node is None:
            return Place("", 0, 0)
        return self.node.keys.get(name, self.node.place)

    def get(self, name: str) -> Node | None:
        return self.entries.get(name)

    def value(self, name: str) -> Any:
        """As the schema's kind says, or its default."""
        key, node = self.keys[name], self.entries.get(name)
        if node is None:
            return key.default
        found = READERS[key.kind](node, Spot(key, self.path, name, self.report))
        return key.default if found is None else found

    def child(self, name: str) -> Fields:
        """The mapping under a key of the schema."""
        return Fields(self.get(name), inside(self.section, name), inside(self.path, name), self.report)

    def named(self, name: str) -> Map:
        """The mapping under a key whose entries' names the operator chose."""
        found = read_map(self.get(name), inside(self.path, name), self.report)
        return Map({}, {}, Place("", 0, 0)) if found is None else found

    def wrong(self, name: str, message: str, remedy: str) -> None:
        node = self.get(name)
        place = node.place if node else self.place(name)
        self.report.wrong(place, inside(self.path, name), message, remedy)

    def warn(self, name: str, message: str, remedy: str) -> None:
        node = self.get(name)
        place = node.place if node else self.place(name)
        self.report.warn(place, inside(self.path, name), message, remedy)
