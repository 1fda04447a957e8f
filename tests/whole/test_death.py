"""Servers that die under their callers, and a proxy that dies over its servers."""

from __future__ import annotations

import asyncio
import json
import os
import select
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from tests.whole.journal import Journal
from tests.whole.program import FAKE, LONG, Program, config, fake, model
from tests.whole.talk import CHAT, caller, chat_body, running, stream, streamed


@pytest.mark.fault("S45", "F48")
async def test_a_server_killed_in_mid_stream_ends_in_an_error_event_and_a_broken_close(tmp_path: Path) -> None:
    """Whole events, one typed error event, no [DONE], no last chunk: nobody can take it for an end."""
    prompt = "[fake words=9 interval=0.01 crash=4]"
    with Program(tmp_path, config(model("a"))) as program:
        async with caller(program) as client:
            told = await stream(client, "a", prompt)
            assert isinstance(told.error, httpx.RemoteProtocolError), "the close must look broken"
            assert told.status == 200
            assert (await stream(client, "a", "again")).data == streamed("a", "again"), (
                "the next request starts it anew"
            )
    *events, last = told.data.split(b"\n\n")[:-1]
    assert streamed("a", prompt, 9).startswith(b"\n\n".join(events) + b"\n\n")
    assert len(events) == 4
    error = json.loads(last.removeprefix(b"data: "))["error"]
    assert (error["type"], error["code"]) == ("server_error", "upstream_failed")
    assert b"[DONE]" not in told.data
    assert told.data.endswith(b"\n\n")


async def test_anthropics_callers_get_their_own_error_event(tmp_path: Path) -> None:
    """On /v1/messages the event is Anthropic's."""
    with Program(tmp_path, config(model("a"))) as program:
        async with caller(program) as client:
            told = await stream(client, "a", "[fake words=9 crash=4]", "/v1/messages")
    last = told.data.split(b"\n\n")[-2]
    assert last.startswith(b"event: error\ndata: ")
    assert json.loads(last.split(b"data: ")[1])["error"]["type"] == "api_error"
    assert b"message_stop" not in told.data


@pytest.mark.fault("S46")
@pytest.mark.parametrize("is_stream", [True, False])
async def test_a_server_killed_before_the_first_byte_is_a_typed_502(tmp_path: Path, is_stream: bool) -> None:
    """Nothing was sent yet, so the caller gets a status and a reason."""
    with Program(tmp_path, config(model("a"))) as program:
        async with caller(program) as client:
            response = await client.post(CHAT, json=chat_body("a", "[fake crash=before]", stream=is_stream))
    assert response.status_code == 502
    assert response.json()["error"]["code"] == "upstream_failed"


@pytest.mark.fault("P19")
async def test_a_crash_of_an_idle_model_is_noticed_within_a_second(tmp_path: Path) -> None:
    """Nobody has to ask first."""
    with Journal(tmp_path) as journal, Program(tmp_path, config(model("a", journal.option))) as program:
        async with caller(program) as client:
            await stream(client, "a", "hello")
            os.kill((await running(client))["a"]["pid"], signal.SIGKILL)
            async with asyncio.timeout(1.0):
                await asyncio.to_thread(program.wait_for, r"model a: its server .*SIGKILL")
            assert (await stream(client, "a", "again")).data == streamed("a", "again")


async def test_an_unload_in_mid_stream_is_told_to_the_caller_and_quick(tmp_path: Path) -> None:
    """Our connection closes first: a llama-server would not heed SIGTERM while a caller is connected."""
    with Program(tmp_path, config(model("a"))) as program:
        body = chat_body("a", "[fake stall=3]")
        async with caller(program) as client, client.stream("POST", CHAT, json=body) as response:
            pieces = response.aiter_raw()
            data = bytearray(await anext(pieces))
            async with asyncio.timeout(5.0):  # half of the grace that a server gets to stop
                assert (await client.post("/api/models/unload/a")).text == "OK"
            with pytest.raises(httpx.RemoteProtocolError):
                await read_on(pieces, data)
    last = data.split(b"\n\n")[-2]
    assert json.loads(last.removeprefix(b"data: "))["error"]["code"] == "model_unloaded"


async def read_on(pieces: AsyncIterator[bytes], data: bytearray) -> None:
    async for piece in pieces:
        data += piece


def wrapped(folder: Path, alive: str) -> str:
    """A model behind a shell, whose grandchild makes a session of its own; all hold the pipe `alive` open."""
    script = folder / "wrapper.sh"
    lines = [
        "#!/bin/sh",
        f"exec 9>{alive}",
        "setsid sh -c 'sleep 600; exit' &",
        f"{sys.executable} -S {FAKE} --port $1 --alias w --grandchild",
    ]
    script.write_text("\n".join(lines) + "\n")
    return f"  w:\n    cmd: sh {script} ${{PORT}}\n"


@pytest.mark.fault("P13", "F19")
async def test_sigkill_of_the_proxy_leaves_nothing_alive(tmp_path: Path) -> None:
    """While models load and serve, one of them a shell wrapper whose grandchild made its own session: two seconds
    later nothing of it lives. Every process holds one pipe open, so its end is the end of the last of them."""
    alive = tmp_path / "alive"
    os.mkfifo(alive)
    held = os.open(alive, os.O_RDONLY | os.O_NONBLOCK)
    loading = f"  l:\n    cmd: sh -c 'exec 9>{alive}; {fake('--load-seconds 60')}'\n"
    groups = "groups:\n  all:\n    swap: false\n    members: [w, l]\n"
    program = Program(tmp_path, groups + config(wrapped(tmp_path, str(alive)), loading))
    with program:
        async with caller(program) as client:
            opened = asyncio.create_task(stream(client, "w", "[fake stall=3]"))
            waiting = asyncio.create_task(stream(client, "l", "never"))
            await asyncio.to_thread(program.wait_for, "w: ready")
            await asyncio.to_thread(program.wait_for, "l: starting")
            poll = select.poll()
            poll.register(held, 0)
            assert not poll.poll(0), "before, somebody holds the pipe"
            program.process.kill()
            died = await asyncio.to_thread(poll.poll, 2000)
            assert died, "somebody still holds the pipe after two seconds"
            assert (await opened).error is not None
            assert (await waiting).error is not None
    os.close(held)


@pytest.mark.fault("P16", "F49")
def test_a_second_signal_forces_the_end(tmp_path: Path) -> None:
    """The first SIGTERM drains, the second does not wait for the answers in flight."""
    with Journal(tmp_path) as journal, Program(tmp_path, config(model("a", journal.option))) as program:
        body = chat_body("a", "[fake stall=3]")
        with httpx.stream("POST", program.url + CHAT, json=body, timeout=LONG) as response:
            pieces = response.iter_raw()
            assert next(pieces)
            program.process.terminate()
            program.wait_for("shutting down")
            program.process.terminate()
            with pytest.raises(httpx.RemoteProtocolError):
                list(pieces)
        assert program.process.wait(LONG) == 0


@pytest.mark.fault("P16", "F49")
async def test_sigterm_lets_answers_finish_and_refuses_who_waits(tmp_path: Path) -> None:
    """Streams run to their end, nobody new is let in, the exit status is 0."""
    prompt = "[fake words=80 interval=0.05]"
    with Journal(tmp_path) as journal:
        text = config(model("a", journal.option), model("b"))
        with Program(tmp_path, text) as program:
            async with caller(program) as client:
                opened = asyncio.create_task(stream(client, "a", prompt))
                await journal.soon("request", path=CHAT)
                queued = asyncio.create_task(stream(client, "b", "too late"))
                waiting = asyncio.create_task(client.get("/running"))
                await waiting
                program.process.terminate()
                assert (await opened).data == streamed("a", prompt, 80)
                assert (await queued).status in (0, 503)
            assert await asyncio.to_thread(program.process.wait, LONG) == 0
