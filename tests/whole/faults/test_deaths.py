"""Servers that die in the very moment in which somebody asks them: one restart, and everybody is served."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sys
from pathlib import Path

import httpx

from tests.whole.journal import Journal
from tests.whole.program import FAKE, Program, config, model
from tests.whole.talk import CHAT, caller, chat_body, stream, streamed, whole

# Two hundred is the promise; a usual run takes fewer, LLAMASWAP_TEST_KILLS=200 all of them.
KILLS = int(os.environ.get("LLAMASWAP_TEST_KILLS", "10"))
CHANCE = random.Random(20)


async def asked(client: httpx.AsyncClient, prompt: str, moment: float) -> httpx.Response:
    loop = asyncio.get_running_loop()
    due = loop.create_future()
    loop.call_at(moment, due.set_result, None)
    await due
    return await client.post(CHAT, json=chat_body("a", prompt, stream=False))


def kill(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)


async def test_p20_f11_s60_requests_in_the_very_millisecond_of_a_death_are_all_served(tmp_path: Path) -> None:
    """Before it, over connections it had accepted or not yet, and after it: each death is one restart."""
    loop = asyncio.get_running_loop()
    with (
        Journal(tmp_path) as journal,
        Program(tmp_path, config(model("a", journal.option), crashLimit="{failures: 0}"), watch=False) as program,
    ):
        async with caller(program) as client:
            await asked(client, "hello", loop.time())
            for number in range(KILLS):
                pid = (await journal.soon("start", number + 1))[number]["pid"]
                moment = loop.time() + 0.01
                loop.call_at(moment, kill, pid)
                prompts = [f"[fake first=0.01] {number} {n}" for n in range(4)]
                waiting = [asked(client, prompt, moment + CHANCE.uniform(-0.003, 0.003)) for prompt in prompts]
                answers = await asyncio.gather(*waiting)
                assert [(answer.status_code, answer.json()) for answer in answers] == [
                    (200, whole("a", prompt)) for prompt in prompts
                ]
        assert len(journal.all("start")) == KILLS + 1


async def test_p20_f11_who_asks_again_at_the_sight_of_a_broken_stream_is_served(tmp_path: Path) -> None:
    """The caller hears of the death before the proxy has word of it."""
    with (
        Journal(tmp_path) as journal,
        Program(tmp_path, config(model("a", journal.option), crashLimit="{failures: 0}"), watch=False) as program,
    ):
        async with caller(program) as client:
            for number in range(KILLS):
                assert (await stream(client, "a", "[fake words=9 crash=3]")).error is not None
                assert (await stream(client, "a", f"{number}")).data == streamed("a", f"{number}")
        assert len(journal.all("start")) == KILLS + 1


async def test_p20_f11_the_word_of_a_death_may_come_late(tmp_path: Path) -> None:
    """A shell takes its time after the server it started has died; until then there is nobody to connect to."""
    script = tmp_path / "wrapper.sh"
    with Journal(tmp_path) as journal:
        script.write_text(f"{sys.executable} -S {FAKE} --port $1 --alias a {journal.option}\nsleep 0.8\n")
        text = config(f"  a:\n    cmd: sh {script} ${{PORT}}\n")
        with Program(tmp_path, text, watch=False) as program:
            async with caller(program) as client:
                await stream(client, "a", "hello")
                kill((await journal.soon("start"))[0]["pid"])
                assert (await stream(client, "a", "again")).data == streamed("a", "again")
            assert len(journal.all("start")) == 2
