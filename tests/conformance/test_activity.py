"""Sections 6.1 to 6.4: which requests leave a row, and what is in it."""

from __future__ import annotations

import base64
import gzip
import json
import re
import zlib
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import httpx
import pytest

from tests.conformance.feed import Feed, recorded
from tests.conformance.scene import FORM, answer, mirror, multipart
from tests.whole.program import Program, config, model

MORE = """
groups: {all: {swap: false, members: [alpha, beta, stillborn, limited]}}
routing: {scheduler: {use: fifo, settings: {fifo: {priority: {beta: 5}}}}}
"""


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    text = config(
        mirror("alpha", aliases="[nick]"),
        mirror("beta"),
        model("stillborn", "--exit"),
        model("limited", concurrencyLimit=1),
    )
    with Program(tmp_path_factory.mktemp("activity"), text + MORE, watch=False) as started:
        yield started


@pytest.fixture(scope="module")
def feed(program: Program) -> Iterator[Feed]:
    with Feed(program) as listening:
        yield listening


# -- what is in a row

FIELDS = {
    "id", "timestamp", "model", "req_path", "resp_content_type", "resp_status_code", "tokens", "duration_ms",
    "has_capture",
}  # fmt: skip
TOKENS = {
    "cache_tokens", "draft_tokens", "draft_acc_tokens", "input_tokens", "output_tokens", "prompt_per_second",
    "tokens_per_second",
}  # fmt: skip


def row_of(feed: Feed, ask: httpx.Client, path: str = "/v1/chat/completions", **told: object) -> dict[str, Any]:
    """The row of a request that the mirror answers like this."""
    return recorded(feed, ask, lambda: ask.post(path, json={"model": "alpha"}, headers=answer(**told)))


def test_a_row(feed: Feed, ask: httpx.Client) -> None:
    """Its fields, and the model by its own name."""
    before = datetime.now().astimezone().replace(microsecond=0)
    row = recorded(feed, ask, lambda: ask.post("/v1/embeddings", json={"model": "nick"}))
    assert row.keys() >= FIELDS
    assert row["tokens"].keys() == TOKENS
    assert (row["model"], row["req_path"], row["resp_status_code"]) == ("alpha", "/v1/embeddings", 200)
    assert row["resp_content_type"] == "application/json"
    assert "error_msg" not in row
    assert isinstance(row["duration_ms"], int)
    assert isinstance(row["has_capture"], bool)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d)", row["timestamp"])
    assert before <= datetime.fromisoformat(row["timestamp"])


PATHS = {
    "/v1/audio/speech": "/v1/audio/speech",
    "/v/chat/completions": "/chat/completions",
    "/audioapi/v1/tasks/run": "/v1/tasks/run",
    "/upstream/alpha/v1/embeddings": "/v1/embeddings",
    "/infill": "/infill",
}


@pytest.mark.parametrize(("path", "shown"), PATHS.items(), ids=PATHS)
def test_the_path_in_a_row(feed: Feed, ask: httpx.Client, path: str, shown: str) -> None:
    """The one that the model's server sees."""
    assert recorded(feed, ask, lambda: ask.post(path, json={"model": "alpha"}))["req_path"] == shown


def test_rows_of_forms(feed: Feed, ask: httpx.Client) -> None:
    """They are requests like others."""
    body, headers = multipart(("model", b"alpha"), file=b"sound")
    row = recorded(feed, ask, lambda: ask.post("/v1/audio/transcriptions", content=body, headers=headers))
    assert (row["model"], row["req_path"]) == ("alpha", "/v1/audio/transcriptions")
    row = recorded(feed, ask, lambda: ask.post("/v1/audio/speech", content=b"model=alpha", headers=FORM))
    assert row["model"] == "alpha"


@pytest.mark.parametrize(("name", "priority"), [("alpha", "0"), ("beta", "5")])
def test_the_priority_is_in_the_metadata(feed: Feed, ask: httpx.Client, name: str, priority: str) -> None:
    """As text."""
    row = recorded(feed, ask, lambda: ask.post("/v1/embeddings", json={"model": name}))
    assert row["metadata"]["fifo_priority"] == priority


# -- usage

UNKNOWN = {
    "cache_tokens": -1,
    "draft_tokens": -1,
    "draft_acc_tokens": -1,
    "prompt_per_second": -1,
    "tokens_per_second": -1,
}
NOTHING: dict[str, float] = dict.fromkeys(TOKENS, 0)
TIMINGS = {"prompt_n": 7, "predicted_n": 9, "prompt_per_second": 70.5, "predicted_per_second": 35.25}
TIMED = {**UNKNOWN, "input_tokens": 7, "output_tokens": 9, "prompt_per_second": 70.5, "tokens_per_second": 35.25}


def used(**tokens: float) -> dict[str, float]:
    return {**UNKNOWN, **tokens}


WHOLE: dict[str, tuple[object, dict[str, float]]] = {
    "OpenAI": (
        {"usage": {"prompt_tokens": 10, "completion_tokens": 5, "prompt_tokens_details": {"cached_tokens": 3}}},
        used(input_tokens=10, output_tokens=5, cache_tokens=3),
    ),
    "OpenAI without details": (
        {"usage": {"prompt_tokens": 10, "completion_tokens": 5}},
        used(input_tokens=10, output_tokens=5),
    ),
    "responses": (
        {"usage": {"input_tokens": 11, "output_tokens": 6, "input_tokens_details": {"cached_tokens": 4}}},
        used(input_tokens=11, output_tokens=6, cache_tokens=4),
    ),
    "Anthropic": (
        {"usage": {"input_tokens": 12, "output_tokens": 7, "cache_read_input_tokens": 5}},
        used(input_tokens=12, output_tokens=7, cache_tokens=5),
    ),
    "embeddings": ({"usage": {"prompt_tokens": 4, "total_tokens": 4}}, used(input_tokens=4, output_tokens=0)),
    "both spellings": (
        {"usage": {"prompt_tokens": 1, "input_tokens": 2, "completion_tokens": 3, "output_tokens": 4}},
        used(input_tokens=1, output_tokens=3),
    ),
    "timings": ({"timings": TIMINGS}, TIMED),
    "timings before usage": ({"usage": {"prompt_tokens": 1, "completion_tokens": 2}, "timings": TIMINGS}, TIMED),
    "timings with a cache": ({"timings": {**TIMINGS, "cache_n": 100}}, {**TIMED, "cache_tokens": 100}),
    "timings without speeds": (
        {"timings": {"prompt_n": 7, "predicted_n": 9}},
        {**TIMED, "prompt_per_second": 0, "tokens_per_second": 0},
    ),
    "drafts": (
        {"timings": {**TIMINGS, "draft_n": 20, "draft_n_accepted": 15}},
        {**TIMED, "draft_tokens": 20, "draft_acc_tokens": 15},
    ),
    "half of drafts": ({"timings": {**TIMINGS, "draft_n": 20}}, TIMED),
    "vLLM": (
        {
            "usage": {"prompt_tokens": 50, "completion_tokens": 5, "prompt_tokens_details": {"cached_tokens": 10}},
            "metrics": {
                "time_to_first_token_ms": 500,
                "mean_itl_ms": 20,
                "speculative_decoding": {"num_draft_tokens": 8, "num_accepted_draft_tokens": 6},
            },
        },
        {
            "input_tokens": 50, "output_tokens": 5, "cache_tokens": 10, "draft_tokens": 8, "draft_acc_tokens": 6,
            "prompt_per_second": 80, "tokens_per_second": 50,
        },
    ),
    "none": ({"hello": "world"}, NOTHING),
    "no object": ([1, 2], NOTHING),
}  # fmt: skip


@pytest.mark.parametrize(("body", "tokens"), WHOLE.values(), ids=WHOLE)
def test_usage_of_a_whole_answer(feed: Feed, ask: httpx.Client, body: object, tokens: dict[str, float]) -> None:
    """Under every name that servers give it."""
    assert row_of(feed, ask, body=json.dumps(body))["tokens"] == tokens


def test_usage_of_infill(feed: Feed, ask: httpx.Client) -> None:
    """The last element of a list has it."""
    body = json.dumps([{"timings": {"prompt_n": 1}}, {"timings": TIMINGS}])
    assert row_of(feed, ask, "/infill", body=body)["tokens"] == TIMED


def sse(*events: object) -> list[str]:
    return [f"data: {json.dumps(event)}\n\n" for event in events]


DONE = "data: [DONE]\n\n"
COMPLETED = {"usage": {"input_tokens": 11, "output_tokens": 6, "input_tokens_details": {"cached_tokens": 4}}}
BEGUN = {"input_tokens": 12, "output_tokens": 1, "cache_read_input_tokens": 5}
PLAIN = {"prompt_tokens": 3, "completion_tokens": 4}
PLAINLY = used(input_tokens=3, output_tokens=4)
STREAMS: dict[str, tuple[list[str], dict[str, float]]] = {
    "OpenAI": ([*sse({"choices": [{"delta": {"content": "x"}}]}, {"choices": [], "usage": PLAIN}), DONE], PLAINLY),
    "responses": (
        [f"event: response.completed\n{event}" for event in sse({"response": COMPLETED})],
        used(input_tokens=11, output_tokens=6, cache_tokens=4),
    ),
    "Anthropic": (
        sse(
            {"type": "message_start", "message": {"usage": BEGUN}},
            {"type": "content_block_delta", "delta": {"text": "x"}},
            {"type": "message_delta", "usage": {"output_tokens": 7}},
        ),
        used(input_tokens=12, output_tokens=7, cache_tokens=5),
    ),
    "timings": ([*sse({"choices": [{"delta": {}}], "timings": TIMINGS}), DONE], TIMED),
    "the last timings": (sse({"timings": {"prompt_n": 1, "predicted_n": 1}}, {"timings": TIMINGS}), TIMED),
    "later counts": (
        sse({"usage": PLAIN}, {"usage": {"prompt_tokens": 5, "completion_tokens": 0}}),
        used(input_tokens=5, output_tokens=4),
    ),
    "a cut event": (["data: {\n\n", *sse({"usage": PLAIN})], PLAINLY),
    "no space, CRLF": ([f"data:{json.dumps({'usage': PLAIN})}\r\n\r\n"], PLAINLY),
    "none": ([*sse({"choices": []}), DONE], NOTHING),
    "no events": ([": nothing\n\n"], NOTHING),
}


@pytest.mark.parametrize(("pieces", "tokens"), STREAMS.values(), ids=STREAMS)
def test_usage_of_a_stream(feed: Feed, ask: httpx.Client, pieces: list[str], tokens: dict[str, float]) -> None:
    """Wherever it stands."""
    assert row_of(feed, ask, type="text/event-stream", pieces=pieces)["tokens"] == tokens


@pytest.mark.parametrize("size", [1, 7])
def test_usage_of_a_stream_in_crumbs(feed: Feed, ask: httpx.Client, size: int) -> None:
    """However it is cut on its way."""
    whole = "".join(STREAMS["Anthropic"][0])
    pieces = [whole[at : at + size] for at in range(0, len(whole), size)]
    assert row_of(feed, ask, type="text/event-stream", pieces=pieces)["tokens"] == STREAMS["Anthropic"][1]


def deflated(body: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(body) + packer.flush()


COMPRESSED: dict[str, Callable[[bytes], bytes]] = {"gzip": gzip.compress, "deflate": deflated}


@pytest.mark.parametrize("coding", COMPRESSED)
def test_usage_of_a_compressed_answer(feed: Feed, ask: httpx.Client, coding: str) -> None:
    """It is unpacked for the row only."""
    body = COMPRESSED[coding](json.dumps({"timings": TIMINGS}).encode())
    told: dict[str, Any] = {"base64": base64.b64encode(body).decode(), "headers": {"Content-Encoding": coding}}
    assert row_of(feed, ask, **told)["tokens"] == TIMED


def test_a_compressed_answer_that_is_broken(feed: Feed, ask: httpx.Client) -> None:
    """The row says so, and the answer goes on as it came."""
    told = {"base64": base64.b64encode(b"no gzip").decode(), "headers": {"Content-Encoding": "gzip"}}

    def request() -> None:
        with ask.stream("POST", "/v1/embeddings", json={"model": "alpha"}, headers=answer(**told)) as response:
            assert b"".join(response.iter_raw()) == b"no gzip"

    row = recorded(feed, ask, request)
    assert row["tokens"] == NOTHING
    assert row["error_msg"].startswith("response decompression failed: ")


def test_a_duration_that_the_server_tells(feed: Feed, ask: httpx.Client) -> None:
    """If it is longer than what we saw."""
    body = json.dumps({"timings": {**TIMINGS, "prompt_ms": 500_000.0, "predicted_ms": 700_000.0}})
    assert row_of(feed, ask, body=body)["duration_ms"] == 1_200_000


# -- failures

ERRORS = {
    "error.message": ({"error": {"message": "too long"}, "message": "no"}, "too long"),
    "error": ({"error": "broken", "detail": "no"}, "broken"),
    "message": ({"error": {"message": " "}, "message": "as told"}, "as told"),
    "detail": ({"detail": "last"}, "last"),
    "cut": ({"error": "x" * 501}, "x" * 500 + "..."),
    "not cut": ({"error": "x" * 500}, "x" * 500),
    "nothing": ({"other": 1}, "503 Service Unavailable"),
}


@pytest.mark.parametrize(("body", "text"), ERRORS.values(), ids=ERRORS)
def test_the_text_of_an_error(feed: Feed, ask: httpx.Client, body: object, text: str) -> None:
    """Where servers put it; no tokens are counted."""
    row = row_of(feed, ask, status=503, body=json.dumps({**dict(body), "timings": TIMINGS}))  # type: ignore[call-overload]
    assert (row["resp_status_code"], row["error_msg"], row["tokens"]) == (503, text, NOTHING)


@pytest.mark.parametrize(("status", "text"), [(404, "404 Not Found"), (599, "HTTP 599"), (201, "201 Created")])
def test_an_error_without_a_text(feed: Feed, ask: httpx.Client, status: int, text: str) -> None:
    """Anything but 200 is one."""
    row = row_of(feed, ask, status=status, body="plain", type="text/plain")
    assert (row["resp_status_code"], row["error_msg"]) == (status, text)


def test_an_unknown_model_leaves_a_row(feed: Feed, ask: httpx.Client) -> None:
    """With the name that was asked for."""
    row = recorded(feed, ask, lambda: ask.post("/v1/embeddings", json={"model": "nobody"}))
    assert (row["model"], row["resp_status_code"], row["tokens"]) == ("nobody", 404, NOTHING)
    assert row["error_msg"]


def test_a_model_that_does_not_start_leaves_a_row(feed: Feed, ask: httpx.Client) -> None:
    """With the reason."""
    row = recorded(feed, ask, lambda: ask.post("/v1/embeddings", json={"model": "stillborn"}))
    assert (row["model"], row["resp_status_code"]) == ("stillborn", 502)
    assert "stillborn" in row["error_msg"]


def test_one_caller_too_many_leaves_a_row(feed: Feed, ask: httpx.Client) -> None:
    """So does the one who held the seat, when he leaves."""
    chat = {"model": "limited", "stream": True, "messages": [{"role": "user", "content": "[fake words=9 stall=2]"}]}
    before = feed.said
    with ask.stream("POST", "/v1/chat/completions", json=chat) as first:
        pieces = first.iter_raw()
        next(pieces)
        row = recorded(feed, ask, lambda: ask.post("/v1/chat/completions", json=chat))
        assert row["resp_status_code"] == 429
        assert row["error_msg"]
    feed.wait("activity", lambda data: data["id"] > row["id"], before)


UNRECORDED = {
    "a list": ("GET", "/v1/models", {}),
    "a GET route": ("GET", "/props?model=alpha", {}),
    "no model": ("POST", "/v1/embeddings", {"json": {"input": "x"}}),
    "another path of a model": ("POST", "/upstream/alpha/other", {"json": {}}),
    "a GET of a model": ("GET", "/upstream/alpha/v1/embeddings", {}),
    "an order": ("POST", "/api/models/load/alpha", {}),
}


@pytest.mark.parametrize(("method", "path", "more"), UNRECORDED.values(), ids=UNRECORDED)
def test_what_leaves_no_row(feed: Feed, ask: httpx.Client, method: str, path: str, more: Any) -> None:
    """The numbers of the rows before and after follow each other."""
    before = recorded(feed, ask, lambda: ask.post("/v1/embeddings", json={"model": "alpha"}))
    ask.request(method, path, **more)
    after = recorded(feed, ask, lambda: ask.post("/v1/embeddings", json={"model": "alpha"}))
    assert after["id"] == before["id"] + 1
