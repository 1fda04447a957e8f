"""`${name}`: declared texts and numbers, put into values after the file was read as YAML."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from operator import is_

from llamaswap_py.config.environment import VARIABLE
from llamaswap_py.config.report import Report, closest
from llamaswap_py.config.scalars import spell
from llamaswap_py.config.tree import List, Map, Node, Place, Plain, Scalar, Stamp, at, inside, kind

PORT, PID, MODEL_ID = "${PORT}", "${PID}", "${MODEL_ID}"
RESERVED = ("PORT", "PID", "MODEL_ID")
NAME = re.compile(r"[a-zA-Z0-9_-]+")
USE = re.compile(r"\$\{([a-zA-Z0-9_-]+)\}")
LONGEST = 63  # bytes of a name, as in llama-swap
MOST = 1_000_000  # characters of a text; no command line may be longer on any system

Macros = Mapping[str, Plain]
Left = list[tuple[str, Scalar]]  # what still holds a use, by its path


def declared(node: Node | None, path: str, report: Report) -> dict[str, Plain]:
    """What a `macros:` block declares, in order. A wrong one still counts as known, lest its uses be wrong too."""
    if node is None or (isinstance(node, Scalar) and node.value is None):
        return {}
    if not isinstance(node, Map):
        report.wrong(node.place, path, f"macros must be a mapping, and this is {kind(node)}", "Write `name: value`.")
        return {}
    macros: dict[str, Plain] = {}
    for name, value in node.entries.items():
        key = inside(path, name)
        if name_fits(name, node.keys[name], key, report):
            macros[name] = value_of(name, value, key, report)
    return macros


def common_macros(document: Map, builtin: Macros, report: Report) -> dict[str, Plain]:
    """Those of the whole document. A built-in one comes first, so that all may use it; a declared one replaces it."""
    own = declared(at(document, "macros"), "macros", report)
    return {name: value for name, value in builtin.items() if name not in own} | own


def name_fits(name: str, place: Place, key: str, report: Report) -> bool:
    if len(name.encode("utf-8", "surrogatepass")) > LONGEST:
        report.wrong(place, key, f"the macro's name is longer than {LONGEST} characters", "Shorten it.")
        return False
    if not NAME.fullmatch(name):
        remedy = "Use letters, digits, `_` and `-` only."
        report.wrong(place, key, f"`{name}` cannot be a macro's name", remedy)
        return False
    if name in RESERVED:
        report.wrong(place, key, f"the name {name} is reserved", "Choose another name.")
        return False
    return True


def value_of(name: str, node: Node, key: str, report: Report) -> Plain:
    if not isinstance(node, Scalar) or node.value is None or isinstance(node.value, Stamp):
        remedy = "Give it a text, a number, true or false; put a date in quotes."
        report.wrong(node.place, key, "a macro's value must be a single text, number or boolean", remedy)
        return ""
    if isinstance(node.value, str) and f"${{{name}}}" in node.value:
        report.wrong(node.place, key, f"the macro `{name}` uses itself", "Remove it from its own value.")
        return ""
    return node.value


def effective(model_id: str, common: Macros, own: Macros) -> dict[str, Plain]:
    """A model's macros, the earliest first: an own one stands where the common one of its name stood."""
    return {"MODEL_ID": model_id, **common, **own}


class Filling:
    """Macros filled into a tree. What still holds a use of one afterwards is noted with its path."""

    def __init__(self, macros: Macros) -> None:
        self.macros = macros
        self.left: Left = []

    def fill(self, node: Node, path: str) -> Node:
        """Keys are left alone; a node in which nothing changed is the same node."""
        if isinstance(node, Map):
            entries = {
                name: self.fill(each, inside(path, name)) if may_use(each) else each
                for name, each in node.entries.items()
            }
            same = all(map(is_, entries.values(), node.entries.values()))
            return node if same else Map(entries, node.keys, node.place)
        if isinstance(node, List):
            items = [
                self.fill(each, inside(path, number)) if may_use(each) else each
                for number, each in enumerate(node.items)
            ]
            return node if all(map(is_, items, node.items)) else List(tuple(items), node.place)
        return self.scalar(node, path) if may_use(node) else node

    def scalar(self, node: Scalar, path: str) -> Scalar:
        value = fill(str(node.value), self.macros)
        filled = node if value == node.value else Scalar(value, spell(value), node.place, node.lines)
        if may_use(filled):
            self.left.append((path, filled))
        return filled


def may_use(node: Node) -> bool:
    """False for most there is: a single value without the sign of a macro."""
    return type(node) is not Scalar or (isinstance(node.value, str) and "${" in node.value)


def fill(text: str, macros: Macros) -> Plain:
    """From the last macro to the first, so each may use those declared before it. A text that is exactly one use
    takes the macro's type."""
    for name in reversed(list(macros)):
        use = f"${{{name}}}"
        if text == use:
            value = macros[name]
            if not isinstance(value, str):
                return value
            text = value
        elif use in text:
            filling = spell(macros[name])
            if text.count(use) * len(filling) > MOST:  # a few macros that double each other would fill the memory
                return text.ljust(MOST + 1)  # still holds the use, and is told for its length
            text = text.replace(use, filling)
    return text


class Leftovers:
    """Uses that nothing filled in. `allowed` says which reserved ones may still stand at a path."""

    def __init__(self, report: Report, known: Collection[str], allowed: Callable[[str], Collection[str]]) -> None:
        self.report = report
        self.known = known
        self.allowed = allowed

    def tell(self, left: Left) -> None:
        for path, node in left:
            self.text(node, str(node.value), path)

    def text(self, node: Scalar, text: str, path: str) -> None:
        if len(text) > MOST:
            message = f"macros make this text longer than {MOST} characters"
            self.report.wrong(node.place, path, message, "Use fewer macros within macros.")
            return
        allowed = self.allowed(path)
        for name in dict.fromkeys(USE.findall(text)):
            if name not in allowed:
                self.unfilled(name, node, path)
        for name in dict.fromkeys(VARIABLE.findall(text)):
            self.variable(name, node, path)

    def unfilled(self, name: str, node: Scalar, path: str) -> None:
        place = self.report.locate(node.place, f"${{{name}}}", node.lines)
        self.report.wrong(place, path, f"unknown macro ${{{name}}}", self.remedy(name))

    def remedy(self, name: str) -> str:
        if name == "PORT":
            return "${PORT} exists only in a model whose cmd uses it."
        if name == "PID":
            return "${PID} exists only in cmdStop."
        if name == "MODEL_ID":
            return "${MODEL_ID} exists only in models."
        if name in self.known:
            return f"Declare `{name}` before the macro that uses it."
        near = closest(name, (each for each in self.known if each not in RESERVED))
        return f"Did you mean ${{{near[0]}}}?" if near else f"Declare `{name}` under `macros:`."

    def variable(self, name: str, node: Scalar, path: str) -> None:
        remedy = "Write ${env.NAME} out in full: it is filled in before macros are."
        self.report.wrong(node.place, path, f"the environment variable {name} was not filled in", remedy)
