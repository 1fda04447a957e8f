"""Which doors there are, what they take, and who may pass those that change state or read private things."""

from __future__ import annotations

import re
from collections.abc import Iterator

import httpx
import pytest

from tests.whole.asking import anthropic_shape, caller, openai_shape, pids
from tests.whole.program import Program, config, model


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    with Program(tmp_path_factory.mktemp("doors"), config(model("one")), watch=False) as started:
        yield started


@pytest.fixture
def ask(program: Program) -> Iterator[httpx.Client]:
    with caller(program) as client:
        yield client


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_there_is_no_such_route(ask: httpx.Client, method: str) -> None:
    """The sentence repeats the path."""
    response = ask.request(method, "/v1/nothing/here")
    assert response.status_code == 404
    assert openai_shape(response) == ("not_found", "there is no /v1/nothing/here here")


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/v1/chat/completions", "POST"),
        ("GET", "/v1/messages", "POST"),
        ("POST", "/v1/models", "GET"),
        ("DELETE", "/running", "GET"),
        ("GET", "/api/models/load/one", "POST"),
        ("PUT", "/api/models/unload/a/b:c", "POST"),
    ],
)
def test_a_method_that_a_route_does_not_take(ask: httpx.Client, method: str, path: str, allowed: str) -> None:
    """405 names the method that it takes, in the shape of the route's family."""
    response = ask.request(method, path)
    assert response.status_code == 405
    assert allowed in response.headers["Allow"]
    shape = anthropic_shape if path == "/v1/messages" else openai_shape
    assert f"{path} takes {allowed}, not {method}" in shape(response)[1]


# -- the guard of the control routes

CONTROL = [
    ("GET", "/running"), ("GET", "/unload"), ("GET", "/logs"), ("GET", "/logs/stream/proxy"),
    ("POST", "/models/unload"), ("POST", "/api/models/unload"), ("POST", "/api/models/unload/one"),
    ("POST", "/api/models/load/one"), ("POST", "/api/models/restart/one"), ("POST", "/api/models/reset/one"),
]  # fmt: skip
STRANGERS = {
    "host": ({"Host": "evil.example"}, "foreign_host: .*evil.example: add it to allowedHosts"),
    "origin": ({"Origin": "http://evil.example"}, "foreign_origin: .*evil.example: .*allowedHosts"),
    "null": ({"Origin": "null"}, "foreign_origin: .*web origin null"),
    "cross-site": ({"Sec-Fetch-Site": "cross-site"}, "foreign_origin: .*another web site"),
}


@pytest.mark.parametrize("stranger", STRANGERS.values(), ids=STRANGERS)
@pytest.mark.parametrize("door", CONTROL, ids=" ".join)
def test_strangers_cannot_use_control_routes(
    ask: httpx.Client, door: tuple[str, str], stranger: tuple[dict[str, str], str]
) -> None:
    """A page of another site, or a name that a stranger's DNS points here, is refused before anything happens."""
    sent, refusal = stranger
    response = ask.request(*door, headers=sent)
    assert response.status_code == 403
    assert "Access-Control-Allow-Origin" not in response.headers
    assert re.match(refusal, ": ".join(openai_shape(response)))


def test_a_refused_unload_unloads_nothing(program: Program, ask: httpx.Client) -> None:
    """The model is still up, in the same process."""
    ask.post("/api/models/load/one").raise_for_status()
    before = pids(program)
    assert ask.get("/unload", headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert ask.get("/unload", headers={"Referer": "http://evil.example/"}).status_code == 403
    assert pids(program) == before


def test_our_own_pages_may_use_control_routes(program: Program, ask: httpx.Client) -> None:
    """An Origin that is ours, and a navigation of the person's own, are let in."""
    assert ask.get("/running", headers={"Origin": program.url}).status_code == 200
    assert ask.get("/running", headers={"Sec-Fetch-Site": "same-origin"}).status_code == 200
    assert ask.get("/running", headers={"Sec-Fetch-Site": "none"}).status_code == 200
    assert ask.get("/running", headers={"Host": "machine.lan"}).status_code == 200


@pytest.mark.parametrize("headers", [{"Host": "evil.example"}, {"Origin": "http://evil.example"}])
def test_model_routes_and_lists_answer_everybody(ask: httpx.Client, headers: dict[str, str]) -> None:
    """Any Host and any Origin."""
    body = {"model": "one", "messages": [{"role": "user", "content": "x"}]}
    for response in (
        ask.post("/v1/chat/completions", json=body, headers=headers),
        ask.get("/v1/models", headers=headers),
    ):
        assert response.status_code == 200
        assert response.headers.get_list("Access-Control-Allow-Origin") == ["*"]


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/messages", "/v1/models", "/infill"])
def test_a_browsers_question_before_a_model_route(ask: httpx.Client, path: str) -> None:
    """Every origin may ask with the headers it names."""
    headers = {
        "Origin": "http://app.example",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "content-type, x-stainless-os",
    }
    response = ask.options(path, headers=headers)
    assert response.status_code == 204
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    assert "POST" in response.headers["Access-Control-Allow-Methods"]
    assert response.headers["Access-Control-Allow-Headers"] == "content-type, x-stainless-os"


@pytest.mark.parametrize("path", ["/unload", "/running", "/logs/stream/one", "/api/models/load/a/b"])
def test_a_browsers_question_before_a_control_route(ask: httpx.Client, path: str) -> None:
    """No other origin is given leave."""
    headers = {"Origin": "http://app.example", "Access-Control-Request-Method": "POST"}
    response = ask.options(path, headers=headers)
    assert response.status_code == 204
    assert not [name for name in response.headers if name.lower().startswith("access-control")]
