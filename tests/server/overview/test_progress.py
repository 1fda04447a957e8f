"""How far a request is, from what is held of it."""

from __future__ import annotations

import json

import pytest

from llamaswap_py.observe.heard import Heard
from llamaswap_py.observe.inflight import Flight
from llamaswap_py.observe.rows import Details, Row
from llamaswap_py.server.overview.progress import ended, generated, longest, waiting
from llamaswap_py.wire.headers import Head
from llamaswap_py.wire.usage import Usage


def flight(content_type: str, pieces: list[bytes], limit: int = 1 << 20) -> Flight:
    heard = Heard(limit)
    heard.head(Head((1, 1), 200, b"OK", [f"Content-Type: {content_type}".encode()]), True)
    for piece in pieces:
        heard.body(piece)
    heard.weigh(sum(map(len, pieces)))
    return Flight("m", "/p", "POST", [], "", 0.0, 0.0, heard, lambda: None)


def test_a_streams_events_are_counted() -> None:
    assert generated(flight("text/event-stream", [b"data: 1\n\ndata: 2\n\n", b"data: 3\n\n"])) == 3
    assert generated(flight("application/x-ndjson", [b"{}\n{}\n"])) == 2
    assert generated(flight("application/json", [b"{}"])) is None


def test_of_a_stream_whose_middle_was_let_go_they_are_counted_in_proportion() -> None:
    events = [b"data: %06d\n\n" % number for number in range(20_000)]
    assert generated(flight("text/event-stream", events, limit=100)) == pytest.approx(20_000, rel=0.02)


@pytest.mark.parametrize(
    ("asked", "most"),
    [
        ({"max_tokens": 5}, 5),
        ({"max_completion_tokens": 7, "max_tokens": 5}, 7),
        ({"options": {"num_predict": 9}}, 9),
        ({"parameters": {"max_new_tokens": 3}, "inputs": "x"}, 3),
        ({"n_predict": -1}, None),
        ({"max_tokens": "5"}, None),
        ([1], None),
        ({}, None),
    ],
)
def test_the_most_that_was_asked_for(asked: object, most: int | None) -> None:
    assert longest(json.dumps(asked).encode()) == most


def test_without_a_body_that_is_json_nobody_knows_the_most() -> None:
    assert (longest(None), longest(b""), longest(b"\xff{")) == (None, None, None)


def test_whoever_has_no_place_in_the_queue_is_being_served() -> None:
    assert waiting(None) == ("processing", None)


def test_what_has_ended() -> None:
    row = Row(1, "m", "/p", "", 500, Usage(), 12, "it died", details=Details(request="r", bytes=3))
    told = ended(row)
    assert (told["status"], told["error"], told["request_id"], told["elapsed_ms"]) == ("failed", "it died", "r", 12)
    assert told["progress"] is told["total"] is None
    assert ended(row._replace(status=200, error=""))["progress"] == 0
