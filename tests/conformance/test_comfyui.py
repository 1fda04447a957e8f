"""Section 5.10: the model of the id `comfyui_auto`, at `/comfyui/`."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import aiohttp
import httpx
import pytest

from tests.conformance.scene import Seen, mirror, seen
from tests.whole.asking import caller, openai_shape, running
from tests.whole.program import Program, config


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    text = config(mirror("comfyui_auto"), mirror("alpha"))
    with Program(tmp_path_factory.mktemp("comfyui"), text, watch=False) as started:
        yield started


@pytest.fixture
def fresh(ask: httpx.Client) -> httpx.Client:
    """Nothing runs."""
    ask.get("/unload").raise_for_status()
    return ask


@pytest.mark.parametrize("path", ["/comfyui", "/comfyui/", "/comfyui/api/prompt"])
def test_without_such_a_model(tmp_path_factory: pytest.TempPathFactory, path: str) -> None:
    """404 that names it."""
    folder = tmp_path_factory.mktemp("none")
    with Program(folder, config(mirror("alpha")), watch=False) as started, caller(started) as ask:
        response = ask.get(path)
    assert response.status_code == 404
    assert "comfyui_auto" in openai_shape(response)[1]


def up(ask: httpx.Client) -> None:
    """It runs."""
    seen(ask.get("/comfyui/"))


def embed(ask: httpx.Client) -> Seen:
    return seen(ask.post("/v1/embeddings", json={"model": "alpha"}))


BARE = {"GET": 301, "HEAD": 301, "POST": 308}


@pytest.mark.parametrize(("method", "status"), BARE.items(), ids=BARE)
def test_the_bare_door(fresh: httpx.Client, method: str, status: int) -> None:
    """It leads to the folder and keeps the query; nothing is started."""
    response = fresh.request(method, "/comfyui?x=1")
    assert (response.status_code, response.headers["Location"]) == (status, "/comfyui/?x=1")
    assert fresh.get("/running").json()["running"] == []


def test_the_front_door_starts_it(program: Program, fresh: httpx.Client) -> None:
    """The one path that may."""
    met = seen(fresh.get("/comfyui/?x=1"))
    assert (met.name, met.target) == ("comfyui_auto", "/?x=1")
    assert list(running(program)) == ["comfyui_auto"]


@pytest.mark.parametrize("door", ["GET /comfyui/api/queue", "POST /comfyui/api/prompt", "GET /comfyui/x/"])
def test_other_doors_do_not(program: Program, fresh: httpx.Client, door: str) -> None:
    """409: an open page polls, and must not load the model again."""
    response = fresh.request(*door.split())
    assert response.status_code == 409
    code, sentence = openai_shape(response)
    assert code == "conflict"
    assert "comfyui_auto" in sentence
    assert running(program) == {}


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
def test_what_is_up_serves_every_path(ask: httpx.Client, method: str) -> None:
    """Without the prefix, as it was spelled."""
    seen(ask.get("/comfyui/"))
    met = seen(ask.request(method, "/comfyui/api/view%2Fx?y=%20"))
    assert (met.method, met.target) == (method, "/api/view%2Fx?y=%20")


async def test_a_websocket_does_not_start_it(program: Program, fresh: httpx.Client) -> None:
    """Not even at the front door."""
    async with aiohttp.ClientSession() as session:
        for path in ("/comfyui/ws", "/comfyui/"):
            with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                await session.ws_connect(program.url + path)
            assert refused.value.status == 409
    assert running(program) == {}


async def test_a_websocket_to_what_is_up(program: Program, ask: httpx.Client) -> None:
    """It is a tunnel."""
    up(ask)
    async with aiohttp.ClientSession() as session, session.ws_connect(f"{program.url}/comfyui/ws") as socket:
        await socket.send_str("hello")
        assert await socket.receive_str() == "hello"


async def test_an_open_websocket_does_not_keep_other_models_out(program: Program, ask: httpx.Client) -> None:
    """A page that is left open holds nothing up."""
    up(ask)
    async with aiohttp.ClientSession() as session, session.ws_connect(f"{program.url}/comfyui/ws") as socket:
        await socket.send_str("hello")
        assert await socket.receive_str() == "hello"
        assert (await asyncio.to_thread(embed, ask)).name == "alpha"
    assert list(running(program)) == ["alpha"]


def test_it_is_a_model_like_others(ask: httpx.Client) -> None:
    """By its name it can be asked on any route."""
    assert seen(ask.get("/upstream/comfyui_auto/x")).target == "/x"
