"""Section 6.5: what was asked and answered, kept for a while."""

from __future__ import annotations

import base64
import gzip
import json
import random
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.conformance.feed import Feed, recorded
from tests.conformance.scene import JSON, answer, mirror, multipart
from tests.whole.asking import NO_CERTIFICATES, openai_shape
from tests.whole.program import LONG, Program, config

RECORD = {"id", "req_path", "req_headers", "req_body", "resp_headers", "resp_body"}


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    text = config(mirror("alpha"), mirror("renamed", useModelName="inside"), captureBuffer=1)
    text += "groups: {all: {swap: false, members: [alpha, renamed]}}\n"
    with Program(tmp_path_factory.mktemp("captures"), text, watch=False) as started:
        yield started


@pytest.fixture(scope="module")
def feed(program: Program) -> Iterator[Feed]:
    with Feed(program) as listening:
        yield listening


def lower(headers: dict[str, str] | None) -> dict[str, str]:
    return {name.lower(): value for name, value in (headers or {}).items()}


def unpacked(text: str | None) -> bytes | None:
    return None if text is None else base64.b64decode(text)


def capture(feed: Feed, ask: httpx.Client, path: str = "/v1/chat/completions", **more: Any) -> dict[str, Any]:
    """The record of a request."""
    more = {"json": {"model": "alpha"}, **more}
    row = recorded(feed, ask, lambda: ask.post(path, **more))
    assert row["has_capture"]
    record: dict[str, Any] = ask.get(f"/api/captures/{row['id']}").raise_for_status().json()
    assert record.keys() >= RECORD
    assert record["id"] == row["id"]
    return record


def test_a_record(feed: Feed, ask: httpx.Client) -> None:
    """Heads and bodies of both, bodies in base64."""
    sent = b'{"model": "alpha", "x":1}'
    headers = {**JSON, **answer(body='{"y":2}', headers={"X-Own": "1"}), "X-Mine": "2"}
    record = capture(feed, ask, content=sent, headers=headers, json=None)
    assert record["req_path"] == "/v1/chat/completions"
    assert (unpacked(record["req_body"]), unpacked(record["resp_body"])) == (sent, b'{"y":2}')
    assert lower(record["req_headers"])["x-mine"] == "2"
    assert lower(record["resp_headers"])["x-own"] == "1"


def test_a_stream_is_kept_whole(feed: Feed, ask: httpx.Client) -> None:
    """All its events."""
    pieces = ["data: 1\n\n", "data: 2\n\n", "data: [DONE]\n\n"]
    record = capture(feed, ask, headers=answer(type="text/event-stream", pieces=pieces))
    assert unpacked(record["resp_body"]) == "".join(pieces).encode()


SECRET = ["Authorization", "Proxy-Authorization", "Cookie", "x-api-key", "X-API-KEY"]


@pytest.mark.parametrize("name", SECRET)
def test_secrets_are_not_kept(feed: Feed, ask: httpx.Client, name: str) -> None:
    """Of the caller."""
    record = capture(feed, ask, headers={name: "Bearer secret"})
    assert "secret" not in json.dumps(record["req_headers"])
    assert lower(record["req_headers"]).get(name.lower(), "[REDACTED]") == "[REDACTED]"


def test_a_cookie_that_is_set_is_not_kept(feed: Feed, ask: httpx.Client) -> None:
    """Of the server."""
    record = capture(feed, ask, headers=answer(body="{}", headers={"Set-Cookie": "secret"}))
    assert lower(record["resp_headers"])["set-cookie"] == "[REDACTED]"


def test_a_compressed_answer_is_kept_unpacked(feed: Feed, ask: httpx.Client) -> None:
    """And the header that says otherwise is left out."""
    told = {"base64": base64.b64encode(gzip.compress(b'{"y":2}')).decode(), "headers": {"Content-Encoding": "gzip"}}
    record = capture(feed, ask, headers=answer(**told))
    assert unpacked(record["resp_body"]) == b'{"y":2}'
    assert "content-encoding" not in lower(record["resp_headers"])


def test_the_request_is_kept_as_the_model_got_it(feed: Feed, ask: httpx.Client) -> None:
    """With its own name."""
    record = capture(feed, ask, json={"model": "renamed"})
    assert json.loads(unpacked(record["req_body"]) or b"") == {"model": "inside"}


PARTS = {
    "/v1/chat/completions": (True, True),
    "/v1/embeddings": (True, True),
    "/v1/audio/speech": (True, False),
    "/v1/images/generations": (True, False),
    "/sdapi/v1/txt2img": (True, False),
    "/sdapi/v1/img2img": (False, False),
    "/v1/audio/voices": (False, True),
}


@pytest.mark.parametrize(("path", "kept"), PARTS.items(), ids=PARTS)
def test_which_bodies_are_kept(feed: Feed, ask: httpx.Client, path: str, kept: tuple[bool, bool]) -> None:
    """Not those that are sounds or pictures."""
    record = capture(feed, ask, path)
    assert (record["req_body"] is not None, record["resp_body"] is not None) == kept


FORMS = {"/v1/audio/transcriptions": (False, True), "/v1/images/edits": (False, False)}


@pytest.mark.parametrize(("path", "kept"), FORMS.items(), ids=FORMS)
def test_which_bodies_of_forms_are_kept(feed: Feed, ask: httpx.Client, path: str, kept: tuple[bool, bool]) -> None:
    """Files are not."""
    body, headers = multipart(("model", b"alpha"), file=b"sound")
    record = capture(feed, ask, path, content=body, headers=headers, json=None)
    assert (record["req_body"] is not None, record["resp_body"] is not None) == kept


def test_a_failed_answer_has_no_body(feed: Feed, ask: httpx.Client) -> None:
    """But the request is kept: it is what one wants to see."""
    record = capture(feed, ask, headers=answer(status=500, body='{"error":"no"}'))
    assert record["resp_body"] is None
    assert record["req_body"] is not None


UNKEPT: dict[str, dict[str, Any]] = {
    "empty": {"body": ""},
    "broken": {"base64": base64.b64encode(b"no gzip").decode(), "headers": {"Content-Encoding": "gzip"}},
}


@pytest.mark.parametrize("told", UNKEPT.values(), ids=UNKEPT)
def test_what_is_not_kept(feed: Feed, ask: httpx.Client, told: dict[str, Any]) -> None:
    """An answer of nothing, or one that cannot be unpacked."""

    def request() -> None:
        with ask.stream("POST", "/v1/embeddings", json={"model": "alpha"}, headers=answer(**told)) as response:
            b"".join(response.iter_raw())

    row = recorded(feed, ask, request)
    assert not row["has_capture"]
    assert ask.get(f"/api/captures/{row['id']}").status_code == 404


@pytest.mark.parametrize("number", ["x", "1.5", "1x"])
def test_a_number_that_is_none(ask: httpx.Client, number: str) -> None:
    """400."""
    response = ask.get(f"/api/captures/{number}")
    assert response.status_code == 400
    openai_shape(response)


@pytest.mark.parametrize("number", ["0", "999999", "-1"])
def test_a_number_that_is_not_there(ask: httpx.Client, number: str) -> None:
    """404."""
    response = ask.get(f"/api/captures/{number}")
    assert response.status_code == 404
    openai_shape(response)


def test_the_oldest_give_way(feed: Feed, ask: httpx.Client) -> None:
    """Together they are no larger than captureBuffer; what does not compress fills it soon."""
    rows = []
    for number in range(4):
        noise = base64.b64encode(random.Random(number).randbytes(400_000)).decode()
        rows.append(recorded(feed, ask, lambda: ask.post("/v1/embeddings", json={"model": "alpha", "x": noise})))  # noqa: B023
    statuses = [ask.get(f"/api/captures/{row['id']}").status_code for row in rows]
    assert statuses[0] == 404
    assert statuses[-1] == 200


def test_one_that_is_larger_than_all_room_is_not_kept(feed: Feed, ask: httpx.Client) -> None:
    """Nor does it push others out."""
    kept = capture(feed, ask)
    noise = base64.b64encode(random.Random(9).randbytes(1_700_000)).decode()
    row = recorded(feed, ask, lambda: ask.post("/v1/embeddings", json={"model": "alpha", "x": noise}))
    assert not row["has_capture"]
    assert ask.get(f"/api/captures/{kept['id']}").status_code == 200


def test_none_at_all(tmp_path_factory: pytest.TempPathFactory) -> None:
    """With a captureBuffer of 0."""
    text = config(mirror("alpha"), captureBuffer=0)
    with (
        Program(tmp_path_factory.mktemp("none"), text, watch=False) as started,
        Feed(started) as listening,
        httpx.Client(base_url=started.url, trust_env=False, verify=NO_CERTIFICATES, timeout=LONG) as ask,
    ):
        row = recorded(listening, ask, lambda: ask.post("/v1/embeddings", json={"model": "alpha"}))
        assert not row["has_capture"]
        assert ask.get(f"/api/captures/{row['id']}").status_code == 404
