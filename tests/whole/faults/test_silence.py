"""Streams on which nothing comes for a while: whoever stands between is told that they go on."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from pathlib import Path

import httpx

from tests.whole.program import Program, config, model
from tests.whole.talk import CHAT, caller, chat_body, stream, streamed, whole

BEAT = b": heartbeat\n\n"


async def until(pieces: AsyncIterator[bytes], wanted: bytes) -> None:
    data = b""
    while wanted not in data:
        data += await anext(pieces)


async def test_s48_a_stream_that_falls_silent_gets_comments_and_goes_on(tmp_path: Path) -> None:
    """Between whole events; what is recorded is the answer alone."""
    prompt = "[fake words=3 interval=2.2]"
    with Program(tmp_path, config(model("a"), heartbeat=1), watch=False) as program:
        async with caller(program) as client:
            told = await stream(client, "a", prompt)
            row = (await client.get("/api/metrics/activity", params={"limit": 1})).json()["data"][0]
            capture = (await client.get(f"/api/captures/{row['id']}")).json()
    assert told.data.count(BEAT) >= 2
    assert told.data.replace(BEAT, b"") == streamed("a", prompt, 3)
    assert base64.b64decode(capture["resp_body"]) == streamed("a", prompt, 3)


async def test_s48_a_silent_stream_that_breaks_has_its_typed_end(tmp_path: Path) -> None:
    with Program(tmp_path, config(model("a"), heartbeat=1), watch=False) as program:
        async with caller(program) as client:
            asking = asyncio.create_task(stream(client, "a", "[fake words=9 stall=3]"))
            await silent(client)
            assert (await client.post("/api/models/unload/a")).text == "OK"
            told = await asking
    assert isinstance(told.error, httpx.RemoteProtocolError)
    *events, last = told.data.replace(BEAT, b"").split(b"\n\n")[:-1]
    assert len(events) == 3
    assert json.loads(last.removeprefix(b"data: "))["error"]["code"] == "model_unloaded"


async def silent(client: httpx.AsyncClient) -> None:
    """Another stream of the same kind has been told so by now, at the same moment."""
    async with client.stream("POST", CHAT, json=chat_body("a", "[fake words=9 stall=3]")) as response:
        await until(response.aiter_raw(), BEAT)


async def test_s48_a_slow_answer_that_is_no_stream_gets_none(tmp_path: Path) -> None:
    """Nor does a stream that has not begun: its head comes when its server has one, as with llama-swap."""
    prompt = "[fake first=2.5]"
    with Program(tmp_path, config(model("a"), heartbeat=1), watch=False) as program:
        async with caller(program) as client:
            answer = await client.post(CHAT, json=chat_body("a", prompt, stream=False))
            assert answer.json() == whole("a", prompt)
            assert (await stream(client, "a", prompt)).data == streamed("a", prompt)


async def test_s48_a_stream_that_was_begun_for_its_loading_is_told_through_the_prefill(tmp_path: Path) -> None:
    """With `sendLoadingState`: the model is ready, its server computes, nothing else is to be said."""
    prompt = "[fake first=3]"
    text = config(model("a", "--load-seconds 0.5", sendLoadingState="true"), heartbeat=1)
    with Program(tmp_path, text, watch=False) as program:
        async with caller(program) as client:
            told = await stream(client, "a", prompt)
    assert told.error is None
    before, beat, after = told.data.partition(BEAT)
    assert b"Done!" in before
    assert beat
    assert after.replace(BEAT, b"") == streamed("a", prompt)


async def test_s48_zero_is_silence(tmp_path: Path) -> None:
    """And a stream that moves has no comments, however short the time."""
    prompt = "[fake words=3 interval=1.5]"
    with Program(tmp_path, config(model("a"), heartbeat=0)) as program:
        async with caller(program) as client:
            assert (await stream(client, "a", prompt)).data == streamed("a", prompt, 3)
