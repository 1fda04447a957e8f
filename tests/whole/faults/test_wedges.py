"""Servers that live and do nothing, beside those that only take long: the first are found, the second left alone."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from pathlib import Path

from tests.whole.asking import running
from tests.whole.journal import Journal
from tests.whole.program import Program, config, model
from tests.whole.talk import CHAT, caller, chat_body, stream, streamed


async def test_p21_a_server_that_hangs_before_the_first_byte_is_ended_and_its_callers_are_told(tmp_path: Path) -> None:
    """All of them get a typed 504, and the next request is served by a fresh server; more callers hold nothing off."""
    with Journal(tmp_path) as journal:
        text = config(model("a", journal.option, stallTimeout=2))
        with Program(tmp_path, text) as program:
            async with caller(program) as client:
                body = chat_body("a", "[fake stall=before]", stream=False)
                asked = [asyncio.create_task(client.post(CHAT, json=body)) for _ in range(2)]
                await journal.soon("request", count=2, path=CHAT)
                told = [*await asyncio.gather(*asked), await client.post(CHAT, json=chat_body("a", "hello"))]
    for response in told[:2]:
        assert response.status_code == 504
        assert response.json()["error"]["code"] == "upstream_timeout"
        assert "stallTimeout" in response.json()["error"]["message"]
    assert told[2].content == streamed("a", "hello")


async def test_f13_a_stream_that_stops_for_good_ends_in_a_typed_event(tmp_path: Path) -> None:
    """Its health is still answered; the stream gets its error event and a broken close."""
    with Program(tmp_path, config(model("a", stallTimeout=1))) as program:
        async with caller(program) as client:
            told = await stream(client, "a", "[fake words=9 stall=4]")
            assert told.error is not None
            assert json.loads(told.data.split(b"\n\n")[-2][6:])["error"]["code"] == "upstream_timeout"
            assert (await stream(client, "a", "again")).data == streamed("a", "again")


async def test_f13_a_frozen_process_that_ignores_sigterm_is_replaced(tmp_path: Path) -> None:
    """SIGSTOP is the extreme: nothing it does can help it end."""
    with Journal(tmp_path) as journal:
        text = config(model("a", f"{journal.option} --ignore-sigterm", stallTimeout=1))
        with Program(tmp_path, text) as program:
            async with caller(program) as client:
                assert (await stream(client, "a", "one")).error is None
                frozen = journal.all("start")[0]["pid"]
                os.kill(frozen, signal.SIGSTOP)
                response = await client.post(CHAT, json=chat_body("a", "two", stream=False))
                assert response.status_code == 504
                assert (await stream(client, "a", "three")).data == streamed("a", "three")


async def test_f14_a_long_prefill_that_computes_is_left_alone(tmp_path: Path) -> None:
    """Four limits without a byte, and the answer is whole: whatever uses the processor is at work."""
    prompt = "[fake burn=4]"
    with Journal(tmp_path) as journal:
        text = config(model("a", journal.option, stallTimeout=1))
        with Program(tmp_path, text) as program:
            async with caller(program) as client:
                assert (await stream(client, "a", prompt)).data == streamed("a", prompt)
        assert len(journal.all("start")) == 1


async def test_f14_a_slow_stream_is_left_alone(tmp_path: Path) -> None:
    """Each token resets the clock."""
    prompt = "[fake words=8 interval=0.5]"
    with Program(tmp_path, config(model("a", stallTimeout=2))) as program:
        async with caller(program) as client:
            assert (await stream(client, "a", prompt)).data == streamed("a", prompt, 8)


async def test_p22_health_that_flaps_restarts_nothing(tmp_path: Path) -> None:
    """One good answer makes it ready; from then on only its end, or no work at all, counts."""
    with Journal(tmp_path) as journal:
        with Program(tmp_path, config(model("a", f"{journal.option} --flap-health"))) as program:
            async with caller(program) as client:
                assert (await stream(client, "a", "hello")).data == streamed("a", "hello")
                health = [(await client.get("/upstream/a/health")).status_code for _ in range(4)]
                assert sorted(health) == [200, 200, 503, 503]
                assert (await stream(client, "a", "hello")).data == streamed("a", "hello")
            assert running(program)["a"]["state"] == "ready"
        assert len(journal.all("start")) == 1
