"""Nodes, paths and places."""

from __future__ import annotations

from llamaswap_py.config.tree import Place, Scalar, at, inside
from tests.config.reading import tree

TEXT = """
a:
  b:
    - one
    - c: two
  d: plain
"""


def test_every_value_is_found_by_its_path_with_its_place() -> None:
    found = at(tree(TEXT), "a", "b", 1, "c")
    assert found == Scalar("two", "two", Place("config.yaml", 5, 10))


def test_a_path_that_leads_nowhere_gives_nothing() -> None:
    root = tree(TEXT)
    assert at(root, "a", "b", 2) is None
    assert at(root, "a", "d", "e") is None
    assert at(root, "a", "b", "c") is None
    assert at(root, 0) is None
    assert at(root, "z", "y") is None


def test_paths_are_spelled_with_dots_and_brackets() -> None:
    assert inside(inside(inside("", "a"), "b"), 3) == "a.b[3]"
