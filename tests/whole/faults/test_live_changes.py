"""Everything that a reload changes without a new process."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx

from tests.whole.asking import caller, pids
from tests.whole.program import Program, config, model
from tests.whole.talk import CHAT, begun, chat_body, streamed
from tests.whole.talk import caller as callers

SLOW = "[fake words=80 interval=0.05]"


async def test_r84_names_limits_and_levels_change_under_a_stream(tmp_path: Path) -> None:
    """Same process, and the open stream is whole: only what is asked from now on meets the new settings."""
    old = config(model("a", ttl=900, aliases="[first]"), logLevel="info")
    new = config(
        model("a", ttl=700, aliases="[second]", description="retuned", concurrencyLimit=1),
        logLevel="debug",
        limits="{drain: 3}",
        maxBodySize=1000,
    )
    with Program(tmp_path, old) as program:
        async with callers(program) as client:
            opened = await begun(client, "a", SLOW)
            before = (await rows(client))["a"]
            await asyncio.to_thread(program.edit, new)
            after = (await rows(client))["a"]
            assert not opened.done(), "the edit must fall into the stream"
            assert await code_of(client, "first") == 404
            assert await code_of(client, "second") == 429, "its one seat is the stream's"
            assert await code_of(client, "a", "x" * 2000) == 413
            assert (await opened).data == streamed("a", SLOW, 80)
            assert await code_of(client, "second") == 200
            await asyncio.to_thread(program.wait_for, r"\[DEBUG\]")
    assert (before["pid"], 900, "") == (after["pid"], before["ttl"], before["description"])
    assert (after["ttl"], after["description"]) == (700, "retuned")


async def rows(client: httpx.AsyncClient) -> dict[str, dict[str, Any]]:
    return {row["model"]: row for row in (await client.get("/running")).json()["running"]}


async def code_of(client: httpx.AsyncClient, name: str, prompt: str = "hello") -> int:
    return (await client.post(CHAT, json=chat_body(name, prompt, stream=False))).status_code


async def test_r84_a_key_that_is_removed_opens_nothing_any_more(tmp_path: Path) -> None:
    """Not on connections that are open already either; a stream that began with it goes on to its end."""
    both, one = (config(model("a"), apiKeys=keys) for keys in ("[old, new]", "[new]"))
    with Program(tmp_path, both) as program:
        async with callers(program) as client:
            client.headers["Authorization"] = "Bearer old"
            opened = await begun(client, "a", SLOW)
            assert (await client.get("/running")).status_code == 200
            await asyncio.to_thread(program.edit, one)
            assert (await client.get("/running")).status_code == 401, "on a kept connection"
            assert await code_of(client, "a") == 401
            assert not opened.done(), "the edit must fall into the stream"
            client.headers["Authorization"] = "Bearer new"
            assert await code_of(client, "a") == 200
            assert (await opened).data == streamed("a", SLOW, 80)


def test_f50_a_thousand_models_and_their_combinations(tmp_path: Path) -> None:
    """One that is asked for is there as soon as among few, an edit of one of them restarts nothing, and nobody's
    answer waits for the reading."""
    names = [f"m{number}" for number in range(1000)]
    few, more = " | ".join(names[:20]), " & ".join(f"({one} | {other})" for one, other in pairwise(names[20:60:2]))
    matrix = f"matrix: {{sets: {{few: '{few}', more: '{more}'}}}}\n"

    def text(ttl: int) -> str:
        models = [model(name, aliases=f"[other-{name}]", ttl=ttl) for name in names]
        return matrix + config(*models, startPort=30_000)

    with Program(tmp_path, text(900)) as program, caller(program) as client:
        assert client.post(CHAT, json=chat_body("other-m999", "hello")).status_code == 200
        before = pids(program)
        program.edit(text(800))
        assert pids(program) == before
        listed = client.get("/v1/models").json()["data"]
        assert len(listed) == 1000
        assert client.get("/running").json()["running"][0]["ttl"] == 800
        assert not [line for line in program.lines if "held up" in line and "yaml" in line]
