"""Section 5.4: the shape of an error, its type and code, and how each situation is told."""

from __future__ import annotations

import json
from collections.abc import Iterator

import httpx
import pytest

from tests.conformance.scene import answer, mirror
from tests.whole.asking import anthropic_shape, forgive, openai_shape, turned_away
from tests.whole.journal import Journal
from tests.whole.program import Program, config, model

CHAT = "/v1/chat/completions"


@pytest.fixture(scope="module")
def journal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Journal]:
    with Journal(tmp_path_factory.mktemp("errors")) as kept:
        yield kept


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory, journal: Journal) -> Iterator[Program]:
    text = config(
        mirror("alpha"),
        model("fake"),
        model("limited", journal.option, concurrencyLimit=1),
        model("stillborn", "--exit --exit-code 7"),
    )
    with Program(tmp_path_factory.mktemp("program"), text, watch=False) as started:
        yield started


def chat(name: str, prompt: str = "x", *, stream: bool = False) -> dict[str, object]:
    return {"model": name, "stream": stream, "max_tokens": 50, "messages": [{"role": "user", "content": prompt}]}


def test_the_envelope(ask: httpx.Client) -> None:
    """Its keys in their order, no charset, and nothing behind it."""
    response = ask.post(CHAT, json=chat("nobody"))
    assert response.headers["Content-Type"] == "application/json"
    assert list(response.json()) == ["src", "error"]
    assert list(response.json()["error"]) == ["message", "type", "param", "code"]
    assert response.json()["src"] == "llama-swap"
    assert response.json()["error"]["param"] is None
    assert response.text.startswith('{"src":"llama-swap","error":{"message":"')
    assert response.text.endswith('"}}')


# -- types and codes. Those that llama-swap has too are the same; where one of ours says more, the difference is named.

SAME_CODES = {
    "400": ("/api/metrics/activity?limit=none", 400, "bad_request"),
    "404": ("/api/captures/999999", 404, "not_found"),
    "409": ("/upstream/fake/style.css", 409, "conflict"),
}


@pytest.mark.parametrize(("path", "status", "code"), SAME_CODES.values(), ids=SAME_CODES)
def test_types_and_codes(ask: httpx.Client, path: str, status: int, code: str) -> None:
    """By status."""
    ask.get("/unload")
    response = ask.get(path)
    assert response.status_code == status
    assert response.json()["error"]["type"] == "invalid_request_error"
    assert openai_shape(response)[0] == code


@pytest.mark.differs("codes say more")
@pytest.mark.parametrize("path", [CHAT, "/v1/embeddings", "/rerank", "/infill"])
def test_an_unknown_model(ask: httpx.Client, path: str) -> None:
    """404 as there; the code is OpenAI's own, and the sentence names the model."""
    response = ask.post(path, json=chat("nobody"))
    assert response.status_code == 404
    assert response.json()["error"]["type"] == "invalid_request_error"
    code, sentence = openai_shape(response)
    assert code == "model_not_found"
    assert "nobody" in sentence


@pytest.mark.differs("errors in the caller's shape")
def test_an_unknown_model_of_anthropics(ask: httpx.Client) -> None:
    """Their client reads no other shape."""
    response = ask.post("/v1/messages", json=chat("nobody"))
    assert response.status_code == 404
    assert anthropic_shape(response)[0] == "not_found_error"


def test_one_caller_too_many(ask: httpx.Client, journal: Journal) -> None:
    """429 at once, with the time to try again, the message and the code that clients know."""
    with ask.stream("POST", CHAT, json=chat("limited", "[fake words=9 stall=2]", stream=True)) as first:
        pieces = first.iter_raw()
        next(pieces)
        responses = [ask.post(CHAT, json=chat("limited"), headers={"Accept": kind}) for kind in ("*/*", "text/plain")]
    for response in responses:
        assert response.status_code == 429
        assert response.headers["Retry-After"] == "1"
        assert response.headers["Content-Type"] == "application/json"
        assert response.json()["error"]["type"] == "rate_limit_error"
        assert openai_shape(response)[0] == "concurrency_limit"
    journal.wait("gone")


def test_one_caller_too_many_is_told_before_a_stream_begins(ask: httpx.Client, journal: Journal) -> None:
    """A caller who wanted a stream gets a status too, and the free seat is free again afterwards."""
    before = len(journal.all("gone"))
    with ask.stream("POST", CHAT, json=chat("limited", "[fake words=9 stall=2]", stream=True)) as first:
        pieces = first.iter_raw()
        next(pieces)
        assert ask.post(CHAT, json=chat("limited", stream=True)).status_code == 429
    journal.wait("gone", before + 1)
    status = 429
    while status == 429:
        status = ask.post(CHAT, json=chat("limited")).status_code
    assert status == 200


@pytest.mark.differs("errors are always JSON")
@pytest.mark.parametrize("accept", ["text/plain", "application/json, text/plain, */*", "text/html,*/*;q=0.8"])
@pytest.mark.parametrize("path", [CHAT, "/api/models/unload/nobody", "/logs/stream/nobody"])
def test_what_the_caller_accepts_changes_nothing(ask: httpx.Client, accept: str, path: str) -> None:
    """llama-swap looks for text/plain and text/html in Accept, in which many clients list them without meaning it."""
    method = "GET" if path.startswith("/logs") else "POST"
    response = ask.request(method, path, json=chat("nobody"), headers={"Accept": accept})
    assert response.headers["Content-Type"] == "application/json"
    openai_shape(response)


@pytest.mark.differs("failures have their own status")
def test_a_model_that_does_not_start(program: Program, ask: httpx.Client) -> None:
    """502 and why; there it is 500 `unspecific error`."""
    forgive(program, "stillborn")
    response = ask.post(CHAT, json=chat("stillborn"))
    assert response.status_code == 502
    assert response.json()["error"]["type"] == "server_error"
    code, sentence = openai_shape(response)
    assert code == "model_start_failed"
    assert "exit code 7" in sentence


@pytest.mark.differs("failures have their own status")
def test_a_model_that_failed_a_moment_ago(ask: httpx.Client) -> None:
    """503 with the time to try again; there it is started anew for every request."""
    response = turned_away(lambda: ask.post(CHAT, json=chat("stillborn")))
    assert response.status_code == 503
    assert int(response.headers["Retry-After"]) >= 1
    assert response.json()["error"]["type"] == "server_error"


@pytest.mark.differs("a dead server is told")
def test_a_server_that_dies_before_its_answer(ask: httpx.Client) -> None:
    """502 as there, with a body that says what happened instead of none."""
    response = ask.post(CHAT, json=chat("fake", "[fake crash=before]"))
    assert response.status_code == 502
    assert openai_shape(response)[0] == "upstream_failed"


@pytest.mark.differs("a broken stream looks broken")
def test_a_server_that_dies_in_its_answer(ask: httpx.Client) -> None:
    """An error event and a broken end; there the stream ends as if it were complete."""
    pieces: list[str] = []
    ask.post("/api/models/reset/fake")  # it may have died in a test before this one
    broken = pytest.raises(httpx.RemoteProtocolError)
    with (
        ask.stream("POST", CHAT, json=chat("fake", "[fake words=9 interval=0.05 crash=3]", stream=True)) as response,
        broken,
    ):
        pieces.extend(response.iter_text())
    got = "".join(pieces)
    last = got.strip().rpartition("\n\n")[2]
    assert "[DONE]" not in got
    assert json.loads(last.removeprefix("data: "))["error"]["code"] == "upstream_failed"


@pytest.mark.parametrize("status", [400, 404, 422, 429, 500, 503])
def test_a_models_own_error_is_passed_on(ask: httpx.Client, status: int) -> None:
    """What its server refuses is its own business: status, type and body as they came."""
    headers = answer(status=status, body='{"detail":"no"}', headers={"X-Own": "1"})
    response = ask.post(CHAT, json=chat("alpha"), headers=headers)
    assert (response.status_code, response.text) == (status, '{"detail":"no"}')
    assert response.headers["X-Own"] == "1"
