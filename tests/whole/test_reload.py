"""A saved configuration touches only what differs, and a broken one nothing at all."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

import httpx
import pytest

from tests.whole.journal import Journal
from tests.whole.program import Program, config, model
from tests.whole.talk import CHAT, begun, caller, chat_body, running, stream, streamed

TOGETHER = "groups:\n  all:\n    swap: false\n    members: [{}]\n"
SLOW = "[fake words=80 interval=0.05]"


def together(*models: str, members: str = "a, b") -> str:
    return TOGETHER.format(members) + config(*models)


@pytest.mark.fault("R81")
async def test_a_comment_or_a_description_restarts_nothing(tmp_path: Path) -> None:
    """Same PIDs, and a stream that was open meanwhile arrives byte-exact."""
    with Program(tmp_path, together(model("a"), model("b"))) as program:
        async with caller(program) as client:
            await stream(client, "b", "hello")
            opened = await begun(client, "a", SLOW)
            before = await running(client)
            edited = together("  # a remark\n" + model("a", description="the first"), model("b", ttl=500))
            await asyncio.to_thread(program.edit, edited)
            after = await running(client)
            assert not opened.done(), "the edit must fall into the stream"
            told = await opened
    assert told.data == streamed("a", SLOW, 80)
    assert {name: row["pid"] for name, row in before.items()} == {name: row["pid"] for name, row in after.items()}
    assert (after["a"]["description"], after["b"]["ttl"]) == ("the first", 500)


@pytest.mark.fault("R82")
async def test_a_changed_command_restarts_only_its_model(tmp_path: Path) -> None:
    """Its callers are served to the end on the old run, new ones by the new run; the other model keeps its process."""
    with Program(tmp_path, together(model("a"), model("b"))) as program:
        async with caller(program) as client:
            await stream(client, "b", "hello")
            opened = await begun(client, "a", SLOW)
            before = await running(client)
            await asyncio.to_thread(program.edit, together(model("a", "-m other"), model("b")))
            assert not opened.done(), "the edit must fall into the stream"
            behind = await stream(client, "a", "after")
            told = await opened
            after = await running(client)
    assert told.data == streamed("a", SLOW, 80)
    assert behind.data == streamed("a", "after")
    assert before["a"]["pid"] != after["a"]["pid"]
    assert "-m other" in after["a"]["cmd"]
    assert before["b"]["pid"] == after["b"]["pid"]


async def test_what_was_up_is_started_again_at_once(tmp_path: Path) -> None:
    """A model whose command changed comes up anew although nobody asks."""
    with Program(tmp_path, config(model("a"))) as program:
        async with caller(program) as client:
            await stream(client, "a", "hello")
            await asyncio.to_thread(program.wait_for, "a: ready")
            said = program.said
            await asyncio.to_thread(program.edit, config(model("a", "-m other")))
            await asyncio.to_thread(program.wait_for, "a: ready", said)
            assert (await running(client))["a"]["state"] == "ready"


async def test_a_model_added_in_front_restarts_nothing(tmp_path: Path) -> None:
    """A new first model takes the others' port numbers, and yet they keep their processes and ports."""
    with Program(tmp_path, together(model("b"), model("c"), members="b, c")) as program:
        async with caller(program) as client:
            for name in "bc":
                await stream(client, name, "hello")
            before = await running(client)
            added = together(model("a"), model("b"), model("c"), members="a, b, c")
            await asyncio.to_thread(program.edit, added)
            assert (await stream(client, "a", "hello")).data == streamed("a", "hello")
            after = await running(client)
    assert {name: after[name]["pid"] for name in "bc"} == {name: row["pid"] for name, row in before.items()}
    assert {name: after[name]["proxy"] for name in "bc"} == {name: row["proxy"] for name, row in before.items()}


@pytest.mark.fault("R83")
async def test_a_removed_model_serves_its_callers_to_the_end(tmp_path: Path) -> None:
    """Then it is stopped; new callers hear at once that it is gone."""
    with Program(tmp_path, config(model("a"), model("b"))) as program:
        async with caller(program) as client:
            opened = await begun(client, "a", SLOW)
            await asyncio.to_thread(program.edit, config(model("b")))
            refused = await client.post(CHAT, json=chat_body("a", "hello"))
            assert refused.status_code == 404
            assert not opened.done(), "the edit must fall into the stream"
            assert (await opened).data == streamed("a", SLOW, 80)
            await asyncio.to_thread(program.wait_for, r"a: stopping \(removed\)")


@pytest.mark.fault("R80", "F7")
async def test_a_broken_file_leaves_the_old_configuration_in_force(tmp_path: Path) -> None:
    """Every mistake is logged with its line and remedy, and requests go on."""
    good = config(model("a"))
    with Program(tmp_path, good) as program:
        async with caller(program) as client:
            await stream(client, "a", "hello")
            before = await running(client)
            said = program.said
            await asyncio.to_thread(program.edit, good + "    ttl: soon\nstartPort: -5\n")
            logged = program.lines[said:]
            assert (await stream(client, "a", "still")).data == streamed("a", "still")
            assert await running(client) == before
    line = good.count("\n") + 1
    mistakes = [row for row in logged if "[ERROR]" in row and "config.yaml" in row]
    assert len(mistakes) == 2
    assert f"config.yaml:{line}:" in mistakes[0]
    assert "models.a.ttl" in mistakes[0]
    assert "startPort" in mistakes[1]


@pytest.mark.fault("P18")
async def test_sighup_reloads_without_watching(tmp_path: Path) -> None:
    """SIGHUP reads the file, also where nobody watches it."""
    with Program(tmp_path, config(model("a")), watch=False) as program:
        program.path.write_text(config(model("a"), model("b")))
        program.process.send_signal(signal.SIGHUP)
        await asyncio.to_thread(program.wait_for, "configuration reloaded")
        async with caller(program) as client:
            assert (await stream(client, "b", "hello")).data == streamed("b", "hello")


def save_by_write(path: Path, text: str) -> None:
    path.write_text(text)


def save_by_rename(path: Path, text: str) -> None:
    fresh = path.with_suffix(".tmp")
    fresh.write_text(text)
    fresh.replace(path)


def save_by_link(path: Path, text: str) -> None:
    """As a mounted config map does: the name is a link, and the link is swapped for one to another folder."""
    folder = path.parent / f"data-{os.urandom(6).hex()}"
    folder.mkdir()
    (folder / path.name).write_text(text)
    link = path.with_suffix(".link")
    link.symlink_to(folder / path.name)
    link.replace(path)


@pytest.mark.fault("R85", "F6")
async def test_a_hundred_saves_in_a_second_end_with_the_last_valid_one(tmp_path: Path) -> None:
    """By write, by rename and by swapped link in turns; every seventh is broken."""
    with Journal(tmp_path) as journal:
        good = model("a", journal.option)
        with Program(tmp_path, config(good)) as program:
            async with caller(program) as client:
                await stream(client, "a", "hello")
                save_a_hundred_times(program.path, good)
                await until_listed(program, client, "last")
                assert (await running(client))["a"]["ttl"] == 4711
                listed = (await client.get("/v1/models")).json()["data"]
        assert [row["id"] for row in listed] == ["a", "last"]
        assert len(journal.all("start")) == 1, "the running model was never touched"


def save_a_hundred_times(path: Path, good: str) -> None:
    saves = (save_by_write, save_by_rename, save_by_link)
    for n in range(99):
        broken = "nonsense: [" if n % 7 == 0 else ""
        saves[n % 3](path, config(good, model(f"m{n}"), globalTTL=n) + broken)
    save_by_rename(path, config(good, model("last"), globalTTL=4711))


async def until_listed(program: Program, client: httpx.AsyncClient, name: str) -> None:
    seen = program.said
    while not await lists(client, name):
        await asyncio.to_thread(program.wait_for, "configuration re", seen)
        seen = program.said


async def lists(client: httpx.AsyncClient, name: str) -> bool:
    rows = (await client.get("/v1/models")).json()["data"]
    return name in [row["id"] for row in rows]
