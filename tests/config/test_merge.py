"""Several files as one, and conflicts told at the later place."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llamaswap_py.config.merge import merge
from llamaswap_py.config.read import Source, read
from llamaswap_py.config.report import Report
from llamaswap_py.config.tree import List, Map, Node, Place, Scalar
from tests.config.reading import mistake, mistakes

NOWHERE = Place("f", 1, 1)


def both(*texts: str) -> Any:
    return read([Source(f"{number}.yaml", text) for number, text in enumerate(texts)], {}).config


def test_files_add_up() -> None:
    found = both(
        "macros: {a: x}\napiKeys: [one]\nmodels: {m: {cmd: '${b}', proxy: 'http://h'}}\n",
        "",
        "macros: {b: '${a} y'}\napiKeys: [two]\nmodels: {n: {cmd: '${b}', proxy: 'http://h'}}\nglobalTTL: 5\n",
        "globalTTL: 5\nlogLevel:\n",
        "logLevel: warn\nglobalTTL:\n",
    )
    assert list(found.models) == ["m", "n"]
    assert (found.models["n"].cmd, found.models["m"].ttl) == ("x y", 5)
    assert (found.api_keys, found.log_level) == (("one", "two"), "warn")


@pytest.mark.parametrize(
    ("first", "second", "key", "message"),
    [
        ("globalTTL: 5", "\nglobalTTL: 6", "globalTTL", "a.yaml:1 sets this differently"),
        ("globalTTL: 1", "\nglobalTTL: true", "globalTTL", "a.yaml:1 sets this differently"),
        ("globalTTL: 1", "\nglobalTTL: null", "globalTTL", "a.yaml:1 sets this differently"),
        ("apiKeys: [a]", "\napiKeys: b", "apiKeys", "a.yaml:1 sets this differently"),
        ("hooks: {}", "\nhooks: []", "hooks", "a.yaml:1 sets this differently"),
        (
            "models: {m: {cmd: x, proxy: 'http://h'}}",
            "\nmodels: {m: {cmd: y}}",
            "models.m",
            "this is already defined in a.yaml:1",
        ),
        ("models: {}", "\nmodels:", "models", "two files set this, and nothing stands here"),
        ("groups: {}", "\ngroups: [a]", "groups", "two files set this, and a list stands here"),
        (
            "routing: {router: {settings: {matrix: {sets: {a: x}}}}}",
            "\nrouting: {router: {settings: {matrix: {sets: {b: y}}}}}",
            "routing.router.settings.matrix.sets",
            "this is already defined in a.yaml:1",
        ),
        ("", "\n- a", "", "the file must hold a mapping, and this is a list"),
    ],
)
def test_a_conflict_is_told_at_the_later_files_place(first: str, second: str, key: str, message: str) -> None:
    found = mistake(first, second)
    assert (found.file, found.line, found.key, found.message) == ("b.yaml", 2, key, message)
    assert found.remedy


def test_nothing_where_entries_belong_is_told_where_it_stands() -> None:
    found = mistake("models:", "models: {}")
    assert (found.file, found.key) == ("a.yaml", "models")


def test_conflicts_and_what_else_is_wrong_are_told_together_in_the_order_of_the_files() -> None:
    found = mistakes("globalTTL: -5", "globalTTL: 3\nstartPort: 0", "startPort: 1")
    assert [(each.file, each.key) for each in found] == [
        ("a.yaml", "globalTTL"),
        ("b.yaml", "globalTTL"),
        ("b.yaml", "startPort"),
        ("c.yaml", "startPort"),
    ]


def scalar(value: str) -> Scalar:
    return Scalar(value, value, NOWHERE)


def mapping(values: dict[str, Node]) -> Map:
    return Map(values, dict.fromkeys(values, NOWHERE), NOWHERE)


TREES = st.recursive(
    st.text("xy", max_size=2).map(scalar),
    lambda inner: (
        st.lists(inner, max_size=3).map(lambda items: List(tuple(items), NOWHERE))
        | st.dictionaries(st.text("ab", min_size=1, max_size=2), inner, max_size=3).map(mapping)
    ),
    max_leaves=8,
)
DOCUMENTS = st.dictionaries(st.text("ab", min_size=1, max_size=2), TREES, max_size=3).map(mapping)


@given(DOCUMENTS)
def test_one_file_alone_is_itself(document: Map) -> None:
    report = Report([])
    assert merge([document], report) == document
    assert not report.mistakes


@given(DOCUMENTS, DOCUMENTS)
def test_no_key_is_lost_and_the_first_files_come_first(first: Map, second: Map) -> None:
    whole = merge([first, second], Report([]))
    assert list(whole.entries) == list(dict.fromkeys([*first.entries, *second.entries]))


@given(DOCUMENTS, DOCUMENTS, DOCUMENTS)
def test_files_may_be_joined_in_any_grouping(one: Map, two: Map, three: Map) -> None:
    report = Report([])
    straight = merge([one, two, three], report)
    if not report.mistakes:
        assert merge([one, merge([two, three], report)], report) == straight
