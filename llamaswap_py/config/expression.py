"""The language of the matrix: which models may be up together, as `a & (b | c)`. Text in, a tree or one mistake out."""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

DEEPEST = 100  # brackets within brackets; keeps our recursion far from Python's limit


class Name(msgspec.Struct, frozen=True):
    """One model, by its short name or id."""

    name: str


class Use(msgspec.Struct, frozen=True):
    """What another set allows: `+name`."""

    name: str


class Both(msgspec.Struct, frozen=True):
    """All of them together: `&`. Two parts at least."""

    parts: tuple[Expression, ...]


class Either(msgspec.Struct, frozen=True):
    """One of them: `|`. Two parts at least."""

    parts: tuple[Expression, ...]


Expression = Name | Use | Both | Either

# A name is letters and digits of any script, `_`, `-` and `.`; white space separates, but not `+` from its name.
TOKEN = re.compile(r"\s*(?P<token>\+?[\w.\-]+|[&|()])")


class Unreadable(Exception):
    """Why a text is no expression, and the remedy. Never leaves the room: whoever parses tells it in the report."""

    def __init__(self, message: str, remedy: str, name: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy
        self.name = name  # of the set, where several were looked at


def parse(text: str) -> Expression:
    """Raises Unreadable at the first thing that does not fit. Positions count from 1 in the trimmed text."""
    text = text.strip()
    if not text:
        raise Unreadable("the expression is empty", "Write names joined by `&` and `|`.")
    reader = Reader(text)
    found = reader.either(0)
    if reader.at < len(reader.tokens):
        raise Unreadable(f"`{reader.tokens[reader.at]}` stands after the end", "Join names by `&` or `|`.")
    return found


def split(text: str) -> Iterator[str]:
    at = 0
    while at < len(text):
        found = TOKEN.match(text, at)
        if not found:
            raise unexpected(text, at)
        yield found["token"]
        at = found.end()


def unexpected(text: str, at: int) -> Unreadable:
    at = at + len(text[at:]) - len(text[at:].lstrip())
    if text[at] == "+":
        return Unreadable(f"no set's name follows the `+` at position {at + 1}", "Write `+name` without a space.")
    message = f"`{text[at]}` at position {at + 1} has no meaning here"
    return Unreadable(message, "Give a model whose id has such a character a short name under `vars`.")


class Reader:
    """Goes along the tokens; `at` is the next one."""

    def __init__(self, text: str) -> None:
        self.tokens = list(split(text))
        self.at = 0

    def either(self, depth: int) -> Expression:
        parts = [self.both(depth)]
        while self.takes("|"):
            parts.append(self.both(depth))
        return parts[0] if len(parts) == 1 else Either(tuple(parts))

    def both(self, depth: int) -> Expression:
        parts = [self.one(depth)]
        while self.takes("&"):
            parts.append(self.one(depth))
        return parts[0] if len(parts) == 1 else Both(tuple(parts))

    def takes(self, token: str) -> bool:
        found = self.at < len(self.tokens) and self.tokens[self.at] == token
        self.at += found
        return found

    def one(self, depth: int) -> Expression:
        if self.at == len(self.tokens):
            raise Unreadable("the expression ends where a name should follow", "Write a name, or remove the last sign.")
        if depth > DEEPEST:
            raise Unreadable("there are too many brackets within brackets", "Make a set of a part, and use `+name`.")
        token = self.tokens[self.at]
        if self.takes("("):
            found = self.either(depth + 1)
            if not self.takes(")"):
                raise Unreadable("a bracket is not closed", "Write the missing `)`.")
            return found
        if token in ("&", "|", ")"):
            raise Unreadable(f"`{token}` stands where a name should", "Write a name before it, or remove it.")
        self.at += 1
        return Use(token[1:]) if token[0] == "+" else Name(token)


def uses(expression: Expression) -> list[str]:
    """The sets it refers to, in their order."""
    if isinstance(expression, Both | Either):
        return [name for part in expression.parts for name in uses(part)]
    return [expression.name] if isinstance(expression, Use) else []


def names(expression: Expression) -> list[str]:
    """The models it names, in their order."""
    if isinstance(expression, Both | Either):
        return [name for part in expression.parts for name in names(part)]
    return [expression.name] if isinstance(expression, Name) else []


def evaluation_order(sets: dict[str, Expression]) -> list[str]:
    """As written, but what a set uses comes before it."""
    order: dict[str, None] = {}
    entered: set[str] = set()

    def visit(name: str) -> None:
        if name in entered or name not in sets:
            return
        entered.add(name)
        for used in uses(sets[name]):
            visit(used)
        order[name] = None

    for name in sets:
        visit(name)
    return list(order)


def check_uses(sets: dict[str, Expression]) -> None:
    """Raises Unreadable where a set leads back to itself, or through more sets than anybody writes by hand."""
    done: set[str] = set()
    trail: dict[str, None] = {}

    def visit(name: str) -> None:
        if name in trail:
            way = [*trail, name]
            shown = " uses ".join(f"`{each}`" for each in way[way.index(name) :])
            raise Unreadable(f"the sets go in a circle: {shown}", "Write one of them out.", name)
        if name in done or name not in sets:
            return
        if len(trail) > DEEPEST:
            raise Unreadable("the sets use each other too deeply", "Write some of them out.", name)
        trail[name] = None
        for used in uses(sets[name]):
            visit(used)
        trail.pop(name)
        done.add(name)

    for name in sets:
        visit(name)
