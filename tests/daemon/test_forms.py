"""What a line of our own log looks like."""

from __future__ import annotations

import json
from datetime import datetime

from llamaswap_py.daemon.forms import Console, Json, form_of, gap


def test_a_line_for_people_has_a_level_its_message_and_its_fields() -> None:
    """The model is in the message already."""
    event = {"event": "q: ready", "pid": 7, "model": "q"}
    assert Console().line("conductor", "info", event) == "[INFO] q: ready pid=7\n"
    assert Console().line("x", "exception", {"event": "lost", "exception": "Traceback"}) == "[ERROR] lost\nTraceback\n"


def test_a_line_for_programs_is_one_object_on_one_line() -> None:
    event = {"event": "two\nlines", "pid": 7, "model": "q", "exception": "Traceback\n  x", "odd": {1, 2}}
    line = Json().line("conductor", "warning", event)
    assert line.endswith("}\n")
    assert line.count("\n") == 1
    told = json.loads(line)
    assert datetime.fromisoformat(told.pop("time")).tzinfo is not None
    assert told == {
        "level": "warn",
        "logger": "conductor",
        "event": "two\nlines",
        "pid": 7,
        "model": "q",
        "exception": "Traceback\n  x",
        "odd": [1, 2],
    }


def test_half_a_character_spoils_no_line() -> None:
    told = json.loads(Json().request("info", "Request \udcff", "a1", lambda: {"path": "/\udcff", "status": 200}))
    assert (told["event"], told["path"], told["status"]) == ("Request ?", "/?", 200)
    nested = json.loads(Json().line("x", "info", {"event": "e", "candidates": [{"model": "\udcff"}], "wanted": None}))
    assert nested["candidates"] == [{"model": "?"}]


def test_a_gap_is_told_in_the_form_of_the_log() -> None:
    assert isinstance(form_of("console"), Console)
    assert gap(Console())(1) == b"[WARN] 1 line of the log lost: whoever takes it did not keep up lost=1\n"
    told = json.loads(gap(form_of("json"))(2))
    assert (told["event"][:21], told["lost"]) == ("2 lines of the log lo", 2)
