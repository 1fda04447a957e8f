"""A log as events, of the running program: history first, then what comes, and after a break what followed."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

from tests.whole.asking import NO_CERTIFICATES, caller
from tests.whole.program import LONG, Program, config, model

LINES = 20_000


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    text = config(model("one", "--stderr wëights"), model("chatty", f"--spew {LINES}"))
    with Program(tmp_path_factory.mktemp("logs"), text, watch=False) as started:
        yield started


@contextmanager
def read(program: Program, name: str, last: str = "") -> Iterator[Iterator[tuple[str, Any]]]:
    """Each event's place and what it says."""
    headers = {"Accept": "text/event-stream", **({"Last-Event-ID": last} if last else {})}
    with (
        httpx.Client(base_url=program.url, timeout=LONG, verify=NO_CERTIFICATES, trust_env=False) as client,
        client.stream("GET", f"/logs/stream/{name}", headers=headers) as response,
    ):
        assert response.headers["Content-Type"] == "text/event-stream"
        yield events(response.iter_lines())


def events(lines: Iterator[str]) -> Iterator[tuple[str, Any]]:
    name = ""
    for line in lines:
        if line.startswith("id:"):
            name = line.removeprefix("id:")
        elif line.startswith("data:"):
            yield name, json.loads(line.removeprefix("data:"))


def until(pieces: Iterator[tuple[str, Any]], word: str) -> tuple[str, list[Any]]:
    """The place after the piece that has the word, and all pieces up to it."""
    heard = []
    for name, piece in pieces:
        heard.append(piece)
        if word in "".join(each["text"] for each in heard):
            return name, heard
    raise AssertionError(heard)


def test_a_models_log_goes_on_where_it_was(program: Program) -> None:
    with caller(program) as ask:
        with read(program, "one") as pieces:
            assert next(pieces)[1] == {"text": "", "lost": 0, "whole": True}
            ask.post("/api/models/load/one").raise_for_status()
            place, heard = until(pieces, "wëights")
            assert not any(each["whole"] or each["lost"] for each in heard)
        ask.get("/unload").raise_for_status()
        ask.post("/api/models/load/one").raise_for_status()
        whole = ask.get("/logs/stream/one?no-follow").text
    seen = "".join(each["text"] for each in heard)
    with read(program, "one", place) as pieces:
        _, missed = until(pieces, "wëights")
    rest = "".join(each["text"] for each in missed)
    assert not missed[0]["whole"]
    assert whole.startswith(seen + rest)
    with read(program, "one", "beef-7") as pieces:
        assert next(pieces)[1]["whole"] is True


def test_a_flood_is_told_in_few_pieces_and_nothing_is_silently_missing(program: Program) -> None:
    """Text and what is said to be lost add up to all that was printed."""
    with caller(program) as ask, read(program, "chatty") as pieces:
        next(pieces)
        began = time.monotonic()
        ask.post("/api/models/load/chatty").raise_for_status()
        _, heard = until(pieces, f"line {LINES - 1} of a chatty server")
        took = time.monotonic() - began
    assert len(heard) <= 12 * (took + 1)
    text = "".join(each["text"] for each in heard)
    printed = sum(len(f"line {number} of a chatty server\n") for number in range(LINES))
    lines = len(text.encode()) + sum(each["lost"] for each in heard)
    assert lines >= printed
    assert lines - printed < 10_000  # what else it says


def test_the_head_a_look_and_a_name_that_is_none(program: Program) -> None:
    with caller(program) as ask:
        head = ask.head("/logs/stream/one", headers={"Accept": "text/event-stream"})
        assert head.headers["Content-Type"] == "text/event-stream"
        assert ask.get("/logs/stream/nobody", headers={"Accept": "text/event-stream"}).status_code == 400
        once = ask.get("/logs/stream/proxy?no-follow", headers={"Accept": "text/event-stream"})
        assert "llamaswap listening" in once.text
