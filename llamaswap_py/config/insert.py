"""One more model in a text that a person wrote: lines are put in, every other byte stays. What cannot be done so is
said, not forced."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
import yaml

from llamaswap_py.config.report import Report, Source
from llamaswap_py.config.tree import Map, Node, Scalar, at
from llamaswap_py.config.write import ShortLists, dump
from llamaswap_py.config.yaml import FAST, parse
from llamaswap_py.errors import Mistake

SECTION = "models"
MARK = "\ufeff"
OUTSIDE = (yaml.StreamStartEvent, yaml.DocumentStartEvent, yaml.StreamEndEvent)


class NotInsertable(Exception):
    """A sentence that says what a person can do instead."""


class Inserted(msgspec.Struct, frozen=True):
    text: str
    line: int  # of the entry's name, 1-based
    count: int  # lines that were put in


class Section(msgspec.Struct, frozen=True):
    """Where the models stand: offsets into the text."""

    kind: str  # absent, blank, alias, block, flow
    end: int  # behind the last thing of it that is no comment
    begin: int = 0  # of its value
    column: int = 0  # of its own key
    inner: int = 0  # of its entries
    is_empty: bool = False


def with_model(text: str, model: str, keys: Mapping[str, Any]) -> Inserted:
    """Raises NotInsertable where the entry has no place that can be told, or its name is taken."""
    before = tree_of(text)
    if at(before, SECTION, model) is not None:
        raise NotInsertable(f"there is already a model {model}; choose another name")
    body = text.removeprefix(MARK)
    made = put(body, section_of(body), model, keys)
    made = Inserted(text[: len(text) - len(body)] + made.text, made.line, made.count)
    if not is_one_more(before, parsed(made.text)[0], model):
        raise NotInsertable("what stands under `models` cannot be added to without changing the rest; write it there")
    return made


def put(text: str, section: Section, model: str, keys: Mapping[str, Any]) -> Inserted:
    if section.kind == "alias":
        raise NotInsertable("`models` is an alias of something else; add the model where that is written")
    if section.kind == "flow" and not section.is_empty:
        return in_braces(text, section, model, keys)
    if section.kind == "absent":
        return as_lines(text, section.end, entry_lines(model, keys, 0, 2, headed=True), model)
    if section.kind in ("blank", "flow"):  # nothing stands there, or nothing within braces
        text = text[: section.begin].rstrip(" ") + text[section.end :]
        lines = entry_lines(model, keys, section.column + 2, 2)
        return as_lines(text, len(text[: section.begin].rstrip(" ")), lines, model)
    step = max(section.inner - section.column, 2)
    return as_lines(text, section.end, entry_lines(model, keys, section.inner, step), model, section)


def entry_lines(model: str, keys: Mapping[str, Any], indent: int, step: int, headed: bool = False) -> list[str]:
    written = dump({SECTION: {model: dict(keys)}} if headed else {model: dict(keys)}, step, ShortLists)
    return [f"{' ' * indent}{line}".rstrip() for line in written.splitlines()]


def as_lines(text: str, end: int, lines: list[str], model: str, section: Section | None = None) -> Inserted:
    """Below the line in which `end` lies, and below the comments that belong to what stands there."""
    newline = "\r\n" if "\r\n" in text else "\n"
    place = next_line(text, end)
    while section is not None and is_remark_within(line_at(text, place), section.inner):
        place = line_end(text, place)
    head, tail = text[:place], text[place:]
    if head and not head.endswith("\n"):
        head += newline
    spaced = section is not None and "\n\n" in text[section.begin : place].replace("\r", "")
    headed = section is None and lines[0] == f"{SECTION}:"
    added = [*([""] if spaced or (headed and head.strip()) else []), *lines]
    made = head + "".join(f"{line}{newline}" for line in added) + tail
    name = len(added) - len(lines) + (1 if headed else 0)
    return Inserted(made, head.count("\n") + name + 1, len(added))


def in_braces(text: str, section: Section, model: str, keys: Mapping[str, Any]) -> Inserted:
    """JSON is YAML between braces."""
    entry = f"{json.dumps(model, ensure_ascii=False)}: {json.dumps(keys, ensure_ascii=False)}"
    closing = section.end - 1
    head = text[:closing].rstrip()
    made = f"{head}{'' if head.endswith(',') else ','} {entry}{text[len(head) : closing]}{text[closing:]}"
    return Inserted(made, head.count("\n") + 1, 1)


def next_line(text: str, place: int) -> int:
    """Where the line after the one of `place` begins; a place at a line's very beginning is behind the line before."""
    if place and text[place - 1] == "\n":
        while text[:place].endswith(("\n\n", "\n\r\n")):  # blank lines that a block of text has swallowed
            place = len(text[:place].removesuffix("\n").removesuffix("\r"))
        return place
    return line_end(text, place)


def line_end(text: str, place: int) -> int:
    found = text.find("\n", place)
    return len(text) if found < 0 else found + 1


def line_at(text: str, place: int) -> str:
    return text[place:].partition("\n")[0]


def is_remark_within(line: str, column: int) -> bool:
    """A comment that is indented further than the entries belongs to the last of them."""
    stripped = line.lstrip(" ")
    return stripped.startswith("#") and len(line) - len(stripped) > column


# -- where it stands


def section_of(text: str) -> Section:
    events = list(first_document(text))
    if not events or (isinstance(events[0], yaml.ScalarEvent) and not events[0].value):
        return Section("absent", len(text.rstrip()))
    root = events[0]
    if not isinstance(root, yaml.MappingStartEvent):
        raise NotInsertable("the file must hold keys such as `models:`; correct that first")
    last = 0
    for key, value in pairs(events, 1):
        if isinstance(key[0], yaml.ScalarEvent) and key[0].value == SECTION:
            return described(key[0], value)
        last = end_of(value)
    if root.flow_style:
        raise NotInsertable('the file is written in braces and has no `models`; write `"models": {}` into it first')
    return Section("absent", last)


def first_document(text: str) -> Iterator[Any]:
    """What is within it."""
    for event in yaml.parse(text, Loader=FAST):
        if isinstance(event, yaml.DocumentEndEvent):
            return
        if not isinstance(event, OUTSIDE):
            yield event


def pairs(events: list[Any], start: int) -> Iterator[tuple[list[Any], list[Any]]]:
    """Key and value of a mapping that begins before `start`, each as the events that it is made of."""
    while start < len(events) and not isinstance(events[start], yaml.MappingEndEvent):
        middle = after(events, start)
        end = after(events, middle)
        yield events[start:middle], events[middle:end]
        start = end


def after(events: list[Any], start: int) -> int:
    depth = 0
    for number in range(start, len(events)):
        depth += isinstance(events[number], yaml.CollectionStartEvent)
        depth -= isinstance(events[number], yaml.CollectionEndEvent)
        if not depth:
            return number + 1
    return len(events)  # pragma: no cover - a document that was read ends what it begins


def described(key: Any, value: list[Any]) -> Section:
    first, column = value[0], key.start_mark.column
    begin, end = key.end_mark.index + 1, end_of(value)
    if isinstance(first, yaml.AliasEvent):
        return Section("alias", end)
    if isinstance(first, yaml.ScalarEvent):
        return Section("blank", max(begin, end), begin, column)
    if not isinstance(first, yaml.MappingStartEvent):
        raise NotInsertable("`models` must hold models by their names; correct that first")
    if first.flow_style:
        return Section("flow", end, begin, column, is_empty=len(value) == 2)
    return Section("block", end, begin, column, value[1].start_mark.column)


def end_of(value: list[Any]) -> int:
    """Behind the last thing that is written: a block's own end lies behind the comments that follow it."""
    written = [each for each in value if not isinstance(each, yaml.CollectionEndEvent) or is_brace(each)]
    return int(written[-1].end_mark.index)


def is_brace(event: Any) -> bool:
    return bool(event.end_mark.index > event.start_mark.index)


# -- whether it went well


def parsed(text: str) -> tuple[Node | None, list[Mistake]]:
    source = Source("", text)
    report = Report([source])
    return parse(source, report), report.mistakes


def tree_of(text: str) -> Node | None:
    tree, mistakes = parsed(text)
    if mistakes:
        raise NotInsertable(f"line {mistakes[0].line}: {mistakes[0].message}; correct that first")
    return tree


def is_one_more(before: Node | None, now: Node | None, model: str) -> bool:
    """Nothing says anything else than before, but for the one entry."""
    old, new = plain(before) or {}, plain(now) or {}
    models = dict(new.get(SECTION) or {})
    came = models.pop(model, None)
    return came is not None and (new | {SECTION: models}) == (old | {SECTION: old.get(SECTION) or {}})


def plain(node: Node | None) -> Any:
    """The values without their places."""
    if isinstance(node, Map):
        return {name: plain(each) for name, each in node.entries.items()}
    if isinstance(node, Scalar):
        return None if node.value is None else (type(node.value), node.text)
    return None if node is None else [plain(each) for each in node.items]
