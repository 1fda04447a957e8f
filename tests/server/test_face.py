"""The route table as callers meet it, without a model behind it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest
from aiohttp import web
from structlog.testing import capture_logs

from llamaswap_py.dialects import anthropic
from llamaswap_py.errors import BadRequest
from llamaswap_py.server.bodies import read_body
from llamaswap_py.server.doors import Door, Kind
from llamaswap_py.server.face import Face, Faults, duration, found_dialects, shown
from llamaswap_py.server.guard import Guard, guard_of
from llamaswap_py.server.listen import open_sockets, parse

LIMIT = 1000


async def echo(request: web.Request) -> web.Response:
    return web.Response(body=await read_body(request, LIMIT))


async def fail(request: web.Request) -> web.Response:
    raise LookupError("a detail that is nobody's business")


async def refuse(request: web.Request) -> web.Response:
    raise BadRequest("so not")


async def health(request: web.Request) -> web.Response:
    return web.Response(text="OK")


TABLE = [
    Door("GET", "/health", Kind.OPEN, health),
    Door("POST", "/model", Kind.MODEL, echo),
    Door("POST", "/messages", Kind.MODEL, refuse, anthropic.DIALECT),
    Door("GET", "/control", Kind.CONTROL, fail),
    Door("POST", "/control/{name:.+}", Kind.CONTROL, echo),
]


@asynccontextmanager
async def face(guard: Guard | None = None, keep_alive: float = 75.0) -> AsyncIterator[tuple[str, int]]:
    current = guard or guard_of([], [], "box")
    served = Face(TABLE, lambda: current, keep_alive)
    sockets = open_sockets(parse("127.0.0.1:0"))
    await served.open(sockets)
    try:
        yield "127.0.0.1", sockets[0].getsockname()[1]
    finally:
        served.stop_listening()
        await served.close()


@asynccontextmanager
async def caller(guard: Guard | None = None) -> AsyncIterator[httpx.AsyncClient]:
    async with face(guard) as (host, port), httpx.AsyncClient(base_url=f"http://{host}:{port}") as client:
        yield client


async def test_head_is_answered_wherever_get_is() -> None:
    async with caller() as client:
        assert (await client.get("/health")).text == "OK"
        assert (await client.head("/health")).status_code == 200


async def test_a_get_that_does_something_does_not_answer_head() -> None:
    done: list[str] = []

    async def act(request: web.Request) -> web.Response:
        done.append(request.method)
        return web.Response(text="OK")

    TABLE.append(Door("GET", "/act", Kind.CONTROL, act, head=False))
    try:
        async with caller() as client:
            assert (await client.head("/act")).status_code == 405
            assert (await client.get("/act")).status_code == 200
    finally:
        TABLE.pop()
    assert done == ["GET"]


async def test_a_crash_inside_is_a_500_without_its_details() -> None:
    async with caller() as client:
        response = await client.get("/control")
    assert response.status_code == 500
    assert response.json()["error"]["code"] == "internal_error"
    assert "nobody's business" not in response.text


@pytest.mark.parametrize("path", ["/nothing", "/model/more", "/"])
async def test_a_path_without_a_door_is_a_typed_404(path: str) -> None:
    async with caller() as client:
        response = await client.get(path)
    assert response.status_code == 404
    assert response.json()["error"]["code"] == "not_found"


@pytest.mark.parametrize(("path", "allowed"), [("/model", "POST"), ("/control", "GET"), ("/control/x/y", "POST")])
async def test_a_wrong_method_is_a_405_that_names_the_right_ones(path: str, allowed: str) -> None:
    async with caller() as client:
        response = await client.delete(path)
    assert (response.status_code, response.headers["Allow"]) == (405, allowed)
    assert response.json()["error"]["code"] == "method_not_allowed"


async def test_refusals_have_the_shape_of_their_family_and_any_origin_on_model_doors() -> None:
    async with caller() as client:
        response = await client.post("/messages", json={}, headers={"Origin": "http://elsewhere"})
        wrong = await client.get("/messages")
    assert response.json() == {
        "type": "error",
        "error": {"type": "invalid_request_error", "message": "so not"},
        "request_id": response.headers["X-Request-ID"],
    }
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    assert wrong.json()["type"] == "error"


async def test_a_preflight_opens_model_doors_and_leaves_control_doors_shut() -> None:
    headers = {"Origin": "http://elsewhere", "Access-Control-Request-Headers": "X-One, authorization,bad name"}
    async with caller(guard_of(["key"], [], "box")) as client:
        opened = await client.options("/model", headers=headers)
        plain = await client.options("/anything")
        shut = await client.options("/control/x", headers=headers)
    assert opened.status_code == plain.status_code == shut.status_code == 204
    assert opened.headers["Access-Control-Allow-Origin"] == "*"
    assert opened.headers["Access-Control-Allow-Headers"] == "X-One, authorization"
    assert "Authorization" in plain.headers["Access-Control-Allow-Headers"]
    assert "Access-Control-Allow-Origin" not in shut.headers


async def test_keys_close_everything_but_the_open_doors() -> None:
    async with caller(guard_of(["key"], [], "box")) as client:
        assert (await client.get("/health")).status_code == 200
        for response in (await client.post("/model"), await client.get("/control")):
            assert response.status_code == 401
            assert "Basic" in response.headers["WWW-Authenticate"]
        assert (await client.post("/model", content=b"x", headers={"x-api-key": "key"})).content == b"x"


async def test_a_body_over_the_limit_is_refused_by_its_declared_length_unread() -> None:
    async with face() as (host, port):
        reader, writer = await asyncio.open_connection(host, port)
        writer.write(b"POST /model HTTP/1.1\r\nHost: x\r\nContent-Length: 1001\r\nExpect: 100-continue\r\n\r\n")
        assert (await reader.readline()).startswith(b"HTTP/1.1 413")
        writer.close()
        await writer.wait_closed()


async def test_a_body_over_the_limit_is_refused_also_without_a_length() -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(11):
            yield b"x" * 100

    async with caller() as client:
        response = await client.post("/model", content=pieces())
    assert response.status_code == 413
    assert "maxBodySize" in response.json()["error"]["message"]


@pytest.mark.fault("S63")
async def test_continue_is_said_only_after_the_checks() -> None:
    head = b"POST /model HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nExpect: 100-continue\r\n"
    async with face(guard_of(["key"], [], "box")) as (host, port):
        reader, writer = await asyncio.open_connection(host, port)
        writer.write(head + b"\r\n")
        assert (await reader.readline()).startswith(b"HTTP/1.1 401")
        writer.close()
        await writer.wait_closed()
        reader, writer = await asyncio.open_connection(host, port)
        writer.write(head + b"x-api-key: key\r\n\r\n")
        assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        writer.write(b"ok")
        answer = await reader.readuntil(b"\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 200")
        writer.close()
        await writer.wait_closed()


async def said_to(sent: bytes) -> tuple[bytes, list[str]]:
    """The answer to these bytes, and what the log says of them."""
    with capture_logs() as logs:
        async with face() as (host, port), asyncio.timeout(10):
            reader, writer = await asyncio.open_connection(host, port)
            writer.write(sent)
            answer = await reader.read()
            writer.close()
            await writer.wait_closed()
    return answer, [entry["event"] for entry in logs if "exc_info" not in entry]


async def test_what_is_no_http_is_a_line_in_the_log() -> None:
    """No traceback: anybody may send it."""
    answer, said = await said_to(b"GET /health HTTP/1.1\r\nHost: x\r\nX: \x1b[31m\r\n\r\n")
    assert b" 400 " in answer.partition(b"\r\n")[0]
    assert said[0] == "Error handling request from 127.0.0.1: Invalid header value char"


@pytest.mark.parametrize(
    ("fault", "level", "told"),
    [(ConnectionResetError("so"), "debug", False), (LookupError("ours"), "error", True)],
)
def test_whose_fault_it_is_decides_how_much_is_said(fault: Exception, level: str, told: bool) -> None:
    """A page that is closed while it is told something is no mistake of ours."""
    with capture_logs() as logs:
        Faults("faults").exception("Error handling request from %s", "::1", exc_info=fault)
    [entry] = logs
    assert (entry["log_level"], "exc_info" in entry) == (level, told)


@pytest.mark.parametrize(("size", "status"), [(60_000, 200), (70_000, 400)])
async def test_fields_as_long_as_sign_ons_make_them_are_read(size: int, status: int) -> None:
    field = b"Cookie: a=%b\r\n" % (b"x" * size)
    answer, _ = await said_to(b"GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n%b\r\n" % field)
    assert int(answer.split(b" ")[1]) == status


async def test_what_callers_call_themselves_stays_on_its_line() -> None:
    fields = "X-Forwarded-For: \x9b1m\r\nUser-Agent: a\u2028b\x9b31m".encode()
    answer, said = await said_to(b"GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n%b\r\n\r\n" % fields)
    assert answer.startswith(b"HTTP/1.1 200")
    assert any("%C2%9B31m" in line for line in said)
    assert all(line.isprintable() for line in said)


async def test_a_head_with_a_body_is_invited_to_nothing() -> None:
    sent = b"HEAD /control HTTP/1.1\r\nHost: evil\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nok"
    answer, _ = await said_to(sent.replace(b"Expect", b"Connection: close\r\nExpect"))
    assert answer.startswith(b"HTTP/1.1 403")


@pytest.mark.parametrize("sent", [b"", b"POST /model HTTP/1.1\r\nHost: x\r\nX-Slow: "])
async def test_a_connection_that_brings_no_whole_head_is_closed(sent: bytes) -> None:
    async with face(keep_alive=0.2) as (host, port), asyncio.timeout(10):
        reader, writer = await asyncio.open_connection(host, port)
        writer.write(sent)
        assert await reader.read() == b""
        writer.close()
        await writer.wait_closed()


def test_every_dialect_of_the_folder_is_found() -> None:
    assert {dialect.name for dialect in found_dialects()} >= {"openai", "anthropic", "responses", "llamacpp"}


def test_durations_read_well() -> None:
    assert [duration(0.0012345), duration(2.5)] == ["1.234ms", "2.500s"]


def test_a_path_in_the_log_stays_on_its_line() -> None:
    assert shown("/v1/models/ünï") == "/v1/models/ünï"
    assert shown("/a\n[INFO] b\x1b[31m") == "/a%0A[INFO] b%1B[31m"
