"""Which test tries which fault: read from the tests' own text, so that the map lies beside them.

`test_p13_f19_…` below this folder tries P13 and F19; anywhere else `@pytest.mark.fault("S56", "F46")` says it.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from tests.whole.faults.catalogue import FAULTS

ROOT = Path(__file__).parents[3]
PREFIX = re.compile(r"test((?:_[pqsorlf]\d+)+)(?:_|$)")
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
# All but the F have numbers of their own: P98 in a name is L98.
BY_NUMBER = {fault.number[1:]: fault.number for fault in FAULTS if not fault.number.startswith("F")}


def tried(root: Path = ROOT) -> dict[str, list[str]]:
    """For each number the tests, as pytest spells them."""
    found: dict[str, list[str]] = {}
    for path in sorted((root / "tests").rglob("test_*.py")):
        place = path.relative_to(root).as_posix()
        for test, numbers in tests_in(path.read_text("utf-8"), is_fault="tests/whole/faults/" in place):
            for number in numbers:
                found.setdefault(number, []).append(f"{place}::{test}")
    return found


def tests_in(text: str, *, is_fault: bool) -> Iterator[tuple[str, list[str]]]:
    for node in ast.parse(text).body:
        if isinstance(node, FUNCTIONS) and node.name.startswith("test"):
            named = numbers_of(node.name) if is_fault else []
            yield node.name, list(dict.fromkeys([*named, *marked(node)]))


def numbers_of(name: str) -> list[str]:
    found = PREFIX.match(name)
    return [spelt(word) for word in found[1].strip("_").split("_")] if found else []


def marked(node: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[str]:
    for decorator in node.decorator_list:
        if isinstance(decorator, ast.Call) and ast.unparse(decorator.func) == "pytest.mark.fault":
            yield from (spelt(str(ast.literal_eval(argument))) for argument in decorator.args)


def spelt(word: str) -> str:
    """`p07` is P7, and `p98` L98."""
    letter, number = word[0].upper(), str(int(word[1:]))
    return f"F{number}" if letter == "F" else BY_NUMBER.get(number, f"{letter}{number}")
