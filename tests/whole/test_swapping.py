"""Many callers, few models: one start for all who ask, and a fair turn for each."""

from __future__ import annotations

import asyncio
from pathlib import Path

import httpx
import pytest

from tests.whole.journal import Journal
from tests.whole.program import Program, config, model
from tests.whole.talk import CHAT, Told, caller, chat_body, running, stream, streamed, whole

PATIENCE = 3.0
STREAM_SECONDS = 2.0
WORDS = 40


@pytest.mark.fault("Q37", "F38")
async def test_a_hundred_callers_of_a_cold_model_share_one_start(tmp_path: Path) -> None:
    """A hundred simultaneous requests for one cold model start it once and all succeed."""
    with (
        Journal(tmp_path) as journal,
        Program(tmp_path, config(model("a", f"--load-seconds 0.5 {journal.option}"))) as program,
    ):
        async with caller(program) as client:
            asked = [client.post(CHAT, json=chat_body("a", f"n{n}", stream=False)) for n in range(100)]
            responses = await asyncio.gather(*asked)
            up = await running(client)
    assert [response.status_code for response in responses] == [200] * 100
    assert [response.json() for response in responses] == [whole("a", f"n{n}") for n in range(100)]
    assert len(journal.all("start")) == 1
    assert up["a"]["seated"] == up["a"]["waiting"] == 0


@pytest.mark.fault("Q39", "F5")
async def test_twenty_callers_alternate_between_two_models_that_exclude_each_other(tmp_path: Path) -> None:
    """Nothing is cut, every answer is byte-exact, and nobody waits longer than patience, the longest answer in
    flight and one swap."""
    prompt = f"[fake words={WORDS} interval={STREAM_SECONDS / WORDS}]"
    text = config(model("a"), model("b"), patience=PATIENCE)
    with Program(tmp_path, text) as program:
        async with caller(program) as client:
            turns = await asyncio.gather(
                *(take_turns(client, "ab" if n % 2 else "ba", f"{prompt} {n}") for n in range(20))
            )
        starts = [line for line in program.lines if "ready after" in line]
    told = [answer for turn in turns for answer in turn]
    assert [answer.error for answer in told] == [None] * len(told)
    assert {answer.status for answer in told} == {200}
    longest = max(answer.took - answer.waited for answer in told)
    swap = 2 * max(float(line.split(" after ")[1].split(" s")[0]) for line in starts)
    assert max(answer.waited for answer in told) < PATIENCE + longest + swap + 0.5
    assert len(starts) < len(told), "the callers of one model are served together"


async def take_turns(client: httpx.AsyncClient, order: str, prompt: str) -> list[Told]:
    answers = []
    for name in order:
        answer = await stream(client, name, prompt)
        assert answer.data == streamed(name, prompt, WORDS)
        answers.append(answer)
    return answers


async def test_models_of_a_group_without_swap_stay_up_together(tmp_path: Path) -> None:
    """`swap: false` lets the members of a group run side by side."""
    groups = "groups:\n  both:\n    swap: false\n    members: [a, b]\n"
    with Program(tmp_path, groups + config(model("a"), model("b"))) as program:
        async with caller(program) as client:
            for name in ("a", "b"):
                assert (await stream(client, name, "hello")).data == streamed(name, "hello")
            assert set(await running(client)) == {"a", "b"}


async def test_an_idle_model_is_unloaded_after_its_ttl(tmp_path: Path) -> None:
    """`ttl: 1` ends a model one idle second after its last answer; without it a model stays."""
    groups = "groups:\n  both:\n    swap: false\n    members: [a, b]\n"
    with Program(tmp_path, groups + config(model("a", ttl=1), model("b"))) as program:
        async with caller(program) as client:
            await stream(client, "b", "hello")
            await stream(client, "a", "hello")
            await asyncio.to_thread(program.wait_for, r"a: stopping \(idle\)")
            assert (await running(client))["b"]["state"] == "ready"
