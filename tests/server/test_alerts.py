"""What orders about alerts may say."""

from __future__ import annotations

import json
from typing import Any

import pytest

from llamaswap_py.errors import BadRequest
from llamaswap_py.server.alerts import SILENCE, note_of, read_order, seconds_of


@pytest.mark.parametrize(
    ("order", "seconds"), [({}, SILENCE), ({"for": 60}, 60), ({"for": 1.5}, 1.5), ({"for": "1h30m"}, 5400)]
)
def test_a_silence_lasts_as_long_as_is_said(order: dict[str, Any], seconds: float) -> None:
    assert seconds_of(order) == seconds


@pytest.mark.parametrize("wrong", [0, -1, "soon", "-1h", "", True, None, [], 1e99, 400 * 86400, "400d"])
def test_a_silence_without_a_sensible_end_is_refused(wrong: object) -> None:
    with pytest.raises(BadRequest, match="of a year at most"):
        seconds_of({"for": wrong})


@pytest.mark.parametrize("body", [b"{", b"[]", b"1", b'"x"', b"\xff", b'{"until": 1}'])
def test_an_order_is_an_object_of_what_it_may_have(body: bytes) -> None:
    with pytest.raises(BadRequest):
        read_order(body, ("for", "note"))


def test_nothing_is_an_order_too() -> None:
    assert read_order(b"", ("note",)) == read_order(b" {}\n", ("note",)) == {}


@pytest.mark.parametrize("note", [1, "x" * 501, ["a"]])
def test_a_note_is_a_short_text(note: object) -> None:
    with pytest.raises(BadRequest, match="note"):
        note_of(read_order(json.dumps({"note": note}).encode(), ("note",)))
    assert note_of({"note": None}) == note_of({}) == ""
