"""Loads that stand still and loads that only take long."""

from __future__ import annotations

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from tests.whole.asking import caller as plain_caller
from tests.whole.asking import running
from tests.whole.following import follow
from tests.whole.program import Program, config, fake, model
from tests.whole.talk import CHAT, caller, chat_body, stream, streamed


async def test_p5_a_load_beyond_its_limit_ends_with_a_504_for_all_who_wait(tmp_path: Path) -> None:
    """At the same time, with the reason and the last lines; the next request may try again."""
    server = f"sh -c 'echo reading the weights; exec {fake('--never-healthy')}'"
    with Program(tmp_path, config(f"  a:\n    cmd: {server}\n    loadLimit: 1\n")) as program:
        async with caller(program) as client:
            bodies = [chat_body("a", f"hello {n}", stream=n % 2 == 0) for n in range(4)]
            told = await asyncio.gather(*(client.post(CHAT, json=body) for body in bodies))
            while (again := await client.post(CHAT, json=bodies[0])).status_code == 504:
                pass  # a pause passed meanwhile; the next one is longer
    for response in told:
        error = response.json()["error"]
        assert (response.status_code, error["code"]) == (504, "model_start_timeout")
        assert "loadLimit" in error["message"]
        assert "reading the weights" in error["message"]
    assert again.json()["error"]["code"] == "model_start_backoff"


async def test_f25_a_slow_load_that_says_something_now_and_then_survives_its_limit(tmp_path: Path) -> None:
    """The limit counts from the last sign of progress: here it is 15 seconds, the least there is, and the load 17."""
    options = "--load-seconds 17 --load-lines 5"
    with Program(tmp_path, config(model("a", options, healthCheckTimeout=15))) as program:
        async with caller(program) as client:
            assert (await stream(client, "a", "hello")).data == streamed("a", "hello")


def test_f25_how_far_a_load_is_is_told_by_what_earlier_ones_took(tmp_path: Path) -> None:
    """The first load says that nobody knows; the next, of another start of the program too, has an estimate, which
    rises, is never all before it is ready, and is shown at /running, in events and to who waits for a stream."""
    text = config(model("a", "--load-seconds 3"), sendLoadingState="true")
    with Program(tmp_path, text) as program:
        assert [row["percent"] for row in loading(program)[0]] == [None]
    with Program(tmp_path, text) as program:
        rows, answer = loading(program, 2)
    percents = [row["percent"] for row in rows]
    assert percents == sorted(percents)
    assert 0 < percents[0] < 100
    (kept,) = json.loads((tmp_path / "state" / "loads.json").read_bytes()).values()
    assert 0 < rows[0]["left"] <= max(kept["seconds"])
    assert "Loading: " in answer


def loading(program: Program, count: int = 1) -> tuple[list[dict[str, Any]], str]:
    """What is said of a load at so many moments, alternately by events and `/running`; and the answer after it."""
    with follow(program) as page, ThreadPoolExecutor(1) as pool:
        asked = pool.submit(whole_chat, program)
        rows = []
        for _ in range(count):
            rows.append(page.until("loading").data)
            rows.append(running(program)["a"]["loading"])
        return rows[: 2 * count - 1], asked.result()


def whole_chat(program: Program) -> str:
    with plain_caller(program) as client:
        return client.post(CHAT, json=chat_body("a", "hello")).text
