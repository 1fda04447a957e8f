"""How big things may be, measured on the syntax tree. Maxima, not aims: good code here sits far below them.

`EXCEPTIONS` names what is over a budget, with its present size. It may only shrink: an entry that is larger than need
be, or no longer needed, fails the check until it is lowered or taken out.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

BUDGETS = {"lines": 60, "file lines": 400, "parameters": 6, "nesting": 3, "methods": 16}
EXCEPTIONS: Mapping[str, int] = {}  # as "llamaswap_py/wire/http1.py::Reader.feed nesting": 4

BLOCKS = (ast.If, ast.For, ast.AsyncFor, ast.While, ast.With, ast.AsyncWith, ast.Try, ast.TryStar, ast.Match)
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
Function = ast.FunctionDef | ast.AsyncFunctionDef


class Size(NamedTuple):
    place: str  # as "path::Class.function"
    line: int
    what: str  # a key of BUDGETS
    number: int

    @property
    def key(self) -> str:
        return f"{self.place} {self.what}"


def problems(root: Path, exceptions: Mapping[str, int] = EXCEPTIONS) -> list[str]:
    """One sentence for each thing that is over its budget, and for each exception that should shrink."""
    over = {size.key: size for size in sizes(root) if size.number > BUDGETS[size.what]}
    found = [
        f"{size.place} (line {size.line}): {size.number} {size.what}, the budget is {BUDGETS[size.what]}"
        for size in over.values()
        if size.number > exceptions.get(size.key, 0)
    ]
    for key, allowed in exceptions.items():
        if key not in over:
            found.append(f"the exception '{key}' is no longer needed: take it out")
        elif over[key].number < allowed:
            found.append(f"the exception '{key}' may shrink to {over[key].number}")
    return found


def sizes(root: Path) -> Iterator[Size]:
    for folder in ("llamaswap_py", "tests", "scripts"):
        for path in sorted((root / folder).rglob("*.py")):
            text = path.read_text("utf-8")
            place = path.relative_to(root).as_posix()
            yield Size(place, 1, "file lines", len(text.splitlines()))
            yield from sizes_in(ast.parse(text), f"{place}::")


def sizes_in(node: ast.AST, place: str) -> Iterator[Size]:
    """The sizes of what is defined anywhere below this node."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, FUNCTIONS):
            yield from sizes_of_function(child, f"{place}{child.name}")
            yield from sizes_in(child, f"{place}{child.name}.")
        elif isinstance(child, ast.ClassDef):
            methods = sum(isinstance(part, FUNCTIONS) for part in child.body)
            yield Size(f"{place}{child.name}", child.lineno, "methods", methods)
            yield from sizes_in(child, f"{place}{child.name}.")
        else:
            yield from sizes_in(child, place)


def sizes_of_function(node: Function, place: str) -> Iterator[Size]:
    names = [argument.arg for argument in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)]
    own = [name for i, name in enumerate(names) if i or name not in ("self", "cls")]
    yield Size(place, node.lineno, "lines", (node.end_lineno or node.lineno) - node.lineno + 1)
    yield Size(place, node.lineno, "parameters", len(own))
    yield Size(place, node.lineno, "nesting", nesting(node))


def nesting(node: ast.AST) -> int:
    """Blocks within blocks. An `elif` lies beside its `if`, and a function within a function starts anew."""
    return max((depth_of(child, node) for child in ast.iter_child_nodes(node)), default=0)


def depth_of(child: ast.AST, parent: ast.AST) -> int:
    if isinstance(child, (*FUNCTIONS, ast.ClassDef, ast.Lambda)):
        return 0
    is_elif = isinstance(parent, ast.If) and isinstance(child, ast.If) and parent.orelse == [child]
    return nesting(child) + (isinstance(child, BLOCKS) and not is_elif)
