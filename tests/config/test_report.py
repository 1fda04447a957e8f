"""Mistakes in file order, and places found in the text."""

from __future__ import annotations

import pytest

from llamaswap_py.config.report import Report, Source, closest
from llamaswap_py.config.tree import Place
from llamaswap_py.errors import ConfigError

SOURCES = [Source("b", "one two\n# two\n  two\n"), Source("a", "")]


def test_mistakes_come_in_the_order_of_the_files_each_once() -> None:
    report = Report(SOURCES)
    for place in (Place("a", 1, 1), Place("b", 2, 1), Place("b", 1, 9), Place("b", 1, 9), Place("", 0, 0)):
        report.wrong(place, "key", "wrong", "Right it.")
    with pytest.raises(ConfigError) as refused:
        report.settle()
    assert [(m.file, m.line, m.column) for m in refused.value.mistakes] == [
        ("", 0, 0),
        ("b", 1, 9),
        ("b", 2, 1),
        ("a", 1, 1),
    ]


def test_nothing_wrong_is_nothing_raised() -> None:
    Report([]).settle()


def test_a_thing_said_once_is_said_at_its_first_place() -> None:
    report = Report(SOURCES)
    report.warn_once("x", Place("b", 1, 1), "key", "a", "b")
    report.warn_once("x", Place("b", 2, 1), "key", "a", "b")
    assert [warning.line for warning in report.warnings] == [1]


def test_a_word_is_found_in_its_lines_but_not_before_the_start_nor_in_comments() -> None:
    report = Report(SOURCES)
    assert report.locate(Place("b", 1, 1), "two", 3) == Place("b", 1, 5)
    assert report.locate(Place("b", 1, 6), "two", 3) == Place("b", 3, 3)
    assert report.locate(Place("b", 1, 6), "two", 2) == Place("b", 1, 6)
    assert report.locate(Place("c", 1, 1), "two", 3) == Place("c", 1, 1)


def test_the_closest_words_are_found_whatever_their_case() -> None:
    assert closest("TTL", ["ttl", "Ttl", "cmd"], 2) == ["ttl", "Ttl"]
    assert closest("ttl", ["ttl", "Ttl"]) == ["ttl"]
    assert closest("zz", ["ttl"]) == []
