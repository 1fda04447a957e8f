"""`${env.NAME}`: variables of the environment, put into a file's text before it is read as YAML."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from llamaswap_py.config.mask import SECRET_NAME
from llamaswap_py.config.report import Report, Source
from llamaswap_py.config.tree import List, Node, Place, Scalar, inside
from llamaswap_py.config.yaml import parse

VARIABLE = re.compile(r"\$\{env\.([a-zA-Z_][a-zA-Z0-9_]*)\}")
UNDECODED = re.compile("[\ud800-\udfff]")  # how Python holds bytes that are not UTF-8
PASSES = 2  # a variable's own text may name further variables once


def substitute(source: Source, env: Mapping[str, str], report: Report) -> Source:
    """The same file with every variable's text in its place."""
    for _ in range(PASSES):
        if not VARIABLE.search(source.text):
            break
        wanted = required(source)
        check(wanted, env, report)
        report.hidden.update(env.get(name, "") for name in VARIABLE.findall(source.text) if SECRET_NAME.search(name))
        source = Source(source.path, VARIABLE.sub(lambda found: text_of(found, env), source.text))
    return source


def required(source: Source) -> dict[str, tuple[Place, str]]:
    """The variables that must be set, with where each is used first. One that only a comment names is not needed;
    comments are told apart by reading the file. Where that fails every name counts; where it succeeds in part, every
    name but those in lines of comment, because what was not understood may vanish once it is filled in."""
    attempt = Report([source])
    tree = parse(source, attempt)
    wanted: dict[str, tuple[Place, str]] = {}
    if tree is None or attempt.mistakes:
        for found in VARIABLE.finditer(source.text):
            start = source.text.rfind("\n", 0, found.start()) + 1
            if tree is None or not source.text[start : found.start()].lstrip().startswith("#"):
                place = Place(source.path, source.text.count("\n", 0, start) + 1, found.start() - start + 1)
                wanted.setdefault(found[1], (place, ""))
    for text, path in texts(tree, "") if tree is not None else ():
        for name in VARIABLE.findall(text.text):
            if name not in wanted:
                wanted[name] = (attempt.locate(text.place, f"${{env.{name}}}", text.lines), path)
    return wanted


def texts(node: Node, path: str) -> Iterator[tuple[Scalar, str]]:
    """Every key and every single value."""
    if isinstance(node, Scalar):
        yield node, path
    elif isinstance(node, List):
        for number, item in enumerate(node.items):
            yield from texts(item, inside(path, number))
    else:
        for name, value in node.entries.items():
            yield Scalar(name, name, node.keys[name]), inside(path, name)
            yield from texts(value, inside(path, name))


def check(wanted: Mapping[str, tuple[Place, str]], env: Mapping[str, str], report: Report) -> None:
    for name, (place, path) in wanted.items():
        value = env.get(name)
        if value is None:
            remedy = f"Set {name} before starting, or write the value here."
            report.wrong(place, path, f"the environment variable {name} is not set", remedy)
        elif any(sign in value for sign in "\r\n\0"):
            remedy = f"Give {name} a value of one line."
            report.wrong(place, path, f"the environment variable {name} holds more than one line", remedy)
        elif UNDECODED.search(value):
            remedy = f"Give {name} a value in UTF-8."
            report.wrong(place, path, f"the environment variable {name} holds bytes that are no text", remedy)


def text_of(found: re.Match[str], env: Mapping[str, str]) -> str:
    """Escaped for double quotes, which is where values with odd characters belong. What cannot be filled in is told
    elsewhere; `0` keeps most values readable, so that the mistakes after it are found too."""
    value = env.get(found[1])
    if value is None or any(sign in value for sign in "\r\n\0") or UNDECODED.search(value):
        return "0"
    return value.replace("\\", "\\\\").replace('"', '\\"')
