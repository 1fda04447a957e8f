"""Sections 5.12 and 5.13: the table of requests in flight, and how one of them is ended."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.conformance.feed import Feed, Test
from tests.conformance.scene import answer, mirror, pipe, release
from tests.whole.asking import caller, openai_shape
from tests.whole.program import Program, config, model


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    text = config(mirror("alpha", aliases="[nick]"), model("sleepy", "--load-seconds 600"))
    with Program(tmp_path_factory.mktemp("inflight"), text, watch=False) as started:
        yield started


@pytest.fixture
def feed(program: Program) -> Iterator[Feed]:
    with Feed(program) as listening:
        yield listening


def upsert(feed: Feed, fits: Test = lambda _: True, after: int = 0) -> dict[str, Any]:
    """The first entry that is put into the table and fits."""
    told = feed.wait("inflight", lambda data: data["operation"] == "upsert" and fits(data["request"]), after)
    entry: dict[str, Any] = told["request"]
    return entry


def removed(feed: Feed, number: str) -> None:
    feed.wait("inflight", lambda data: data["operation"] == "remove" and data["id"] == number)


def post(program: Program, path: str, **more: Any) -> httpx.Response:
    with caller(program) as client:
        return client.post(path, **more)


def test_a_request_comes_and_goes(feed: Feed, ask: httpx.Client) -> None:
    """It is put into the table and taken out of it again, under one number."""
    headers = {"Authorization": "Bearer secret", "Cookie": "secret", "X-Api-Key": "secret", "X-Mine": "1"}
    ask.post("/v/embeddings?x=1", json={"model": "nick"}, headers=headers).raise_for_status()
    entry = upsert(feed)
    removed(feed, entry["id"])
    assert entry["id"].isdecimal()
    assert (entry["model"], entry["req_path"], entry["method"]) == ("alpha", "/v/embeddings", "POST")
    assert entry["remote_ip"].startswith("127.0.0.1")
    assert datetime.fromisoformat(entry["timestamp"]).tzinfo
    assert {"req_headers", "resp_headers", "resp_bytes", "elapsed_ms"} <= entry.keys()
    sent = {name.lower(): value for name, value in entry["req_headers"].items()}
    assert sent["x-mine"] == "1"
    assert {sent[name] for name in ("authorization", "cookie", "x-api-key")} == {"[REDACTED]"}


def test_numbers_rise(feed: Feed, ask: httpx.Client) -> None:
    """By one for each request."""
    numbers = []
    for _ in range(2):
        before = feed.said
        ask.post("/v1/embeddings", json={"model": "alpha"}).raise_for_status()
        numbers.append(int(upsert(feed, after=before)["id"]))
        removed(feed, str(numbers[-1]))
    assert numbers[1] == numbers[0] + 1


def test_an_answers_head_and_size_are_told(tmp_path: Path, program: Program, feed: Feed) -> None:
    """While it is under way."""
    hold = pipe(tmp_path, "hold")
    headers = answer(
        type="text/event-stream", pieces=["data: 1\n\n", "data: 2\n\n"], hold=str(hold), headers={"X-Own": "1"}
    )
    with ThreadPoolExecutor() as pool:
        asked = pool.submit(post, program, "/v1/chat/completions", json={"model": "alpha"}, headers=headers)
        entry = upsert(feed, lambda entry: bool(entry["resp_headers"]))
        told = {name.lower(): value for name, value in entry["resp_headers"].items()}
        release(hold)
        assert asked.result().status_code == 200
    assert (told["content-type"], told["x-own"]) == ("text/event-stream", "1")


def test_a_snapshot_holds_what_is_under_way(tmp_path: Path, program: Program, feed: Feed) -> None:
    """Whoever connects later knows it too."""
    hold = pipe(tmp_path, "hold")
    with ThreadPoolExecutor() as pool:
        asked = pool.submit(
            post, program, "/v1/embeddings", json={"model": "alpha"}, headers=answer(body="{}", hold=str(hold))
        )
        number = upsert(feed)["id"]
        with Feed(program) as late:
            snapshot = late.wait("inflight")
        release(hold)
        assert asked.result().status_code == 200
    assert snapshot["operation"] == "snapshot"
    assert [entry["id"] for entry in snapshot["requests"]] == [number]
    removed(feed, number)
    with Feed(program) as later:
        assert not later.wait("inflight").get("requests")


def test_a_stream_is_ended(tmp_path: Path, program: Program, feed: Feed, ask: httpx.Client) -> None:
    """Its connection to the model is closed, and the caller's answer is cut."""
    hold = pipe(tmp_path, "hold")
    headers = answer(type="text/event-stream", pieces=["data: 1\n\n", "data: 2\n\n"], hold=str(hold))
    with ask.stream("POST", "/v1/chat/completions", json={"model": "alpha"}, headers=headers) as response:
        pieces = response.iter_text()
        got = [next(pieces)]
        with caller(program) as other:
            cancelled = other.post(f"/api/inflight/{upsert(feed)['id']}/cancel")
        with pytest.raises(httpx.RemoteProtocolError):
            got.extend(pieces)
    assert (cancelled.status_code, cancelled.json()) == (200, {"msg": "ok"})
    assert "data: 2" not in "".join(got)
    release(hold)


@pytest.mark.differs("a cancelled caller hears why")
def test_who_waits_for_a_model_is_ended(program: Program, feed: Feed, ask: httpx.Client) -> None:
    """The caller gets a typed error; there it is an empty 200."""
    with ThreadPoolExecutor() as pool:
        asked = pool.submit(post, program, "/v1/embeddings", json={"model": "sleepy"})
        number = upsert(feed)["id"]
        assert ask.post(f"/api/inflight/{number}/cancel").json() == {"msg": "ok"}
        response = asked.result()
        removed(feed, number)
    ask.get("/unload")
    assert response.status_code == 499
    assert openai_shape(response)[0] == "cancelled"


@pytest.mark.parametrize("number", ["999999", "0", "-1", "x"])
def test_nothing_to_end(ask: httpx.Client, number: str) -> None:
    """404 for a number that is not in the table."""
    response = ask.post(f"/api/inflight/{number}/cancel")
    assert response.status_code == 404
    openai_shape(response)


def test_what_is_over_cannot_be_ended(feed: Feed, ask: httpx.Client) -> None:
    """Its number is no longer in the table."""
    ask.post("/v1/embeddings", json={"model": "alpha"}).raise_for_status()
    number = upsert(feed)["id"]
    removed(feed, number)
    assert ask.post(f"/api/inflight/{number}/cancel").status_code == 404


def test_who_leaves_is_taken_out(tmp_path: Path, program: Program, feed: Feed) -> None:
    """A caller that hangs up is no longer in flight."""
    hold = pipe(tmp_path, "hold")
    headers = answer(type="text/event-stream", pieces=["data: 1\n\n", "data: 2\n\n"], hold=str(hold))
    with (
        caller(program) as client,
        client.stream("POST", "/v1/chat/completions", json={"model": "alpha"}, headers=headers) as response,
    ):
        pieces = response.iter_text()
        next(pieces)
        number = upsert(feed)["id"]
    removed(feed, number)
    release(hold)
