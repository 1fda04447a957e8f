"""Flags of one model's command, set in a text that a person wrote: what they are given changes, every other byte stays.
What cannot be done so is said, not forced."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import yaml

from llamaswap_py.config.command import argv, option
from llamaswap_py.config.insert import MARK, SECTION, NotInsertable, first_document, pairs, plain, tree_of
from llamaswap_py.config.tree import Node, Scalar, at

CMD = "cmd"
VALUE = r"(?P<gap>=|\s+)(?P<value>\"[^\"]*\"|'[^']*'|[^\s\"']+)"

NUMBERS = re.compile(r"-?[\d.,]+|auto|all|\$\{[^}]*\}")

Flags = Mapping[tuple[str, ...], str]  # the spellings of each, and what it shall be given


class NotEditable(Exception):
    """A sentence that says what a person can do instead."""


def with_flags(text: str, model: str, flags: Flags) -> str:
    """Raises NotEditable where the command has no place that can be told, and NotInsertable where it is no YAML."""
    before = tree_of(text)
    body = text.removeprefix(MARK)
    command = command_of(body, model)
    start, end = command.start_mark.index, command.end_mark.index
    written = body[start:end]
    for names, value in flags.items():
        written = with_flag(written, command.style, names, value)
    made = text[: len(text) - len(body)] + body[:start] + written + body[end:]
    if not says(before, made, model, flags):
        raise NotEditable(f"the command of {model} cannot be changed without changing the rest; do it by hand")
    return made


def command_of(text: str, model: str) -> Any:
    """The event of the text that `cmd` is."""
    found: Sequence[Any] = list(first_document(text))
    for key in (SECTION, model, CMD):
        if not found or not isinstance(found[0], yaml.MappingStartEvent):
            raise NotEditable(f"{model} is not written down here with a `cmd` of its own; set the flags where it is")
        found = next((value for name, value in pairs(list(found), 1) if is_named(name, key)), ())
    if not found or not isinstance(found[0], yaml.ScalarEvent):
        raise NotEditable(f"{model} is not written down here with a `cmd` of its own; set the flags where it is")
    return found[0]


def is_named(key: Sequence[Any], name: str) -> bool:
    return isinstance(key[0], yaml.ScalarEvent) and key[0].value == name


def with_flag(written: str, style: str | None, names: tuple[str, ...], value: str) -> str:
    """Wherever it stands already; else at the end, where it overrules whatever a macro brings along. What is given no
    number (`sh -c '…'`) is another program's."""
    spelled = "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True))
    flag = re.compile(rf"(?<![^\s\"'|>])(?:{spelled}){VALUE}")
    places = [match.span("value") for match in flag.finditer(written) if not is_remark(written, match.start())]
    if not places:
        return appended(written, style, f"{names[0]} {value}")
    for begin, end in reversed(places):
        if NUMBERS.fullmatch(written[begin:end].strip("\"'")) is None:
            raise NotEditable(f"{' or '.join(names)} means something else in this command; do it by hand")
        written = written[:begin] + value + written[end:]
    return written


def is_remark(written: str, place: int) -> bool:
    line = written.rfind("\n", 0, place) + 1
    return written[line:place].lstrip().startswith("#")


def appended(written: str, style: str | None, words: str) -> str:
    if style in ("|", ">"):
        lines = written.rstrip().split("\n")
        indent = next((line[: len(line) - len(line.lstrip())] for line in content(lines)), "")
        return "\n".join([*lines, f"{indent}{words}"]) + (written[len(written.rstrip()) :] or "\n")
    quote = written[-1] if style else ""
    return f"{written.removesuffix(quote)} {words}{quote}"


def content(lines: Sequence[str]) -> Iterator[str]:
    """Of a block, from the last line on, without its head."""
    return (line for line in reversed(lines[1:]) if line.strip())


def says(before: Node | None, made: str, model: str, flags: Flags) -> bool:
    """The flags are as they shall be, and nothing else says anything new."""
    try:
        after = tree_of(made)
    except NotInsertable:
        return False
    command = at(after, SECTION, model, CMD)
    words = argv(command.text) if isinstance(command, Scalar) else []
    old, new = plain(before), plain(after)
    for tree in (old, new):
        tree[SECTION][model].pop(CMD)
    return old == new and all(option(words, *names) == value for names, value in flags.items())
