"""Section 5.2: which doors a key opens, and where it may stand."""

from __future__ import annotations

import base64
from collections.abc import Iterator

import httpx
import pytest

from tests.conformance.scene import mirror, seen
from tests.whole.asking import anthropic_shape, openai_shape
from tests.whole.program import Program, config


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    text = config(mirror("alpha"), apiKeys="[first, second]")
    with Program(tmp_path_factory.mktemp("auth"), text, watch=False) as started:
        yield started


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


CLOSED = [
    ("POST", "/v1/chat/completions"), ("POST", "/v1/completions"), ("POST", "/v1/embeddings"), ("POST", "/rerank"),
    ("POST", "/v1/audio/transcriptions"), ("POST", "/v1/images/generations"), ("POST", "/sdapi/v1/txt2img"),
    ("POST", "/v/chat/completions"), ("POST", "/audioapi/v1/tasks/run"), ("GET", "/v1/audio/voices"), ("GET", "/props"),
    ("GET", "/v1/models"), ("GET", "/models"), ("GET", "/running"), ("GET", "/unload"),
    ("POST", "/api/models/unload"), ("POST", "/api/models/unload/alpha"), ("GET", "/logs"), ("GET", "/logs/stream"),
    ("GET", "/logs/stream/alpha"), ("GET", "/upstream/alpha/"), ("POST", "/upstream/alpha/x"),
    ("GET", "/upstream/alpha"),
    ("GET", "/comfyui"), ("GET", "/comfyui/"), ("GET", "/api/profiles"), ("PUT", "/api/profiles/active"),
    ("POST", "/api/inflight/1/cancel"), ("GET", "/api/events"), ("GET", "/api/metrics/activity"),
    ("GET", "/api/metrics/stats"), ("GET", "/api/captures/1"), ("GET", "/api/performance"), ("GET", "/api/hardware"),
    ("GET", "/api/version"), ("GET", "/ui/"),
]  # fmt: skip


@pytest.mark.parametrize(("method", "path"), CLOSED, ids=[f"{method} {path}" for method, path in CLOSED])
def test_a_door_that_needs_a_key(ask: httpx.Client, method: str, path: str) -> None:
    """401 with the challenge by which a browser asks the person."""
    response = ask.request(method, path)
    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"] == 'Basic realm="llama-swap"'
    assert openai_shape(response)[0] == "unauthorized"
    assert response.json()["error"]["type"] == "authentication_error"


@pytest.mark.differs("errors in the caller's shape")
@pytest.mark.parametrize("path", ["/v1/messages", "/v1/messages/count_tokens", "/v/messages"])
def test_a_door_of_anthropics(ask: httpx.Client, path: str) -> None:
    """The same in that API's shape."""
    response = ask.post(path)
    assert response.status_code == 401
    assert anthropic_shape(response)[0] == "authentication_error"


OPEN = {"/health": 200, "/wol-health": 200, "/": 302, "/upstream": 302}


@pytest.mark.parametrize(("path", "status"), OPEN.items(), ids=OPEN)
def test_a_door_that_needs_none(ask: httpx.Client, path: str, status: int) -> None:
    """Whoever watches the machine has no key, and a redirect tells nothing."""
    assert ask.get(path).status_code == status


def test_the_icon_needs_none(ask: httpx.Client) -> None:
    """Browsers ask for it without credentials."""
    assert ask.get("/favicon.ico").status_code in (200, 404)


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/running", "/nowhere"])
def test_a_preflight_needs_none(ask: httpx.Client, path: str) -> None:
    """It carries no credentials either."""
    asked = {"Origin": "http://app.example", "Access-Control-Request-Method": "POST"}
    assert ask.options(path, headers=asked).status_code == 204


PLACES: dict[str, dict[str, str]] = {
    "bearer": {"Authorization": "Bearer first"},
    "bearer in small letters": {"Authorization": "bearer second"},
    "basic": {"Authorization": basic("anybody", "first")},
    "basic without a user": {"Authorization": basic("", "second")},
    "basic in capitals": {"Authorization": basic("x", "first").replace("Basic", "BASIC")},
    "x-api-key": {"x-api-key": "second"},
    "empty bearer falls through": {"Authorization": "Bearer", "x-api-key": "first"},
    "empty basic falls through": {"Authorization": basic("user", ""), "x-api-key": "first"},
    "other scheme falls through": {"Authorization": "Digest first", "x-api-key": "first"},
}


@pytest.mark.parametrize("headers", PLACES.values(), ids=PLACES)
def test_a_key_that_opens(ask: httpx.Client, headers: dict[str, str]) -> None:
    """Basic's password, Bearer's token, or x-api-key."""
    assert ask.get("/v1/models", headers=headers).status_code == 200


WRONG: dict[str, tuple[dict[str, str], str]] = {
    "wrong": ({"Authorization": "Bearer third"}, ""),
    "a part of it": ({"Authorization": "Bearer firs"}, ""),
    "more than it": ({"Authorization": "Bearer first "[:-1] + "1"}, ""),
    "in other letters": ({"Authorization": "Bearer FIRST"}, ""),
    "behind two spaces": ({"Authorization": "Bearer  first"}, ""),
    "without a scheme": ({"Authorization": "first"}, ""),
    "as the user": ({"Authorization": basic("first", "wrong")}, ""),
    "wrong bearer beside a right x-api-key": ({"Authorization": "Bearer third", "x-api-key": "first"}, ""),
    "wrong x-api-key": ({"x-api-key": "third"}, ""),
    "in the query": ({}, "?api_key=first&key=first"),
}


@pytest.mark.parametrize(("headers", "query"), WRONG.values(), ids=WRONG)
def test_a_key_that_does_not_open(ask: httpx.Client, headers: dict[str, str], query: str) -> None:
    """Exactly the key, in the first of the places that holds one, and never in the address."""
    assert ask.get(f"/v1/models{query}", headers=headers).status_code == 401


@pytest.mark.differs("keys stay here")
@pytest.mark.parametrize(
    "headers", [{"Authorization": "Bearer first"}, {"x-api-key": "first"}, {"Authorization": basic("x", "first")}]
)
def test_the_key_goes_no_further(ask: httpx.Client, headers: dict[str, str]) -> None:
    """llama-swap hands it to the model's server."""
    met = seen(ask.post("/v1/embeddings", json={"model": "alpha"}, headers=headers))
    assert met.header("Authorization") is None
    assert met.header("x-api-key") is None
