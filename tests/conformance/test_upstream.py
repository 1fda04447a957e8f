"""Section 5.9 and 4.8: a model's own pages and routes, under `/upstream/<model>/`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPConnection

import aiohttp
import httpx
import pytest

from tests.conformance.scene import mirror, seen
from tests.whole.asking import openai_shape, running
from tests.whole.program import Program, config, model

METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]
MORE = """
groups: {all: {swap: false, members: [alpha, org, 'org/thing:7b', renamed, deaf, limited]}}
profiles: {day: {pins: {pinned: alpha, alpha: org, org/off: null}}}
upstream: {ignorePaths: ['^/static/', '\\.css$']}
"""


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    text = config(
        mirror("alpha", aliases="[nick, 'a/b']"),
        mirror("org"),
        mirror("org/thing:7b"),
        mirror("renamed", useModelName="inside"),
        mirror("deaf", compat="{ignoreWebsockets: true}"),
        model("limited", concurrencyLimit=1),
    )
    with Program(tmp_path_factory.mktemp("upstream"), text + MORE, watch=False) as started:
        yield started


def raw(program: Program, path: str, method: str = "GET") -> tuple[int, str, bytes]:
    """Status, Location and body for a path that is sent to the letter."""
    with closing(HTTPConnection(program.url.removeprefix("http://"))) as connection:
        connection.request(method, path)
        response = connection.getresponse()
        return response.status, response.headers.get("Location", ""), response.read()


@pytest.mark.parametrize("method", METHODS)
def test_any_method(ask: httpx.Client, method: str) -> None:
    """It arrives as it was sent."""
    body = b"" if method == "GET" else b"{ not even JSON"
    met = seen(ask.request(method, "/upstream/alpha/some/where?x=1&y=%2F", content=body))
    assert (met.name, met.method, met.target, met.body) == ("alpha", method, "/some/where?x=1&y=%2F", body)


def test_head(ask: httpx.Client) -> None:
    """It too, and its answer has no body."""
    response = ask.head("/upstream/alpha/some/where")
    assert (response.status_code, response.content) == (200, b"")
    assert int(response.headers["Content-Length"]) > 0


PREFIXES = {
    "/upstream/alpha/": ("alpha", "/"),
    "/upstream/nick/x": ("alpha", "/x"),
    "/upstream/a/b/x/y": ("alpha", "/x/y"),
    "/upstream/org/x": ("org", "/x"),
    "/upstream/org/thing:7b/x": ("org/thing:7b", "/x"),
    "/upstream/org/thing:7b/thing:7b": ("org/thing:7b", "/thing:7b"),
    "/upstream/org/thing/x": ("org", "/thing/x"),
    "/upstream/org%2Fthing:7b/x": ("org/thing:7b", "/x"),
    "/upstream/org%2Fthing%3A7b/x%2Fy": ("org/thing:7b", "/x%2Fy"),
    "/upstream/alpha/a%20b/%C3%A9?q=%20": ("alpha", "/a%20b/%C3%A9?q=%20"),
    "/upstream/alpha/x/": ("alpha", "/x/"),
}


@pytest.mark.parametrize(("path", "name", "target"), [(path, *met) for path, met in PREFIXES.items()], ids=PREFIXES)
def test_the_longest_name_that_is_one(ask: httpx.Client, path: str, name: str, target: str) -> None:
    """Ids and aliases with slashes, encoded or not; what follows keeps its spelling."""
    met = seen(ask.get(path))
    assert (met.name, met.target) == (name, target)


@pytest.mark.parametrize("path", ["/upstream/nobody/x", "/upstream/nobody", "/upstream/alp/ha", "/upstream/thing:7b/"])
def test_no_such_model(ask: httpx.Client, path: str) -> None:
    """404."""
    response = ask.get(path)
    assert response.status_code == 404
    assert openai_shape(response)[0] in ("model_not_found", "not_found")


BARE = {
    "GET": ("/upstream/alpha", 301, "/upstream/alpha/"),
    "HEAD": ("/upstream/alpha?x=1", 301, "/upstream/alpha/?x=1"),
    "POST": ("/upstream/alpha?x=%2F", 308, "/upstream/alpha/?x=%2F"),
    "PUT": ("/upstream/org/thing:7b", 308, "/upstream/org/thing:7b/"),
    "DELETE": ("/upstream/a/b", 308, "/upstream/a/b/"),
}


@pytest.mark.parametrize(("method", "path", "status", "to"), [(k, *v) for k, v in BARE.items()], ids=BARE)
def test_a_bare_name_is_redirected(ask: httpx.Client, method: str, path: str, status: int, to: str) -> None:
    """To the folder, so that a page's relative addresses are right; methods with a body keep it."""
    response = ask.request(method, path)
    assert (response.status_code, response.headers["Location"]) == (status, to)


def test_a_request_starts_the_model(program: Program, ask: httpx.Client) -> None:
    """As any other."""
    ask.get("/unload").raise_for_status()
    assert seen(ask.get("/upstream/org/x")).name == "org"
    assert list(running(program)) == ["org"]


@pytest.mark.parametrize("path", ["/static/app", "/a.css", "/static/x?y=1", "/deep/b.css?v=2"])
def test_a_path_that_starts_nothing(program: Program, ask: httpx.Client, path: str) -> None:
    """409 while the model is down: a page that is still open in a browser does not load it."""
    ask.get("/unload").raise_for_status()
    response = ask.get(f"/upstream/alpha{path}")
    assert response.status_code == 409
    assert openai_shape(response)[0] == "conflict"
    assert "alpha" in openai_shape(response)[1]
    assert running(program) == {}


def test_a_path_that_starts_nothing_is_served_by_what_is_up(ask: httpx.Client) -> None:
    """The rule is about starting."""
    seen(ask.get("/upstream/alpha/x"))
    assert seen(ask.get("/upstream/alpha/static/app")).target == "/static/app"


def test_a_path_that_looks_like_one_but_is_not(ask: httpx.Client) -> None:
    """The pattern is searched in the path without its query."""
    ask.get("/unload").raise_for_status()
    assert seen(ask.get("/upstream/alpha/x?file=a.css")).name == "alpha"


def test_a_body_is_not_looked_into(ask: httpx.Client) -> None:
    """The path says which model; neither the body nor `useModelName` matters."""
    body = b'{"model": "renamed"}'
    met = seen(ask.post("/upstream/renamed/v1/embeddings", content=body, headers={"Content-Type": "application/json"}))
    assert (met.name, met.target, met.body) == ("renamed", "/v1/embeddings", body)


def test_the_limit_of_callers_holds_here_too(ask: httpx.Client) -> None:
    """429, as on the model routes."""
    body = {"stream": True, "messages": [{"role": "user", "content": "[fake words=9 stall=2]"}]}
    with ask.stream("POST", "/upstream/limited/v1/chat/completions", json=body) as first:
        pieces = first.iter_raw()
        next(pieces)
        response = ask.get("/upstream/limited/other")
    assert response.status_code == 429
    assert openai_shape(response)[0] == "concurrency_limit"


@pytest.mark.differs("looking wakes nothing")
@pytest.mark.parametrize("path", ["/upstream/alpha/props", "/upstream/alpha/slots", "/props?model=alpha"])
def test_who_only_looks(ask: httpx.Client, path: str) -> None:
    """409 while the model is down; there it is started."""
    ask.get("/unload").raise_for_status()
    assert ask.get(path).status_code == 409
    assert ask.get("/running").json()["running"] == []


def test_a_question_of_a_browser_goes_no_further(ask: httpx.Client) -> None:
    """OPTIONS never reaches a model's server."""
    ask.get("/unload").raise_for_status()
    assert ask.options("/upstream/alpha/x").status_code == 204
    assert ask.get("/running").json()["running"] == []


def test_pins_apply_and_what_is_switched_off_is_not_there(ask: httpx.Client) -> None:
    """To the name in the path, the longest pin first."""
    try:
        ask.put("/api/profiles/active", json={"name": "day"}).raise_for_status()
        assert seen(ask.get("/upstream/pinned/x")).name == "alpha"
        assert seen(ask.get("/upstream/alpha/x")).name == "org"
        assert ask.get("/upstream/org/off/x").status_code == 404
    finally:
        ask.put("/api/profiles/active", json={"name": None})
    assert ask.get("/upstream/pinned/x").status_code == 404


# -- WebSockets


def up(ask: httpx.Client) -> None:
    """The deaf one runs."""
    seen(ask.get("/upstream/deaf/x"))


def unload(ask: httpx.Client) -> None:
    ask.get("/unload").raise_for_status()


async def test_a_websocket(program: Program) -> None:
    """Every message goes there and back, and starts the model like a request."""
    async with aiohttp.ClientSession() as session, session.ws_connect(f"{program.url}/upstream/alpha/ws") as socket:
        for text in ("one", "two", ""):
            await socket.send_str(text)
            assert await socket.receive_str() == text
        await socket.close(code=1000)
        assert socket.close_code == 1000


async def test_a_websocket_that_starts_nothing(program: Program, ask: httpx.Client) -> None:
    """With compat.ignoreWebsockets: 409 while the model is down."""
    unload(ask)
    async with aiohttp.ClientSession() as session:
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await session.ws_connect(f"{program.url}/upstream/deaf/ws")
    assert refused.value.status == 409
    assert running(program) == {}


async def test_a_websocket_that_is_ignored_works_while_the_model_is_up(program: Program, ask: httpx.Client) -> None:
    """And takes no seat: the model may be unloaded beside it."""
    up(ask)
    async with aiohttp.ClientSession() as session, session.ws_connect(f"{program.url}/upstream/deaf/ws") as socket:
        await socket.send_str("one")
        assert await socket.receive_str() == "one"
        assert running(program)["deaf"]["seated"] == 0


def test_an_unknown_spelling_of_the_door(program: Program) -> None:
    """A name that is nothing but slashes is no name."""
    assert raw(program, "/upstream/")[0] in (302, 404)
