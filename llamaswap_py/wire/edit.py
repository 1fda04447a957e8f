"""Change some values of a JSON body by their paths; every byte of what is not changed stays as it came.
A path is `a.b.0`: dots go down, a backslash takes the next character as it is, a number counts in lists."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from functools import lru_cache

import msgspec

from llamaswap_py.errors import BadRequest

BLANK = b" \t\r\n"
STRING = rb'"(?:[^"\\]++|\\.)*+"'
TOKEN = re.compile(STRING + rb"|[{}\[\],:]", re.DOTALL)
BRACKET = re.compile(STRING + rb"|[{}\[\]]", re.DOTALL)
LONGEST = 5  # digits of a place in a list and one; a path beyond it is a slip, and would fill the memory
APPEND = -1  # as a list's index: after its last place


class Step(msgspec.Struct, frozen=True):
    """One step of a path. `number` is the place it means where it meets a list."""

    name: str
    number: int | None = None


@lru_cache(1024)
def steps(path: str) -> tuple[Step, ...]:
    """A step that begins with `:` is a name, even if it is a number."""
    names, escaped = [""], False
    for sign in path:
        if not escaped and sign in ".\\":
            escaped = sign == "\\"
            names += [] if escaped else [""]
        else:
            names[-1] += sign
            escaped = False
    return tuple(Step(name[1:]) if name.startswith(":") else Step(name, number(name)) for name in names)


def number(name: str) -> int | None:
    if name == str(APPEND):
        return APPEND
    return int(name) if name.isascii() and name.isdigit() and len(name) < LONGEST else None


class Piece:
    """What stands between two commas. `value` is its bytes, or what they hold once somebody looked inside."""

    __slots__ = ("after", "before", "name", "value")

    def __init__(self, name: str | None, before: bytes, value: bytes | Holder, after: bytes = b"") -> None:
        self.name = name
        self.before = before
        self.value = value
        self.after = after

    def opened(self) -> Holder | None:
        """What it holds; None where it is a single value."""
        if isinstance(self.value, bytes) and self.value[:1] in (b"{", b"["):
            self.value, _ = read(self.value, 0)
        return self.value if isinstance(self.value, Holder) else None

    def written(self) -> bytes:
        value = self.value.written() if isinstance(self.value, Holder) else self.value
        return self.before + value + self.after


class Holder:
    """An object or a list, as its pieces."""

    __slots__ = ("is_list", "pieces")

    def __init__(self, is_list: bool, pieces: list[Piece]) -> None:
        self.is_list = is_list
        self.pieces = pieces

    def written(self) -> bytes:
        inside = b",".join(piece.written() for piece in self.pieces)
        return b"[" + inside + b"]" if self.is_list else b"{" + inside + b"}"

    def at(self, step: Step) -> list[Piece]:
        """What the step leads to. A name that stands there twice leads to both: servers differ in which one counts."""
        if not self.is_list:
            return [piece for piece in self.pieces if piece.name == step.name]
        if step.number is None or step.number == APPEND:
            return []
        return self.pieces[step.number : step.number + 1]

    def add(self, step: Step, value: bytes) -> None:
        if not self.is_list:
            self.pieces.append(Piece(step.name, json.dumps(step.name).encode() + b":", value))
        elif step.number is None:
            raise BadRequest(f"a filter sets `{step.name}` where the request has a list: a list's places are numbers")
        else:
            gap = max(step.number - len(self.pieces), 0)
            self.pieces += [Piece(None, b"", each) for each in (*[b"null"] * gap, value)]


def edited(body: bytes, model: str | None, strip: Iterable[str], sets: Iterable[tuple[str, object]]) -> bytes:
    """The body with another model, without what is stripped, and then with what is set, each in its order."""
    top, begin, end = opened(body)
    if model is not None:
        put(top, (Step("model"),), encode(model))
    for path in strip:
        cut(top, steps(path))
    for path, value in sets:
        put(top, steps(path), encode(value))
    return body[:begin] + top.written() + body[end:]


def opened(body: bytes) -> tuple[Holder, int, int]:
    """The object a body is, and from where to where it stands. An empty body is an empty object."""
    begin = len(body) - len(body.lstrip(BLANK))
    if begin == len(body):
        return Holder(False, []), begin, begin
    if body[begin : begin + 1] != b"{":
        raise BadRequest("the request body must be a JSON object")
    top, end = read(body, begin)
    return top, begin, end


def put(holder: Holder, path: Sequence[Step], value: bytes) -> None:
    """Parents that are missing, or are single values, are made."""
    step, rest = path[0], path[1:]
    found = holder.at(step)
    if not found:
        holder.add(step, fresh(rest, value))
    for piece in found:
        inner = piece.opened() if rest else None
        if inner is None:
            piece.value = fresh(rest, value)
        else:
            put(inner, rest, value)


def fresh(path: Sequence[Step], value: bytes) -> bytes:
    """The value inside whatever the path goes through."""
    for step in reversed(path):
        holder = Holder(step.number is not None, [])
        holder.add(step, value)
        value = holder.written()
    return value


def cut(holder: Holder, path: Sequence[Step]) -> None:
    """What is not there is not missed."""
    step, rest = path[0], path[1:]
    if not rest:
        last = holder.is_list and step.number == APPEND
        gone = holder.pieces[-1:] if last else holder.at(step)
        holder.pieces = [piece for piece in holder.pieces if piece not in gone]
        return
    for piece in holder.at(step):
        inner = piece.opened()
        if inner is not None:
            cut(inner, rest)


def read(text: bytes, begin: int) -> tuple[Holder, int]:
    """The object or list that begins there, and where it ends. Its grammar was checked when its model was looked up."""
    holder = Holder(text[begin] == ord("["), [])
    colon, begin = 0, begin + 1
    at = begin
    while True:
        found = TOKEN.search(text, at)
        if found is None:
            raise BadRequest("the request body is not valid JSON: it ends too early")
        sign, at = found[0], found.end()
        if sign == b":":
            colon = colon or at
        elif sign in (b"{", b"["):
            at = end_of(text, at)
        elif sign in (b",", b"}", b"]"):
            raw = text[begin : at - 1]
            if raw.strip(BLANK):
                holder.pieces.append(piece_of(raw, colon - begin if colon else 0))
            if sign != b",":
                return holder, at
            begin, colon = at, 0


def piece_of(raw: bytes, colon: int) -> Piece:
    """`colon` is where the value's text begins; 0 where it has no name."""
    name = json.loads(raw[: colon - 1]) if colon else None
    value = raw[colon:].strip(BLANK)
    begin = raw.index(value, colon)
    return Piece(name, raw[:begin], value, raw[begin + len(value) :])


def end_of(text: bytes, at: int) -> int:
    """Where the object or list ends whose bracket stands before `at`."""
    depth = 1
    for found in BRACKET.finditer(text, at):
        depth += BRACKETS.get(found[0], 0)
        if not depth:
            return found.end()
    raise BadRequest("the request body is not valid JSON: it ends too early")


BRACKETS = {b"{": 1, b"[": 1, b"}": -1, b"]": -1}


def encode(value: object) -> bytes:
    """As llama-swap writes it: a number without a fraction is a whole one, and none has an exponent."""
    if isinstance(value, Mapping):
        return b"{" + b",".join(json.dumps(name).encode() + b":" + encode(value[name]) for name in value) + b"}"
    if isinstance(value, tuple | list):
        return b"[" + b",".join(map(encode, value)) + b"]"
    if isinstance(value, float):
        text = f"{Decimal(repr(value)):f}"
        return text.removesuffix(".0").encode()
    return json.dumps(value).encode()
