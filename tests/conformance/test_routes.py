"""Sections 5.1 and 5.3: every route, what reaches the model's server, and what is no route."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPConnection

import httpx
import pytest

from tests.conformance.scene import mirror, multipart, seen
from tests.whole.asking import anthropic_shape, openai_shape
from tests.whole.program import Program, config


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    with Program(tmp_path_factory.mktemp("routes"), config(mirror("alpha"), mirror("beta")), watch=False) as started:
        yield started


SAME = [
    "/v1/chat/completions", "/v1/completions", "/v1/responses", "/v1/messages", "/v1/messages/count_tokens",
    "/v1/embeddings", "/v1/rerank", "/v1/reranking", "/rerank", "/reranking", "/infill", "/completion",
    "/v1/audio/speech", "/v1/audio/voices", "/v1/images/generations", "/sdapi/v1/txt2img", "/sdapi/v1/img2img",
]  # fmt: skip
BARE = [
    "/chat/completions", "/responses", "/completions", "/messages", "/messages/count_tokens", "/embeddings",
    "/rerank", "/reranking",
]  # fmt: skip
UPSTREAM = {path: path for path in SAME} | {f"/v{path}": path for path in BARE}
UPSTREAM["/audioapi/v1/tasks/run"] = "/v1/tasks/run"


@pytest.mark.parametrize(("path", "upstream"), UPSTREAM.items(), ids=UPSTREAM)
def test_a_post_with_the_model_in_its_body(ask: httpx.Client, path: str, upstream: str) -> None:
    """It reaches the model at the path of the table, and its bytes are the caller's."""
    body = b'{ "input":"x",  "model":"alpha" , "n" : 1.0}'
    met = seen(ask.post(path, content=body, headers={"Content-Type": "application/json"}))
    assert (met.name, met.method, met.target, met.body) == ("alpha", "POST", upstream, body)


@pytest.mark.parametrize("path", ["/v1/audio/transcriptions", "/v1/images/edits"])
def test_a_form_with_a_file(ask: httpx.Client, path: str) -> None:
    """Multipart routes find the model in its field, and the form arrives as it was sent."""
    body, headers = multipart(("model", b"alpha"), ("prompt", b"x"), file=bytes(range(256)) * 16)
    met = seen(ask.post(path, content=body, headers=headers))
    assert (met.name, met.target, met.body) == ("alpha", path, body)
    assert met.header("Content-Type") == headers["Content-Type"]


@pytest.mark.parametrize("path", ["/v1/audio/voices", "/sdapi/v1/loras", "/props"])
def test_a_get_with_the_model_in_its_query(ask: httpx.Client, path: str) -> None:
    """The query goes on with it."""
    met = seen(ask.get(f"{path}?model=alpha&x=1"))
    assert (met.name, met.method, met.target) == ("alpha", "GET", f"{path}?model=alpha&x=1")


@pytest.mark.parametrize("path", ["/v1/audio/voices", "/sdapi/v1/loras", "/props"])
def test_a_get_route_answers_head(ask: httpx.Client, path: str) -> None:
    """The query names the model here too; there is no body."""
    response = ask.head(path, params={"model": "alpha"})
    assert response.status_code == 200
    assert int(response.headers["Content-Length"]) > 0
    assert response.content == b""


UNROUTED = [
    ("POST", "/v1/audio/translations"), ("POST", "/v1/images/variations"), ("POST", "/tokenize"),
    ("POST", "/detokenize"), ("POST", "/apply-template"), ("GET", "/slots"), ("GET", "/v1/realtime"),
    ("GET", "/sdapi/v1/options"), ("POST", "/v/audio/speech"), ("GET", "/no/such/thing"),
]  # fmt: skip


@pytest.mark.differs("errors are always JSON")
@pytest.mark.parametrize(("method", "path"), UNROUTED, ids=[path for _, path in UNROUTED])
def test_what_is_not_routed(ask: httpx.Client, method: str, path: str) -> None:
    """404; llama-swap says so in plain text, here it has a code and a sentence."""
    response = ask.request(method, path, json={"model": "alpha"})
    assert response.status_code == 404
    assert openai_shape(response)[0] == "not_found"


WRONG = [
    ("GET", "/v1/chat/completions", "POST"), ("DELETE", "/v1/embeddings", "POST"), ("POST", "/v1/models", "GET"),
    ("PUT", "/running", "GET"), ("POST", "/unload", "GET"), ("GET", "/api/models/unload", "POST"),
    ("POST", "/logs", "GET"), ("POST", "/health", "GET"), ("POST", "/props", "GET"), ("POST", "/sdapi/v1/loras", "GET"),
    ("GET", "/v1/audio/speech", "POST"), ("GET", "/v/chat/completions", "POST"), ("POST", "/api/events", "GET"),
    ("POST", "/api/profiles", "GET"), ("GET", "/api/profiles/active", "PUT"), ("POST", "/api/metrics/activity", "GET"),
    ("POST", "/api/metrics/stats", "GET"), ("POST", "/api/performance", "GET"), ("POST", "/api/version", "GET"),
    ("GET", "/api/inflight/1/cancel", "POST"), ("POST", "/api/captures/1", "GET"), ("POST", "/api/hardware", "GET"),
]  # fmt: skip


@pytest.mark.differs("errors are always JSON")
@pytest.mark.parametrize(("method", "path", "allowed"), WRONG, ids=[f"{method} {path}" for method, path, _ in WRONG])
def test_a_wrong_method(ask: httpx.Client, method: str, path: str, allowed: str) -> None:
    """405 with Allow; llama-swap's body is plain text."""
    response = ask.request(method, path)
    assert response.status_code == 405
    assert allowed in response.headers["Allow"]
    assert openai_shape(response)[0] == "method_not_allowed"


@pytest.mark.differs("errors in the caller's shape")
def test_a_wrong_method_of_anthropics_route(ask: httpx.Client) -> None:
    """A client of that API reads only that shape."""
    response = ask.get("/v1/messages")
    assert response.status_code == 405
    anthropic_shape(response)


@pytest.mark.parametrize("path", ["/health", "/wol-health"])
def test_health(ask: httpx.Client, path: str) -> None:
    """OK, as text; the second name is for a tool that wakes machines."""
    response = ask.get(path)
    assert (response.status_code, response.text) == (200, "OK")
    assert response.headers["Content-Type"] == "text/plain; charset=utf-8"


@pytest.mark.parametrize(
    "path",
    ["/health", "/wol-health", "/v1/models", "/models", "/running", "/logs", "/api/version", "/api/profiles",
     "/api/metrics/activity", "/api/metrics/stats", "/api/performance", "/ui/"],
)  # fmt: skip
def test_head_of_what_can_be_got(ask: httpx.Client, path: str) -> None:
    """A GET route answers HEAD, with the same status and no body."""
    assert ask.head(path).status_code == ask.get(path).status_code == 200
    assert ask.head(path).content == b""


@pytest.mark.parametrize(("path", "to"), [("/", "/ui"), ("/upstream", "/ui/models"), ("/ui", "/ui/")])
def test_doors_that_lead_to_the_page(ask: httpx.Client, path: str, to: str) -> None:
    """A browser that comes to the address finds the page. (One hop more or less is no matter: `/ui` and `/ui/`.)"""
    response = ask.get(path)
    assert response.next_request is not None
    assert response.next_request.url.path.rstrip("/") == to.rstrip("/")


def test_the_page(ask: httpx.Client) -> None:
    """Under /ui/ there is a page."""
    response = ask.get("/ui/")
    assert response.status_code == 200
    assert response.headers["Content-Type"].startswith("text/html")


def test_the_icon(ask: httpx.Client) -> None:
    """There, or 404; in neither case a page or a redirect."""
    response = ask.get("/favicon.ico")
    assert response.status_code in (200, 404)
    if response.status_code == 200:
        assert response.headers["Content-Type"].startswith("image/")


def test_the_version(ask: httpx.Client) -> None:
    """Three texts."""
    told = ask.get("/api/version").raise_for_status().json()
    assert set(told) == {"build_date", "commit", "version"}
    assert all(isinstance(value, str) for value in told.values())


# -- what a browser asks before it asks

MODEL_ROUTES = ["/v1/chat/completions", "/v1/messages", "/v/chat/completions", "/v1/models", "/props"]
ASKED = {"Origin": "http://app.example", "Access-Control-Request-Method": "POST"}


@pytest.mark.parametrize("path", MODEL_ROUTES)
def test_a_preflight(ask: httpx.Client, path: str) -> None:
    """204 without a key, every origin, every method, for a day."""
    response = ask.options(path, headers=ASKED)
    assert (response.status_code, response.content) == (204, b"")
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    methods = {method.strip() for method in response.headers["Access-Control-Allow-Methods"].split(",")}
    assert {"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"} <= methods
    assert response.headers["Access-Control-Max-Age"] == "86400"


def test_a_preflight_gets_the_headers_it_asks_for(ask: httpx.Client) -> None:
    """Those that are names, joined by comma and space."""
    wanted = {**ASKED, "Access-Control-Request-Headers": "content-type,x-one , not a name,x-two"}
    response = ask.options("/v1/chat/completions", headers=wanted)
    assert response.headers["Access-Control-Allow-Headers"] == "content-type, x-one, x-two"


def test_a_preflight_that_asks_for_no_headers(ask: httpx.Client) -> None:
    """It gets the usual four."""
    response = ask.options("/v1/chat/completions", headers=ASKED)
    assert response.headers["Access-Control-Allow-Headers"] == "Content-Type, Authorization, Accept, X-Requested-With"


@pytest.mark.differs("pages of other origins")
@pytest.mark.parametrize("path", ["/unload", "/running", "/api/events", "/api/models/unload", "/upstream/alpha/x"])
def test_a_preflight_of_a_private_door(ask: httpx.Client, path: str) -> None:
    """204 as everywhere, but no other origin is given leave."""
    response = ask.options(path, headers=ASKED)
    assert response.status_code == 204
    assert "Access-Control-Allow-Origin" not in response.headers


@pytest.mark.differs("pages of other origins")
def test_an_answer_may_be_read_by_any_page(ask: httpx.Client) -> None:
    """llama-swap answers the preflight and then forgets the header, so that browsers discard the answer."""
    response = ask.post("/v1/embeddings", json={"model": "alpha"}, headers={"Origin": "http://app.example"})
    assert response.headers.get_list("Access-Control-Allow-Origin") == ["*"]


# -- paths that are not quite

UNCLEAN = ["//v1/models", "/v1//models", "/v1/./models", "/x/../v1/models"]


@pytest.mark.parametrize("path", UNCLEAN)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_an_unclean_path_is_sent_to_the_clean_one(program: Program, method: str, path: str) -> None:
    """A base address that ends in a slash still works: the caller is redirected, and keeps method, body and query."""
    clean = {"GET": "/v1/models", "POST": "/v1/embeddings"}[method]
    with closing(HTTPConnection(program.url.removeprefix("http://"))) as connection:
        connection.request(method, path.replace("/models", clean.removeprefix("/v1")) + "?a=%2Fb", b"{}")
        response = connection.getresponse()
    assert response.status == 307
    assert response.headers["Location"] == f"{clean}?a=%2Fb"


def test_an_unclean_path_that_leads_nowhere(program: Program) -> None:
    """404 as for a clean one."""
    with closing(HTTPConnection(program.url.removeprefix("http://"))) as connection:
        connection.request("GET", "//no/such/thing")
        assert connection.getresponse().status == 404
