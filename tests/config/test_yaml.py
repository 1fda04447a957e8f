"""YAML to nodes by both parsers, and what is said of what is not YAML."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llamaswap_py.config.report import Report, Source
from llamaswap_py.config.tree import List, Map, Node, Place, Scalar, at
from llamaswap_py.config.yaml import FAST, MOST, PURE, parse
from llamaswap_py.errors import Mistake
from tests.config.reading import mapping, tree


def plain(node: Node | None) -> Any:
    """Without places."""
    if isinstance(node, Map):
        return {name: plain(value) for name, value in node.entries.items()}
    if isinstance(node, List):
        return [plain(item) for item in node.items]
    return node.value if node else None


def reported(text: str, loader: Any = FAST) -> list[Mistake]:
    report = Report([Source("f.yaml", text)])
    parse(Source("f.yaml", text), report, loader)
    return report.mistakes


@pytest.mark.parametrize("loader", [FAST, PURE], ids=["fast", "pure"])
def test_both_parsers_give_the_same_tree(loader: Any) -> None:
    text = "a: [1, two, '3', \"4\", ~]\nb: !!str 5\nc: !!int 6\nd: |\n  x\n  y\ne: >-\n  x\n  y\n? f\n: !own 7\n"
    report = Report([])
    found = parse(Source("f.yaml", text), report, loader)
    assert plain(found) == {"a": [1, "two", "3", "4", None], "b": "5", "c": 6, "d": "x\ny\n", "e": "x y", "f": 7}


def test_windows_line_ends_and_a_byte_order_mark_change_nothing() -> None:
    text = "a: 1\nb: |\n  x\n  y\nc: 'z'\n"
    windows = parse(Source("f", "\ufeff" + text.replace("\n", "\r\n")), Report([]))
    assert plain(windows) == plain(parse(Source("f", text), Report([])))


def test_only_the_first_document_counts() -> None:
    assert plain(tree("a: 1\n---\n{{{ not read\n")) == {"a": 1}


@pytest.mark.parametrize("text", ["", "# only a comment\n"])
def test_an_empty_file_has_no_tree_and_no_mistake(text: str) -> None:
    report = Report([])
    assert parse(Source("f", text), report) is None
    assert not report.mistakes


def test_keys_are_their_text() -> None:
    assert plain(tree("7: a\n8.50: b\ntrue: c\n~: d\n")) == {"7": "a", "8.50": "b", "true": "c", "~": "d"}


def test_an_alias_stands_for_what_its_anchor_holds_with_the_anchors_place() -> None:
    root = tree("a: &x {b: 1}\nc: *x\n")
    assert plain(at(root, "c")) == {"b": 1}
    found = at(root, "c", "b")
    assert found
    assert found.place == Place("config.yaml", 1, 11)


def test_a_merge_gives_way_to_what_stands_beside_it() -> None:
    text = """
    one: &one {a: 1, b: 1}
    two: &two {b: 2, c: 2}
    single: {<<: *one, b: 9}
    before: {b: 9, <<: *one}
    several: {<<: [*one, *two]}
    quoted: {"<<": 5}
    """
    found = plain(tree(text))
    assert found["single"] == found["before"] == {"a": 1, "b": 9}
    assert found["several"] == {"a": 1, "b": 1, "c": 2}
    assert found["quoted"] == {"<<": 5}


def test_a_merge_of_something_else_is_a_mistake() -> None:
    (found,) = reported("a:\n  <<: 5\n")
    assert (found.line, found.message) == (2, "`<<` needs a mapping, and this is a single value")


def test_a_key_set_twice_is_a_mistake_that_names_both_places() -> None:
    (found,) = reported("a:\n  b: 1\n  c: 2\n  b: 3\n")
    assert (found.line, found.column, found.key) == (4, 3, "a.b")
    assert found.message == "this key is already set in line 2"


def test_a_key_must_be_a_single_value() -> None:
    (found,) = reported("? [a, b]\n: 1\n")
    assert "where a key belongs" in found.message


@pytest.mark.parametrize(
    ("text", "line", "remedy"),
    [
        ("a: 1\nb: %x\n", 2, "Put the value in quotes."),
        ("a: b: c\n", 1, "Put a value that contains ': ' in quotes, and check the indentation."),
        ("a:\n\t- 1\n", 2, "Indent with spaces: YAML does not allow tabs there."),
        ("a: *nowhere\n", 1, "Define it before its use with `&name`, or put the value in quotes."),
        ("a: 'x\n", 2, "Close the quotes."),
        ("a: [1, 2\n", 2, "Close the bracket, or put the value in quotes."),
        ("a: 1\n  b: 2\n", 2, "Put a value that contains ': ' in quotes, and check the indentation."),
        ("a: 1\nb\nc: 2\n", 3, "Write `key: value`, or indent the line if it belongs to the value above."),
        ("a:\n  - 1\n b: 2\n", 3, "Check the indentation of this line and of the one above it."),
        ("%BAD 1\n---\na: 1\n---\n", 1, "Correct the YAML here."),
    ],
)
def test_what_is_not_yaml_is_told_with_line_and_remedy(text: str, line: int, remedy: str) -> None:
    found = reported(text)
    assert [(each.line, each.remedy) for each in found] == [(line, remedy)]


def test_a_character_that_no_text_holds_is_told_too() -> None:
    (found,) = reported("a: \x01\n")
    assert "not valid YAML" in found.message


@pytest.mark.parametrize("loader", [FAST, PURE], ids=["fast", "pure"])
def test_endless_nesting_is_a_mistake_and_not_a_crash(loader: Any) -> None:
    assert len(reported("[" * 5000, loader)) == 1
    assert "nested too deeply" in reported("a: " + "[" * 200 + "]" * 200, loader)[0].message


def test_anchors_that_multiply_are_stopped() -> None:
    rows = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    rows += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10)]
    assert MOST < 10**10
    (found,) = reported("\n".join(rows))
    assert "repeated too often" in found.message


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.text(st.characters(codec="ascii"), max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("abc:#", min_size=1, max_size=4), inner),
    max_leaves=12,
)


@given(st.dictionaries(st.text("xyz", min_size=1, max_size=3), VALUES))
def test_json_means_the_same_read_as_yaml(value: dict[str, Any]) -> None:
    assert plain(parse(Source("f", json.dumps(value)), Report([]))) == value


@given(st.text("ab:-[]{}#&*!|>'\"%@`\n\t ,?~<", max_size=40))
def test_any_text_is_read_or_told_what_is_wrong_with_it(text: str) -> None:
    report = Report([Source("f", text)])
    parse(Source("f", text), report)
    assert all(each.message and each.remedy for each in report.mistakes)


def test_a_block_remembers_how_many_lines_it_has() -> None:
    found = mapping("a: |\n  x\n  y\nb: 1\n").entries["a"]
    assert isinstance(found, Scalar)
    assert (found.place.line, found.lines) == (1, 4)
