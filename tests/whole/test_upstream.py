"""A model's server by its own paths, and sockets to it, through the running program."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator

import aiohttp
import httpx
import pytest

from tests.whole.asking import anthropic_shape, caller, openai_shape, pids, running
from tests.whole.program import LONG, SOCKETS, Program, config, model


def served(name: str, **keys: object) -> str:
    lines = [f"  {name}:", f"    cmd: {SOCKETS}", *(f"    {key}: {value}" for key, value in keys.items())]
    return "\n".join(lines) + "\n"


TEXT = config(
    served("author/one", aliases="[uno]"),
    served("author"),
    served("short", ttl=3),
    served("quiet", compat="{ignoreWebsockets: true}"),
    served("held", ttl=1, compat="{holdWebsockets: true}"),
    served("comfyui_auto"),
    model("chatty"),
)


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    with Program(tmp_path_factory.mktemp("upstream"), TEXT, watch=False) as started:
        yield started


@pytest.fixture
def ask(program: Program) -> Iterator[httpx.Client]:
    with caller(program) as client:
        yield client


@pytest.fixture
async def sockets(program: Program) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(program.url, timeout=aiohttp.ClientTimeout(LONG)) as session:
        yield session


# -- paths


@pytest.mark.fault("F46")
@pytest.mark.parametrize(
    ("path", "arrives"),
    [
        ("/upstream/author/one/slots/0?a=b%2Fc", "/slots/0?a=b%2Fc"),
        ("/upstream/author%2Fone/x%2Fy//z", "/x%2Fy//z"),
        ("/upstream//author//one/", "/"),
        ("/upstream/uno/tokenize", "/tokenize"),
        ("/upstream/author/two", "/two"),
    ],
)
@pytest.mark.parametrize("method", ["POST", "DELETE", "PATCH"])
def test_the_longest_name_is_the_model_and_the_rest_arrives_as_sent(
    ask: httpx.Client, path: str, arrives: str, method: str
) -> None:
    """Percent-encoding, empty segments and the query included."""
    seen = ask.request(method, path, content=b"body").raise_for_status().json()
    assert (seen["method"], seen["path"], seen["size"]) == (method, arrives, 4)


def test_a_body_of_unknown_length_stays_so(ask: httpx.Client) -> None:
    """It is sent on in chunks."""
    seen = ask.put("/upstream/uno/file", content=iter([b"a" * 1000, b"b" * 100_000])).json()
    assert seen["size"] == 101_000
    assert seen["headers"]["transfer-encoding"] == "chunked"


@pytest.mark.parametrize(("method", "status"), [("GET", 301), ("HEAD", 301), ("POST", 308), ("PUT", 308)])
@pytest.mark.parametrize("path", ["/upstream/uno", "/comfyui"])
def test_a_server_is_a_folder(ask: httpx.Client, path: str, method: str, status: int) -> None:
    """Without the slash the caller is sent to where its pages' links are right."""
    response = ask.request(method, f"{path}?x=1")
    assert (response.status_code, response.headers["Location"]) == (status, f"{path}/?x=1")


def test_the_bare_word_leads_to_the_page(ask: httpx.Client) -> None:
    response = ask.get("/upstream")
    assert (response.status_code, response.headers["Location"]) == (302, "/ui/models")


def test_an_unknown_name_is_told(ask: httpx.Client) -> None:
    response = ask.get("/upstream/nobody/x")
    assert response.status_code == 404
    assert openai_shape(response)[0] == "model_not_found"
    assert "model not found" in openai_shape(response)[1]


@pytest.mark.fault("F41")
def test_files_of_a_page_do_not_load_a_model(ask: httpx.Client) -> None:
    """409 while it is down; served once it is up."""
    ask.post("/api/models/unload/uno").raise_for_status()
    response = ask.get("/upstream/uno/app.js?x=1")
    assert response.status_code == 409
    assert openai_shape(response) == (
        "conflict",
        "model author/one is not loaded; path matches upstream.ignorePaths",
    )
    ask.get("/upstream/uno/page").raise_for_status()
    assert ask.get("/upstream/uno/app.js").json()["path"] == "/app.js"


def test_a_model_route_under_upstream_is_a_model_route(ask: httpx.Client) -> None:
    """Any page may use it; its body is not touched."""
    body = {"model": "whatever", "messages": [{"role": "user", "content": "x"}]}
    strange = {"Origin": "http://app.example", "Host": "llm.example"}
    response = ask.post("/upstream/chatty/v1/chat/completions", json=body, headers=strange)
    assert response.status_code == 200
    assert response.headers["Access-Control-Allow-Origin"] == "*"


# -- strangers

STRANGERS = [{"Host": "evil.example"}, {"Origin": "http://evil.example"}, {"Sec-Fetch-Site": "cross-site"}]


@pytest.mark.parametrize("stranger", STRANGERS, ids=lambda sent: next(iter(sent)))
@pytest.mark.parametrize("path", ["/upstream/uno/slots", "/upstream/uno/", "/comfyui/", "/comfyui", "/upstream/none"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_strangers_reach_no_server_by_its_own_paths(
    ask: httpx.Client, method: str, path: str, stranger: dict[str, str]
) -> None:
    """Neither a page of another origin nor a name that a stranger's DNS points here."""
    response = ask.request(method, path, headers=stranger)
    assert response.status_code == 403
    assert "Access-Control-Allow-Origin" not in response.headers


def test_a_refused_stranger_loads_nothing(program: Program, ask: httpx.Client) -> None:
    ask.post("/api/models/unload/uno").raise_for_status()
    assert ask.get("/upstream/uno/", headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert "author/one" not in running(program)


@pytest.mark.parametrize(
    ("path", "method", "leave"),
    [
        ("/upstream/uno/slots", "POST", False),
        ("/comfyui/prompt", "POST", False),
        ("/upstream/uno/v1/chat/completions", "POST", True),
        ("/upstream/uno/v1/chat/completions", "GET", False),
    ],
)
def test_a_browsers_question_is_answered_by_us(ask: httpx.Client, path: str, method: str, leave: bool) -> None:
    """Every origin is given leave for model routes only."""
    headers = {"Origin": "http://app.example", "Access-Control-Request-Method": method}
    response = ask.options(path, headers=headers)
    assert response.status_code == 204
    assert ("Access-Control-Allow-Origin" in response.headers) == leave


async def test_a_page_of_another_origin_opens_no_socket(sockets: aiohttp.ClientSession) -> None:
    with pytest.raises(aiohttp.WSServerHandshakeError, match="403"):
        await sockets.ws_connect("/upstream/uno/echo", headers={"Origin": "http://evil.example"})


# -- sockets


async def test_messages_of_any_size_come_back(sockets: aiohttp.ClientSession) -> None:
    """In order, in both directions at once, the subprotocol agreed."""
    sizes = [0, 1, 125, 126, 65_535, 65_536, 3_000_000]
    async with sockets.ws_connect("/upstream/uno/echo", protocols=("chat",), max_msg_size=0) as socket:
        assert socket.protocol == "chat"
        sending = asyncio.create_task(send_all(socket, sizes))
        for size in sizes:
            assert await socket.receive_bytes() == bytes([size % 251]) * size
        await sending
        await socket.send_str("été")
        assert await socket.receive_str() == "été"


async def send_all(socket: aiohttp.ClientWebSocketResponse, sizes: list[int]) -> None:
    for size in sizes:
        await socket.send_bytes(bytes([size % 251]) * size)


@pytest.mark.fault("S61")
async def test_the_server_may_close_first(sockets: aiohttp.ClientSession) -> None:
    async with sockets.ws_connect("/upstream/uno/say?text=hello") as socket:
        assert await socket.receive_str() == "hello"
        closed = await socket.receive()
        assert (closed.type, socket.close_code) == (aiohttp.WSMsgType.CLOSE, 4001)


@pytest.mark.fault("S61")
async def test_the_caller_may_close_first(sockets: aiohttp.ClientSession) -> None:
    socket = await sockets.ws_connect("/upstream/uno/echo")
    await socket.close(code=4002)
    assert socket.close_code == aiohttp.WSCloseCode.OK  # what the server says back


@pytest.mark.fault("S61")
async def test_a_server_that_dies_takes_its_sockets_along(sockets: aiohttp.ClientSession) -> None:
    """The caller sees a broken socket, not a proper close."""
    async with sockets.ws_connect("/upstream/author/die") as socket:
        assert await socket.receive_str() == "about to die"
        await socket.send_str("now")
        assert (await socket.receive()).type in (aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.ERROR)
        assert socket.close_code == aiohttp.WSCloseCode.ABNORMAL_CLOSURE


async def test_a_server_may_stay_with_http(sockets: aiohttp.ClientSession) -> None:
    """Its answer is passed on, and the connection serves on."""
    with pytest.raises(aiohttp.WSServerHandshakeError, match="426"):
        await sockets.ws_connect("/upstream/uno/refuse")


async def test_a_key_is_asked_of_sockets_too(tmp_path_factory: pytest.TempPathFactory) -> None:
    text = config(served("one"), apiKeys="[secret]")
    with Program(tmp_path_factory.mktemp("keys"), text, watch=False) as program:
        async with aiohttp.ClientSession(program.url) as session:
            with pytest.raises(aiohttp.WSServerHandshakeError, match="401"):
                await session.ws_connect("/upstream/one/echo")
            async with session.ws_connect("/upstream/one/echo", headers={"x-api-key": "secret"}) as socket:
                await socket.send_str("x")
                assert await socket.receive_str() == "x"


@pytest.mark.fault("S61", "F42")
async def test_a_silent_socket_does_not_keep_its_model_from_its_ttl(
    program: Program, sockets: aiohttp.ClientSession
) -> None:
    """The model goes, and the socket with it."""
    async with sockets.ws_connect("/upstream/short/echo") as socket:
        await socket.send_str("x")
        assert await socket.receive_str() == "x"
        async with asyncio.timeout(LONG):
            assert (await socket.receive()).type in (aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.ERROR)


@pytest.mark.fault("F42")
async def test_an_open_socket_does_not_hold_up_a_swap(program: Program, sockets: aiohttp.ClientSession) -> None:
    """Another model gets its place at once."""
    async with sockets.ws_connect("/upstream/uno/echo") as socket:
        await socket.send_str("x")
        assert await socket.receive_str() == "x"
        async with sockets.get("/upstream/author/page") as response:
            assert response.status == 200
        assert (await socket.receive()).type in (aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.ERROR)
    assert "author/one" not in pids(program)


async def test_a_socket_keeps_its_model_where_that_is_configured(
    program: Program, sockets: aiohttp.ClientSession
) -> None:
    """`holdWebsockets`: it is a caller for as long as it is open, and the ttl begins when it has closed."""
    async with sockets.ws_connect("/upstream/held/echo") as socket:
        await socket.send_str("x")
        assert await socket.receive_str() == "x"
        assert running(program)["held"]["seated"] == 1
        said = program.said
    await asyncio.to_thread(program.wait_for, r"held: stopping \(idle\)", said)


async def test_an_ignored_socket_starts_nothing(program: Program, sockets: aiohttp.ClientSession) -> None:
    """409 while the model is down; a tunnel while it is up."""
    with pytest.raises(aiohttp.WSServerHandshakeError, match="409"):
        await sockets.ws_connect("/upstream/quiet/echo")
    async with sockets.get("/upstream/quiet/page") as response:
        assert response.status == 200
    async with sockets.ws_connect("/upstream/quiet/echo") as socket:
        await socket.send_str("x")
        assert await socket.receive_str() == "x"
        assert running(program)["quiet"]["seated"] == 0


# -- ComfyUI


def test_only_the_first_page_of_comfyui_starts_it(ask: httpx.Client) -> None:
    """Then all of it answers."""
    ask.post("/api/models/unload/comfyui_auto").raise_for_status()
    for path in ("/comfyui/queue", "/comfyui/ws"):
        response = ask.get(path)
        assert response.status_code == 409
        assert openai_shape(response)[1] == "model comfyui_auto is not loaded; only /comfyui/ can start it"
    assert ask.get("/comfyui/").json()["path"] == "/"
    assert ask.post("/comfyui/prompt?a=b", content=b"x").json()["path"] == "/prompt?a=b"


async def test_the_socket_of_comfyui_takes_no_seat(program: Program, sockets: aiohttp.ClientSession) -> None:
    async with sockets.get("/comfyui/") as response:
        assert response.status == 200
    async with sockets.ws_connect("/comfyui/ws?clientId=1") as socket:
        await socket.send_str("x")
        assert await socket.receive_str() == "x"
        assert running(program)["comfyui_auto"]["seated"] == 0


def test_without_its_model_there_is_no_comfyui(tmp_path_factory: pytest.TempPathFactory) -> None:
    with (
        Program(tmp_path_factory.mktemp("none"), config(served("one")), watch=False) as program,
        caller(program) as ask,
    ):
        assert openai_shape(ask.get("/comfyui/"))[1].startswith("local model comfyui_auto not found")


# -- ids


@pytest.mark.parametrize("path", ["/health", "/v1/models", "/nothing", "/upstream/uno/x", "/running"])
def test_every_answer_carries_the_callers_id(ask: httpx.Client, path: str) -> None:
    assert ask.get(path, headers={"X-Request-ID": "mine-1"}).headers.get_list("X-Request-ID") == ["mine-1"]


@pytest.mark.parametrize("given", ["", "with space", "é", "x" * 200, '"<script>'])
def test_an_id_that_is_none_is_replaced(program: Program, ask: httpx.Client, given: str) -> None:
    """In the answer, at the server and in the log by the same one."""
    response = ask.post("/upstream/uno/x", headers=[(b"X-Request-ID", given.encode())])
    made = response.headers["X-Request-ID"]
    assert made != given
    assert response.json()["headers"]["x-request-id"] == made
    program.wait_for(f"POST /upstream/uno/x .*request={made}")


def test_a_refusal_names_the_request_in_anthropics_shape(ask: httpx.Client) -> None:
    response = ask.post("/v1/messages", json={"model": "nobody"}, headers={"X-Request-ID": "mine-2"})
    assert response.json()["request_id"] == "mine-2"
    assert anthropic_shape(response)[0] == "not_found_error"
