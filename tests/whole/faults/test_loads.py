"""Loads that stand still and loads that only take long."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tests.whole.asking import settings
from tests.whole.program import Program, model
from tests.whole.talk import CHAT, caller, chat_body, stream, streamed


async def test_p5_a_load_beyond_its_limit_ends_with_a_504_for_all_who_wait(tmp_path: Path) -> None:
    """At the same time, with the reason and the last lines; the next request may try again."""
    with Program(tmp_path, settings(model("a", "--never-healthy", loadLimit=1))) as program:
        async with caller(program) as client:
            bodies = [chat_body("a", f"hello {n}", stream=n % 2 == 0) for n in range(4)]
            told = await asyncio.gather(*(client.post(CHAT, json=body) for body in bodies))
            again = await client.post(CHAT, json=bodies[0])
    for response in told:
        error = response.json()["error"]
        assert (response.status_code, error["code"]) == (504, "model_start_timeout")
        assert "loadLimit" in error["message"]
        assert "server is listening" in error["message"]
    assert again.json()["error"]["code"] == "model_start_backoff"


async def test_f25_a_slow_load_that_says_something_now_and_then_survives_its_limit(tmp_path: Path) -> None:
    """The limit counts from the last sign of progress: here it is 15 seconds, the least there is, and the load 17."""
    options = "--load-seconds 17 --load-lines 5"
    with Program(tmp_path, settings(model("a", options, healthCheckTimeout=15))) as program:
        async with caller(program) as client:
            assert (await stream(client, "a", "hello")).data == streamed("a", "hello")
