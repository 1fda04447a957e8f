"""Many callers, few seats, little room: who is served when, who is told to come again, and what must not be stopped."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Any

import httpx

from tests.whole.journal import Journal
from tests.whole.program import LONG, Program, config, model
from tests.whole.talk import CHAT, begun, caller, chat_body, running, stream, streamed, whole

RACES = int(os.environ.get("LLAMASWAP_TEST_RACES", "15"))  # a usual run takes few, 300 are the promise


def post(client: httpx.AsyncClient, name: str, prompt: str, key: str = "") -> asyncio.Task[httpx.Response]:
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    body = chat_body(name, prompt, stream=False)
    return asyncio.create_task(client.post(CHAT, json=body, headers=headers))


async def until_waiting(client: httpx.AsyncClient, name: str, count: int, key: str = "") -> None:
    """Each look is a request of its own."""
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    while (await client.get("/running", headers=headers)).json()["waiting"].get(name, 0) != count:
        pass


async def until_seated(client: httpx.AsyncClient, name: str) -> None:
    """Two requests sent at once may arrive in either order: who must be first is waited for."""
    async with asyncio.timeout(LONG):
        while not (await running(client)).get(name, {}).get("seated"):
            pass


def code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


def prompts(journal: Journal) -> list[str]:
    """Of the requests as they reached the servers."""
    return [said(entry) for entry in journal.all("request", path=CHAT)]


def said(entry: dict[str, Any]) -> str:
    body = str(entry["body"])
    return next((mark for mark in ("person", "agent") if mark in body), body)


async def test_q39_f40_fifty_requests_of_one_do_not_keep_another_from_its_one(tmp_path: Path) -> None:
    """Two seats, fifty requests of one key and one of another: that one begins before three rounds are over."""
    agents = 50
    with (
        Journal(tmp_path) as journal,
        Program(
            tmp_path, config(model("a", journal.option, seats=2), apiKeys="[agent, person]"), watch=False
        ) as program,
    ):
        async with caller(program) as client:
            seated = [post(client, "a", "[fake stall=before]", "agent") for _ in range(2)]
            await journal.soon("request", 2, path=CHAT)
            asked = [post(client, "a", f"[fake first=0.1] agent {n}", "agent") for n in range(agents - 2)]
            await until_waiting(client, "a", agents - 2, "person")
            person = post(client, "a", "[fake first=0.1] person", "person")
            await until_waiting(client, "a", agents - 1, "person")
            seated[0].cancel(), seated[1].cancel()
            assert {answer.status_code for answer in await asyncio.gather(person, *asked)} == {200}
        begun = prompts(journal)[2:]
        assert begun.index("person") < 2 * 2, "begun in the second round, so served within the third"


async def test_q39_f40_models_asked_for_in_turn_are_each_served(tmp_path: Path) -> None:
    """Two models that exclude each other under a storm for both: nobody starves, and swaps are few."""
    with (
        Journal(tmp_path) as journal,
        Program(
            tmp_path, config(model("a", journal.option), model("b", journal.option), patience=1), watch=False
        ) as program,
    ):
        async with caller(program) as client:
            asked = [post(client, "ab"[n % 2], f"[fake first=0.05] {n}") for n in range(60)]
            assert {answer.status_code for answer in await asyncio.gather(*asked)} == {200}
        assert len(journal.all("start")) < 20


async def test_q40_f38_a_full_queue_is_told_at_once_with_an_honest_time(tmp_path: Path) -> None:
    """429 with what earlier answers lead one to expect, not a number that never changes."""
    text = config(model("a", seats=1, queueLimit=1))
    with Program(tmp_path, text, watch=False) as program:
        async with caller(program) as client:
            await stream(client, "a", "[fake first=3]")
            first = post(client, "a", "[fake stall=before]")
            await until_seated(client, "a")
            second = post(client, "a", "hello")
            await until_waiting(client, "a", 1)
            queue = (await client.get("/running")).json()["queue"]
            assert [(place["model"], place["position"], place["caller"]) for place in queue] == [("a", 1, "127.0.0.1")]
            refused = await post(client, "a", "one too many")
            first.cancel(), second.cancel()
    assert code(refused) == (429, "queue_full")
    assert 2 <= int(refused.headers["Retry-After"]) <= 8


async def test_q40_all_queues_together_are_bounded(tmp_path: Path) -> None:
    """503, whichever model was meant."""
    text = config(model("a", "--load-seconds 60"), model("b"), queueLimit=1)
    with Program(tmp_path, text, watch=False) as program:
        async with caller(program) as client:
            first = post(client, "a", "hello")
            await until_waiting(client, "a", 1)
            refused = await post(client, "b", "one too many")
            first.cancel()
    assert code(refused) == (503, "overloaded")
    assert "Retry-After" in refused.headers


async def test_q40_who_has_waited_long_enough_gets_a_typed_504(tmp_path: Path) -> None:
    """In the shape of the API that was asked."""
    text = config(model("a", seats=1, queueTimeout=1))
    with Program(tmp_path, text, watch=False) as program:
        async with caller(program) as client:
            await client.post("/api/models/load/a")  # an order waits in no queue
            first = post(client, "a", "[fake stall=before]")
            await until_seated(client, "a")
            refused = await post(client, "a", "hello")
            other = await client.post("/v1/messages", json=chat_body("a", "hello") | {"max_tokens": 9})
            first.cancel()
    assert code(refused) == (504, "queue_timeout")
    assert other.status_code == 504
    assert other.json()["type"] == "error"


async def test_q41_no_room_beside_what_is_pinned_is_told_with_its_holder(tmp_path: Path) -> None:
    """409 with who is in the way; once it is unpinned there is room."""
    text = config(model("a", pin="true", ttl=1), model("b"))
    with Program(tmp_path, text, watch=False) as program:
        async with caller(program) as client:
            await stream(client, "a", "hello")
            refused = await post(client, "b", "hello")
            assert code(refused) == (409, "no_room")
            assert "beside a, which is pinned" in refused.json()["error"]["message"]
            assert (await running(client))["a"]["pinned"] is True
            unpinned = await client.post("/api/models/unpin/a")
            assert unpinned.json() == {"msg": "ok", "model": "a", "pinned": False}
            assert (await stream(client, "b", "hello")).data == streamed("b", "hello")
            await client.post("/api/models/pin/b")
            assert code(await post(client, "a", "hello")) == (409, "no_room")


async def test_q36_f02_f04_what_is_busy_or_loads_is_not_evicted(tmp_path: Path) -> None:
    """A swap waits for the answer, and goes on when its caller gives it up."""
    with (
        Journal(tmp_path) as journal,
        Program(tmp_path, config(model("a", journal.option), model("b", journal.option)), watch=False) as program,
    ):
        async with caller(program) as client:
            first = post(client, "a", "[fake stall=before]")
            await journal.soon("request", path=CHAT)
            second = post(client, "b", "hello")
            await until_waiting(client, "b", 1)
            assert (await running(client))["a"]["seated"] == 1
            first.cancel()
            assert (await second).json() == whole("b", "hello")
        assert [entry["argv"][3] for entry in journal.all("start")] == ["a", "b"]


async def test_q44_an_eviction_is_explained(tmp_path: Path) -> None:
    """In the log and at /running: for whom, who asked, what there was to choose from, what was chosen."""
    text = config(model("a"), model("b"))
    with Program(tmp_path, text, watch=False) as program:
        async with caller(program) as client:
            await stream(client, "a", "hello")
            await stream(client, "b", "hello")
            told = (await client.get("/running")).json()["evicted"]["a"]
            line = program.wait_for(r"a: stopping \(evicted for b\)")
    assert (told["wanted"], told["caller"], told["waiting"], told["rule"], told["chosen"]) == (
        ("b", "127.0.0.1", 1, "groups", ["a"])
    )
    assert [(each["model"], each["state"], each["seated"]) for each in told["candidates"]] == [("a", "ready", 0)]
    assert "caller=127.0.0.1" in line
    assert "candidates=" in line


async def test_f36_a_load_is_held_for_a_caller_who_comes_back(tmp_path: Path) -> None:
    """One that gave up waiting tries again in a moment: nobody else takes its load's room until then."""
    with (
        Journal(tmp_path) as journal,
        Program(
            tmp_path,
            config(model("a", f"--load-seconds 3 {journal.option}"), model("b", journal.option)),
            watch=False,
        ) as program,
    ):
        async with caller(program) as client:
            impatient = post(client, "a", "hello")
            await until_waiting(client, "a", 1)
            other = post(client, "b", "hello")
            await until_waiting(client, "b", 1)
            impatient.cancel()
            await until_waiting(client, "a", 0)
            assert (await post(client, "a", "again")).json() == whole("a", "again")
            assert (await other).json() == whole("b", "hello")
        assert [entry["argv"][3] for entry in journal.all("start")] == ["a", "b"]


async def test_q39_a_model_that_became_ready_is_not_swapped_out_at_once(tmp_path: Path) -> None:
    """With `minResidency` two that are asked for in turn are not loaded for every request."""
    with (
        Journal(tmp_path) as journal,
        Program(
            tmp_path, config(model("a", journal.option), model("b", journal.option), minResidency=10), watch=False
        ) as program,
    ):
        async with caller(program) as client:
            await stream(client, "a", "hello")
            other = post(client, "b", "hello")
            await until_waiting(client, "b", 1)
            for number in range(5):
                assert (await post(client, "a", str(number))).json() == whole("a", str(number))
            assert (await other).json() == whole("b", "hello")
        assert [entry["argv"][3] for entry in journal.all("start")] == ["a", "b"]


async def test_p20_f01_a_request_in_the_moment_of_a_crash_is_served_by_one_restart(tmp_path: Path) -> None:
    """Whoever hears of it first."""
    with (
        Journal(tmp_path) as journal,
        Program(tmp_path, config(model("a", journal.option), crashLimit="{failures: 0}"), watch=False) as program,
    ):
        async with caller(program) as client:
            await stream(client, "a", "hello")
            os.kill(journal.all("start")[0]["pid"], 9)
            asked = [post(client, "a", str(number)) for number in range(5)]
            answers = await asyncio.gather(*asked)
        assert [answer.json() for answer in answers] == [whole("a", str(number)) for number in range(5)]
        assert len(journal.all("start")) == 2


async def test_p31_f01_the_ttl_ends_in_the_moment_of_a_request(tmp_path: Path) -> None:
    """Each request comes as its model's ttl ends: none is lost, none waits for ever."""
    text = config(model("a", ttl=1))
    with Program(tmp_path, text, watch=False) as program:
        async with caller(program) as client:
            for number in range(RACES):
                said = program.said
                assert (await stream(client, "a", f"{number}")).data == streamed("a", f"{number}")
                await asyncio.to_thread(program.wait_for, r"a: stopping \(idle\)", said)
                told = await asyncio.gather(*(stream(client, "a", f"{number} {n}") for n in range(3)))
                assert [each.data for each in told] == [streamed("a", f"{number} {n}") for n in range(3)]


async def test_p32_f09_unload_all_in_the_middle_gives_everybody_one_answer(tmp_path: Path) -> None:
    """Who is streamed to, who waits for a load, who waits for a swap."""
    groups = "groups:\n  pair:\n    members: [a, b]\n  other:\n    exclusive: false\n    members: [c]\n"
    text = groups + config(model("a"), model("b"), model("c", "--load-seconds 60"))
    with Program(tmp_path, text, watch=False) as program:
        async with caller(program) as client:
            seated = await begun(client, "a", "[fake stall=3]")
            loading, swapping = post(client, "c", "hello"), post(client, "b", "hello")
            await until_waiting(client, "c", 1)
            await until_waiting(client, "b", 1)
            assert (await client.get("/unload")).text == "OK"
            told = await seated
            assert isinstance(told.error, httpx.RemoteProtocolError)
            assert b"model_unloaded" in told.data
            assert [code(await each) for each in (loading, swapping)] == [(503, "model_unloaded")] * 2
            assert (await client.get("/running")).json() == {"running": [], "waiting": {}}
            assert (await post(client, "b", "again")).json() == whole("b", "again")
