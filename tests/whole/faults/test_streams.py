"""Answers whose server dies, breaks or falls silent: a caller sees all of it, or sees that it was not all."""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import time
from collections import Counter
from pathlib import Path

import httpx
import psutil
import pytest

from tests.whole.faults.endings import APIS, Api, ask, ask_all
from tests.whole.journal import Journal
from tests.whole.program import Program, config, model
from tests.whole.talk import CHAT, caller, chat_body, running, stream, streamed

# Two hundred is the promise; a usual run takes fewer, LLAMASWAP_TEST_KILLS=200 all of them.
KILLS = int(os.environ.get("LLAMASWAP_TEST_KILLS", "10"))
SOON = 1.0  # seconds from the death of a server to the end of its answers


async def test_s45_s46_s47_a_server_killed_at_random_moments(tmp_path: Path) -> None:
    """All APIs at once, streams and a whole answer: each is whole, refused with a reason, or broken for all to see,
    within a second of the kill; never a clean short end, never half an event."""
    seen: Counter[str] = Counter()
    with (
        Journal(tmp_path) as journal,
        Program(tmp_path, config(model("a", journal.option), crashLimit="{failures: 0}"), watch=False) as program,
    ):
        async with caller(program) as client:
            for number in range(KILLS):
                moment = random.uniform(0.0, 0.6)
                print(f"kill {number} after {moment:.3f} s")  # shown where it fails
                await client.post("/api/models/load/a")
                seen.update(await kill_under(client, journal.all("start")[-1]["pid"], moment))
    print(f"{KILLS} kills: {dict(seen)}")
    assert seen["broken"]


async def kill_under(client: httpx.AsyncClient, pid: int, moment: float) -> list[str]:
    killed: list[float] = []
    asyncio.get_running_loop().call_later(moment, kill, pid, killed)
    endings = await ask_all(client, "[fake words=40 pad=2000 interval=0.01]")
    for ending in endings:
        assert ending.verdict in ("whole", "refused", "broken"), (ending.api.path, ending.verdict, ending.data[-300:])
        late = ending.at - killed[0] if killed and ending.verdict == "broken" else 0.0
        assert late < SOON, f"{ending.api.path} heard of it after {late:.1f} s"
    return [ending.verdict for ending in endings]


def kill(pid: int, killed: list[float]) -> None:
    killed.append(time.monotonic())
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


@pytest.mark.parametrize("api", APIS, ids=lambda api: api.path)
async def test_s45_every_api_has_its_own_error_event(api: Api, tmp_path: Path) -> None:
    """The events that were whole, then one that says what happened, then a broken close."""
    with Program(tmp_path, config(model("a")), watch=False) as program:
        async with caller(program) as client:
            ending = await ask(client, api, "[fake words=9 crash=4]")
    assert ending.verdict == "broken"
    assert api.end not in ending.data


async def test_f11_s60_a_server_that_dies_before_its_first_byte_is_replaced_and_asked_again(tmp_path: Path) -> None:
    """The caller sees nothing but a longer wait: one more start, and the whole answer."""
    with (
        Journal(tmp_path) as journal,
        Program(tmp_path, config(model("a", journal.option)), watch=False) as program,
    ):
        async with caller(program) as client:
            asking = asyncio.create_task(stream(client, "a", "[fake first=2]"))
            first = (await journal.soon("request", path=CHAT))[0]
            os.kill(first["pid"], signal.SIGKILL)
            told = await asking
        assert (told.status, told.error) == (200, None)
        assert told.data == streamed("a", "[fake first=2]")
        assert len(journal.all("request", path=CHAT)) == len(journal.all("start")) == 2


@pytest.mark.parametrize("warm", [False, True])
async def test_f11_a_request_that_kills_its_server_is_not_sent_on_and_on(warm: bool, tmp_path: Path) -> None:
    """Two servers read it at most, over new connections or used ones; then its caller hears how they died."""
    with (
        Journal(tmp_path) as journal,
        Program(tmp_path, config(model("a", journal.option)), watch=False) as program,
    ):
        async with caller(program) as client:
            if warm:
                await stream(client, "a", "hello")
            answer = await client.post(CHAT, json=chat_body("a", "[fake crash=before]"))
        assert (answer.status_code, answer.json()["error"]["code"]) == (502, "upstream_failed")
        deadly = [entry for entry in journal.all("request", path=CHAT) if "crash" in str(entry["body"])]
        assert len(deadly) == 2


async def test_f11_nothing_is_asked_again_after_a_byte_was_passed(tmp_path: Path) -> None:
    """A stream that has begun is broken off, not begun anew."""
    with (
        Journal(tmp_path) as journal,
        Program(tmp_path, config(model("a", journal.option)), watch=False) as program,
    ):
        async with caller(program) as client:
            ending = await ask(client, APIS[0], "[fake words=9 crash=1]")
        assert ending.verdict == "broken"
        assert len(journal.all("request", path=CHAT)) == 1


def connections(program: Program, port: int) -> set[int]:
    """By our ends' numbers."""
    rows = psutil.Process(program.process.pid).net_connections("tcp")
    return {row.laddr.port for row in rows if row.raddr and row.raddr.port == port and row.status == "ESTABLISHED"}


async def test_f11_an_upload_is_sent_once_and_its_caller_is_told(tmp_path: Path) -> None:
    """It is not held, so there is nothing to send again."""
    with (
        Journal(tmp_path) as journal,
        Program(tmp_path, config(model("a", journal.option)), watch=False) as program,
    ):
        async with caller(program) as client:
            await client.post("/api/models/load/a")
            pid = journal.all("start")[0]["pid"]
            os.kill(pid, signal.SIGSTOP)  # it can be connected to, and will not answer
            port = int(journal.all("start")[0]["argv"][1])
            before = connections(program, port)
            files = {"file": ("a.wav", b"x" * 100_000)}
            sending = asyncio.create_task(client.post("/v1/audio/transcriptions", data={"model": "a"}, files=files))
            while not connections(program, port) - before:
                await running(client)  # an answer of the same loop: what could be sent is sent after it
            await running(client)
            os.kill(pid, signal.SIGKILL)
            answer = await sending
        assert (answer.status_code, answer.json()["error"]["code"]) == (502, "upstream_failed")
        assert len(journal.all("start")) == 1


async def test_f11_news_of_the_loading_go_on_where_the_next_server_is_waited_for(tmp_path: Path) -> None:
    """A stream begun with `sendLoadingState` has one head, and the answer of the second server."""
    with (
        Journal(tmp_path) as journal,
        Program(
            tmp_path, config(model("a", f"--load-seconds 0.3 {journal.option}", sendLoadingState="true")), watch=False
        ) as program,
    ):
        async with caller(program) as client:
            asking = asyncio.create_task(stream(client, "a", "[fake first=2]"))
            first = (await journal.soon("request", path=CHAT))[0]
            os.kill(first["pid"], signal.SIGKILL)
            told = await asking
        assert (told.status, told.error) == (200, None)
        assert told.data.endswith(streamed("a", "[fake first=2]"))
        assert b"HTTP/1.1" not in told.data
        assert b"Once more" in told.data


async def test_s51_a_caller_who_leaves_frees_its_server(tmp_path: Path) -> None:
    """The server sees its connection close within a second."""
    with Journal(tmp_path) as journal, Program(tmp_path, config(model("a", journal.option)), watch=False) as program:
        async with caller(program) as client:
            async with client.stream("POST", CHAT, json=chat_body("a", "[fake stall=3]")) as response:
                await anext(response.aiter_raw())
                left = time.monotonic()
            await journal.soon("gone")
            assert time.monotonic() - left < SOON


async def test_f37_with_drain_on_abort_the_server_does_not_notice_who_leaves(tmp_path: Path) -> None:
    """Its answer is read to the end, and until then the seat is taken."""
    text = config(model("a", "JOURNAL", seats=1, drainOnAbort="true"))
    with (
        Journal(tmp_path) as journal,
        Program(tmp_path, text.replace("JOURNAL", journal.option), watch=False) as program,
    ):
        async with caller(program) as client:
            body = chat_body("a", "[fake words=20 interval=0.05]")
            async with client.stream("POST", CHAT, json=body) as response:
                await anext(response.aiter_raw())
            told = await stream(client, "a", "next")
            assert told.data == streamed("a", "next")
            first, asked = await journal.soon("request", 2, path=CHAT)
            answered = (await journal.soon("answered", connection=first["connection"]))[0]
        assert not journal.all("gone")
        assert answered["time"] <= asked["time"], "its seat was kept meanwhile"


async def test_f37_what_is_drained_ends_with_its_model(tmp_path: Path) -> None:
    """An unload does not wait for an answer that nobody reads."""
    text = config(model("a", "JOURNAL", drainOnAbort="true"))
    with (
        Journal(tmp_path) as journal,
        Program(tmp_path, text.replace("JOURNAL", journal.option), watch=False) as program,
    ):
        async with caller(program) as client:
            async with client.stream("POST", CHAT, json=chat_body("a", "[fake stall=3]")) as response:
                await anext(response.aiter_raw())
            assert (await client.post("/api/models/unload/a")).text == "OK"
            rows = (await client.get("/running")).json()
        assert rows["running"] == []


async def test_s48_an_answer_that_stands_still_ends_with_its_time_limit(tmp_path: Path) -> None:
    """Where `timeouts.responseHeader` is set and no answer begins, that is a typed 504."""
    text = config(model("a", "", timeouts="{responseHeader: 1}"))
    with Program(tmp_path, text, watch=False) as program:
        async with caller(program) as client:
            answer = await client.post(CHAT, json=chat_body("a", "[fake stall=before]"))
    assert (answer.status_code, answer.json()["error"]["code"]) == (504, "upstream_timeout")


async def test_s47_half_an_event_is_not_passed_on_as_a_whole_one(tmp_path: Path) -> None:
    """What came of it by then is dropped, the event that says so is whole."""
    with Program(tmp_path, config(model("a")), watch=False) as program:
        async with caller(program) as client:
            ending = await ask(client, APIS[0], "[fake words=9 cut=4]")
    assert ending.verdict == "broken"
    for event in ending.data.split(b"\n\n")[:-1]:
        json.loads(event.removeprefix(b"data: "))
