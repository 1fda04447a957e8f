"""What is over is freed at once: no ring of objects is left that holds a server's log, a body or an answer until some
collection finds it, which on a calm machine is hours later."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

import httpx
import pytest

from tests.whole import garbage
from tests.whole.program import LONG, SOCKETS, Program, config, model
from tests.whole.talk import CHAT, begun, caller, chat_body, stream

TEXT = config(
    model("quick"),
    model("other"),
    model("slow", "--load-seconds 0.3"),
    model("told", "--load-seconds 0.3", sendLoadingState="true"),
    model("endless", "--load-seconds 600"),
    model("stillborn", "--exit --exit-code 7"),
    "  missing:\n    cmd: /nowhere/at-all --port ${PORT}\n",
    f"  sockets:\n    cmd: {SOCKETS}\n",
    limits="{uploadStall: 1.5}",
)
ENDLESS = "[fake words=1000 interval=0.05]"


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    with garbage.commanded(Program(tmp_path_factory.mktemp("garbage"), TEXT)) as started:
        yield started


@pytest.fixture
async def client(program: Program) -> AsyncIterator[httpx.AsyncClient]:
    async with caller(program) as client:
        yield client


async def served(client: httpx.AsyncClient) -> None:
    """Streams and whole answers, models that make room for each other, and one that loads for a while."""
    for name in ("quick", "other", "slow", "told", "quick"):
        assert (await stream(client, name, "hello")).status == 200
        assert (await client.post(CHAT, json=chat_body(name, "hello", stream=False))).status_code == 200


async def left(client: httpx.AsyncClient) -> None:
    """Callers who go: while their model loads, and in mid-answer."""
    asking = await begun(client, "quick", ENDLESS)
    asking.cancel()
    await asyncio.wait([asking])
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.3):
            await stream(client, "endless", "hello")


async def died(client: httpx.AsyncClient) -> None:
    """Servers that die: before an answer, within one, before they are ready."""
    await stream(client, "quick", "hello [fake words=9 crash=before]")
    await stream(client, "other", "hello [fake words=9 crash=2]")
    for _ in range(3):
        assert (await stream(client, "stillborn", "hello")).status in (502, 503)


async def unloaded(client: httpx.AsyncClient) -> None:
    """By order, under those who wait and those who are answered."""
    answered = await begun(client, "quick", ENDLESS)
    waiting = [asyncio.create_task(stream(client, "endless", "hello")) for _ in range(3)]
    told = await begun(client, "told", ENDLESS)
    await client.post("/api/models/unload")
    for each in (answered, told, *waiting):
        await each


async def uploaded(client: httpx.AsyncClient) -> None:
    """A body that is passed on piece by piece, to its end and not."""

    async def pieces(count: int) -> AsyncIterator[bytes]:
        for _ in range(count):
            yield bytes(1 << 16)

    assert (await client.post("/upstream/sockets/take", content=pieces(20))).status_code == 200
    for path in ("/upstream/sockets/take", CHAT):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                await client.post(path, content=endless_pieces())


async def stalled(client: httpx.AsyncClient) -> None:
    """A body that is passed on, and of which nothing more comes; its sender listens."""
    reader, writer = await asyncio.open_connection(client.base_url.host, client.base_url.port)
    writer.write(b"POST /upstream/sockets/take HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nbegun")
    async with asyncio.timeout(LONG):
        assert b" 408 " in await reader.readline()
        writer.write(b"ended")  # the library waits for it
        await reader.read()
    writer.close()


async def not_to_be_started(client: httpx.AsyncClient) -> None:
    """A command that is not there, tried each time."""
    (await client.post("/api/models/reset/missing")).raise_for_status()
    told = await stream(client, "missing", "hello")
    assert b"/nowhere/at-all" in told.data, told


async def endless_pieces() -> AsyncIterator[bytes]:
    yield bytes(1 << 16)
    await asyncio.Event().wait()


@pytest.mark.fault("O78")
@pytest.mark.parametrize("trouble", [served, left, died, unloaded, uploaded, stalled, not_to_be_started])
async def test_nothing_waits_to_be_collected(
    program: Program, client: httpx.AsyncClient, trouble: Callable[[httpx.AsyncClient], Awaitable[None]]
) -> None:
    """Neither a run nor a request, a connection or a refusal and what it was raised through."""
    await trouble(client)
    await client.post("/api/models/unload")
    garbage.of(program)  # what is done once is done
    await trouble(client)
    await client.post("/api/models/unload")
    assert garbage.of(program) == {}


def test_a_mistake_in_the_file_leaves_nothing_either(program: Program) -> None:
    """All that was read of it goes with the word on what is wrong with it."""
    for _ in range(4):  # what is done once is done by then, also what a thread does after an edit
        garbage.of(program)
        program.edit(TEXT.replace("models:", "models: 7\nmodel:"))
        program.edit(TEXT)
    assert garbage.of(program) == {}
