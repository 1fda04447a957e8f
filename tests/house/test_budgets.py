"""The budgets checker sees what is over a budget, and its exceptions can only shrink."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.house import budgets

DEEP = """
def deep(x):
    if x:
        for y in x:
            while y:
                with y:
                    pass
"""
FLAT = """
def flat(x):
    if x == 1:
        pass
    elif x == 2:
        pass
    elif x == 3:
        for y in x:
            pass
    elif x == 4:
        pass
    def inner():
        if x:
            for y in x:
                with y:
                    pass
"""
LONG = "def long():\n" + "    x = 1\n" * 60
WIDE = "class C:\n    def wide(self, a, b, /, c, d, *, e, f, g):\n        pass\n"
NARROW = "class C:\n    def narrow(self, a, b, /, c, d, *, e, f):\n        pass\n"
MANY = "class C:\n" + "".join(f"    def m{i}(self): pass\n" for i in range(17))
TALL = "x = 1\n" * 401


def tree(root: Path, text: str) -> Path:
    folder = root / "llamaswap_py" / "wire"
    folder.mkdir(parents=True)
    (folder / "thing.py").write_text(text)
    return root


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (DEEP, "thing.py::deep (line 2): 4 nesting, the budget is 3"),
        (LONG, "thing.py::long (line 1): 61 lines, the budget is 60"),
        (WIDE, "thing.py::C.wide (line 2): 7 parameters, the budget is 6"),
        (MANY, "thing.py::C (line 1): 17 methods, the budget is 16"),
        (TALL, "thing.py (line 1): 401 file lines, the budget is 400"),
    ],
)
def test_what_is_over_a_budget_is_named_with_its_size(tmp_path: Path, text: str, said: str) -> None:
    assert budgets.problems(tree(tmp_path, text)) == [f"llamaswap_py/wire/{said}"]


@pytest.mark.parametrize("text", [FLAT, NARROW, "x = 1\n" * 400, "def f():\n" + "    x = 1\n" * 59])
def test_what_is_just_within_a_budget_passes(tmp_path: Path, text: str) -> None:
    assert budgets.problems(tree(tmp_path, text)) == []


def test_an_exception_allows_its_size_and_no_more(tmp_path: Path) -> None:
    root = tree(tmp_path, TALL)
    key = "llamaswap_py/wire/thing.py file lines"
    assert budgets.problems(root, {key: 401}) == []
    assert budgets.problems(root, {key: 402}) == [f"the exception '{key}' may shrink to 401"]
    (root / "llamaswap_py/wire/thing.py").write_text(TALL + "y = 2\n")
    assert len(budgets.problems(root, {key: 401})) == 1


def test_an_exception_that_is_no_longer_needed_is_a_problem(tmp_path: Path) -> None:
    root = tree(tmp_path, "x = 1\n")
    assert budgets.problems(root, {"a file lines": 500}) == [
        "the exception 'a file lines' is no longer needed: take it out"
    ]
