"""Streams on which nothing comes for a while: whoever stands between is told that they go on."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from tests.whole.asking import settings
from tests.whole.program import Program, model
from tests.whole.talk import CHAT, caller, chat_body, stream, streamed, whole

BEAT = b": heartbeat\n\n"


async def until(pieces: AsyncIterator[bytes], wanted: bytes, count: int = 1) -> bytes:
    data = b""
    while data.count(wanted) < count:
        data += await anext(pieces)
    return data


async def test_s48_a_stream_that_falls_silent_gets_comments_and_its_proper_end(tmp_path: Path) -> None:
    """Between whole events; the ending that is due comes all the same, and nothing of it is recorded."""
    with Program(tmp_path, settings(model("a"), heartbeat=1), watch=False) as program:
        async with caller(program) as client:
            body = chat_body("a", "[fake words=9 stall=3]")
            async with client.stream("POST", CHAT, json=body) as response:
                pieces = response.aiter_raw()
                data = await until(pieces, BEAT, 2)
                events = data.replace(BEAT, b"")
                assert streamed("a", "[fake words=9 stall=3]", 9).startswith(events)
                assert events.endswith(b"\n\n")
                assert (await client.post("/api/models/unload/a")).text == "OK"
                with pytest.raises(httpx.RemoteProtocolError):
                    await until(pieces, b"[DONE]")
            captured = (await client.get("/api/captures/1")).text
    assert "words=9" in captured
    assert "heartbeat" not in captured


async def test_s48_a_slow_answer_that_is_no_stream_gets_none(tmp_path: Path) -> None:
    """Nor does a stream that has not begun: its head comes when its server has one, as with llama-swap."""
    prompt = "[fake first=2.5]"
    with Program(tmp_path, settings(model("a"), heartbeat=1), watch=False) as program:
        async with caller(program) as client:
            answer = await client.post(CHAT, json=chat_body("a", prompt, stream=False))
            assert answer.json() == whole("a", prompt)
            assert (await stream(client, "a", prompt)).data == streamed("a", prompt)


async def test_s48_a_stream_that_was_begun_for_its_loading_is_told_through_the_prefill(tmp_path: Path) -> None:
    """With `sendLoadingState`: the model is ready, its server computes, nothing else is to be said."""
    prompt = "[fake first=3]"
    text = settings(model("a", "--load-seconds 0.5", sendLoadingState="true"), heartbeat=1)
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
    with Program(tmp_path, settings(model("a"), heartbeat=0)) as program:
        async with caller(program) as client:
            assert (await stream(client, "a", prompt)).data == streamed("a", prompt, 3)
