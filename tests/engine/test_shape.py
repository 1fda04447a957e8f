"""Answers that say different things have one shape; answers of other keys or types have not."""

from __future__ import annotations

import pytest

from tests.engine.shape import answer, differences, shape


def test_values_do_not_count_and_types_do() -> None:
    assert shape({"a": 1, "b": ["x", "y"]}) == shape({"b": ["z"], "a": 2.5})
    assert shape({"a": 1}) == {"a": "number"}
    assert shape([True, None, "s", 1, [], {}]) == ["bool", "null", "number", "string", [], {}]


def test_items_of_a_list_count_once_each_kind() -> None:
    assert shape([{"a": 1}, {"a": 2}, {"b": 1}]) == [{"a": "number"}, {"b": "number"}]


@pytest.mark.parametrize(
    ("one", "other", "found"),
    [
        ({"a": 1}, {"a": 2}, []),
        ({"a": 1}, {}, ["a: only the first has it"]),
        ({}, {"a": {"b": 1}}, ["a: only the second has it"]),
        ({"a": {"b": 1}}, {"a": {"b": "x"}}, ['a.b: "number", not "string"']),
        ({"a": [{"b": 1}]}, {"a": [{"b": None}]}, ['a[].b: "number", not "null"']),
        ({"a": [1]}, {"a": []}, ['a[]: ["number"], not []']),
        ({"a": [1]}, {"a": {}}, ['a: ["number"], not {}']),
        ([1, "x"], ["y", 2], []),
    ],
)
def test_differences_are_named_by_their_place(one: object, other: object, found: list[str]) -> None:
    assert differences(shape(one), shape(other)) == found


def test_an_answer_is_seen_whole() -> None:
    assert answer(200, "application/json; charset=utf-8", '{"a":1}') == {
        "status": 200,
        "type": "application/json",
        "body": {"a": "number"},
    }
    assert answer(404, "text/html", "oh")["body"] == "text"
    assert answer(204, "", "")["body"] == "nothing"


def test_of_a_stream_each_event_counts_once() -> None:
    text = 'data: {"a":1}\n\n: ping\n\nevent: end\ndata: {"b":[]}\n\ndata: {"a":2}\n\n'
    body = answer(200, "text/event-stream", text)["body"]
    assert body == {"events": [{"data": {"a": "number"}}, {"end": {"b": []}}], "ends": "closed"}
    assert answer(200, "text/event-stream", text + "data: [DONE]\n\n")["body"]["ends"] == "[DONE]"


def test_of_metrics_the_names_count() -> None:
    text = '# HELP b help\n# TYPE b counter\nb 3\na{x="1"} 2.5\na{x="2"} nan\n'
    assert answer(200, "text/plain; version=0.0.4", text)["body"] == {"samples": ["a", "b"]}
