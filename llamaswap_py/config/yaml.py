"""YAML text to a tree with places. PyYAML finds the structure; what a word means is decided by our own rules."""

from __future__ import annotations

from operator import is_
from typing import Any

import yaml
from yaml import MappingNode, ScalarNode, SequenceNode

from llamaswap_py.config.report import Report, Source
from llamaswap_py.config.scalars import resolve
from llamaswap_py.config.tree import List, Map, Node, Place, Plain, Scalar, inside, kind

UNTAGGED = "untagged"
STR = "tag:yaml.org,2002:str"
MERGE = "<<"
DEEPEST = 100  # levels; keeps our recursion, and a value that contains itself, far from Python's limit
MOST = 100_000  # nodes after aliases are written out; the largest real file known has a few thousand


TAGS = {ScalarNode: UNTAGGED, SequenceNode: "tag:yaml.org,2002:seq", MappingNode: "tag:yaml.org,2002:map"}


def composer(parser: type) -> Any:
    """`parser` without YAML 1.1's ideas of what a plain word is, and without the steps it takes at each node to look
    for them: what must be there for it to call costs no Python."""
    own = {
        "resolve": lambda _, kind, *__: TAGS[kind],
        "descend_resolver": staticmethod(is_),
        "ascend_resolver": staticmethod(bool),
    }
    return type("Composer", (parser,), own)


PURE = composer(yaml.SafeLoader)
FAST = composer(getattr(yaml, "CSafeLoader", yaml.SafeLoader))


def parse(source: Source, report: Report, loader: Any = FAST) -> Node | None:
    """The first document of a file; None where it is empty, or where it cannot be read at all (then it is reported)."""
    try:
        reader = loader(source.text.removeprefix("\ufeff"))
        raw = reader.get_node() if reader.check_node() else None
    except yaml.YAMLError as error:
        syntax(source, report, error)
        return None
    except RecursionError:
        report.wrong(Place(source.path, 0, 0), "", "the values are nested too deeply", "Flatten the file.")
        return None
    return None if raw is None else Builder(source.path, report).build(raw, "", "", 0)


REMEDIES = (
    ("cannot start any token", "Put the value in quotes."),
    ("mapping values are not allowed", "Put a value that contains ': ' in quotes, and check the indentation."),
    ("did not find expected key", "Check the indentation of this line and of the one above it."),
    ("expected <block end>", "Check the indentation of this line and of the one above it."),
    ("could not find expected ':'", "Write `key: value`, or indent the line if it belongs to the value above."),
    ("undefined alias", "Define it before its use with `&name`, or put the value in quotes."),
    ("scanning a quoted scalar", "Close the quotes."),
    ("flow", "Close the bracket, or put the value in quotes."),
)


def syntax(source: Source, report: Report, error: yaml.YAMLError) -> None:
    mark = getattr(error, "problem_mark", None)
    place = Place(source.path, mark.line + 1, mark.column + 1) if mark else Place(source.path, 0, 0)
    problem = getattr(error, "problem", None) or str(error).splitlines()[0]
    context = getattr(error, "context", None)
    words = f"{context}: {problem}" if context else problem
    row = report.texts[source.path].splitlines()[mark.line : mark.line + 1] if mark else []
    remedy = next((each for sign, each in REMEDIES if sign in words), "Correct the YAML here.")
    if row and "\t" in row[0][: len(row[0]) - len(row[0].lstrip())]:
        remedy = "Indent with spaces: YAML does not allow tabs there."
    report.wrong(place, "", f"this is not valid YAML ({words})", remedy)


class Builder:
    """One file's raw nodes to ours."""

    def __init__(self, file: str, report: Report) -> None:
        self.file = file
        self.report = report
        self.count = 0

    def place(self, raw: Any) -> Place:
        mark = raw.start_mark
        return Place(self.file, mark.line + 1, mark.column + 1)

    def build(self, raw: Any, above: str, step: str | int, depth: int) -> Node:
        """What stands at `step` inside `above`: most are single values, and nobody needs the whole path of those."""
        self.count += 1
        if depth > DEEPEST or self.count > MOST:
            return self.refused(raw, inside(above, step))
        if isinstance(raw, ScalarNode):
            return Scalar(typed(raw), raw.value, self.place(raw), raw.end_mark.line - raw.start_mark.line + 1)
        path = inside(above, step)
        if isinstance(raw, SequenceNode):
            items = [self.build(item, path, number, depth + 1) for number, item in enumerate(raw.value)]
            return List(tuple(items), self.place(raw))
        return self.mapping(raw, path, depth)

    def refused(self, raw: Any, path: str) -> Scalar:
        place = self.place(raw)
        if self.count <= MOST + 1:
            message = "the values are nested too deeply or repeated too often"
            self.report.wrong(place, path, message, "Use fewer anchors.")
        return Scalar(None, "", place)

    def mapping(self, raw: Any, path: str, depth: int) -> Map:
        entries: dict[str, Node] = {}
        keys: dict[str, Place] = {}
        merged: set[str] = set()  # came in through `<<`, so an own key of that name is no duplicate
        for raw_key, raw_value in raw.value:
            place = self.place(raw_key)
            if not isinstance(raw_key, ScalarNode):
                self.report.wrong(place, path, "a list or a mapping stands where a key belongs", "Put it in quotes.")
                continue
            name = raw_key.value
            if name == MERGE and plain(raw_key):
                self.merge(self.build(raw_value, path, MERGE, depth + 1), entries, keys, merged)
                continue
            if name in keys:
                if name not in merged:
                    self.duplicate(place, inside(path, name), keys[name])
                    continue
                merged.discard(name)
            entries[name] = self.build(raw_value, path, name, depth + 1)
            keys[name] = place
        return Map(entries, keys, self.place(raw))

    def merge(self, node: Node, entries: dict[str, Node], keys: dict[str, Place], merged: set[str]) -> None:
        """What stands beside `<<` wins over what comes in through it, and the first of several over the later ones."""
        for each in node.items if isinstance(node, List) else (node,):
            if not isinstance(each, Map):
                remedy = "Name a mapping, as `<<: *anchor`, or a list of them."
                self.report.wrong(each.place, MERGE, f"`<<` needs a mapping, and this is {kind(each)}", remedy)
                continue
            for name, value in each.entries.items():
                if name not in entries:
                    entries[name], keys[name] = value, each.keys[name]
                    merged.add(name)

    def duplicate(self, place: Place, key: str, first: Place) -> None:
        remedy = "Remove one of the two, or give it another name."
        self.report.wrong(place, key, f"this key is already set in line {first.line}", remedy)


def plain(raw: Any) -> bool:
    return raw.tag == UNTAGGED and not raw.style


def typed(raw: Any) -> Plain:
    if raw.style or raw.tag == STR:
        return str(raw.value)
    return resolve(raw.value)
