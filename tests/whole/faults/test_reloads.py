"""A configuration that is read again at a bad moment."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

from tests.whole.asking import caller, pids
from tests.whole.journal import Journal
from tests.whole.program import LONG, Program, config, model
from tests.whole.talk import CHAT, chat_body, stream, streamed
from tests.whole.talk import caller as callers


async def test_r86_a_reload_while_a_model_loads_does_not_start_it_twice(tmp_path: Path) -> None:
    """What does not concern its command leaves the load alone; who waits for it is served."""
    with Journal(tmp_path) as journal:
        loading = f"{journal.option} --load-seconds 1"
        with Program(tmp_path, config(model("a", loading))) as program:
            async with callers(program) as client:
                waiting = asyncio.create_task(stream(client, "a", "hello"))
                await journal.soon("start")
                await asyncio.to_thread(program.edit, config(model("a", loading, ttl=900), model("b")))
                assert (await waiting).data == streamed("a", "hello")
        assert len(journal.all("start")) == 1


async def test_r86_a_reload_while_a_model_makes_room_for_another(tmp_path: Path) -> None:
    """The swap goes on under the new configuration, and both callers get their answers."""
    slow = "[fake words=20 interval=0.05]"
    with Program(tmp_path, config(model("a"), model("b"))) as program:
        async with callers(program) as client:
            first = asyncio.create_task(stream(client, "a", slow))
            await asyncio.to_thread(program.wait_for, "a: ready")
            second = asyncio.create_task(stream(client, "b", "hello"))
            await asyncio.to_thread(program.edit, config(model("a"), model("b"), model("c"), patience=5))
            assert (await first).data == streamed("a", slow, 20)
            assert (await second).data == streamed("b", "hello")


async def test_r86_a_reload_while_the_program_ends_changes_nothing(tmp_path: Path) -> None:
    """The answers in flight are finished, and the exit status is 0."""
    slow = "[fake words=20 interval=0.05]"
    program = Program(tmp_path, "", watch=False)
    with Journal(tmp_path) as journal:
        program.path.write_text(config(model("a", journal.option)))
        with program:
            async with callers(program) as client:
                opened = asyncio.create_task(stream(client, "a", slow))
                await journal.soon("request", path=CHAT)
                program.process.terminate()
                await asyncio.to_thread(program.wait_for, "shutting down")
                program.path.write_text(config(model("b")))
                program.process.send_signal(signal.SIGHUP)
                assert (await opened).data == streamed("a", slow, 20)
            assert await asyncio.to_thread(program.process.wait, LONG) == 0


def test_r87_a_dry_run_says_what_the_reload_then_does(tmp_path: Path) -> None:
    """Added, removed, restarted, retuned: as told beforehand, and nothing else has a new process."""
    together = "groups:\n  all:\n    swap: false\n    members: [a, b, c]\n"
    old = together + config(model("a"), model("b"), model("c"))
    new = together.replace("c]", "d]") + config(model("a", "-m other"), model("b", ttl=700), model("d"))
    with Program(tmp_path, old) as program, caller(program) as client:
        for name in "abc":
            client.post(CHAT, json=chat_body(name, "hello")).raise_for_status()
        before = pids(program)
        told = client.post("/api/config/diff", content=new).raise_for_status().json()
        assert (told["added"], told["removed"], list(told["restarted"])) == (["d"], ["c"], ["a"])
        assert "b" in told["retuned"]
        assert pids(program) == before, "asking changes nothing"
        said = program.said
        program.edit(new)
        program.wait_for("a: ready", said)
        after = pids(program)
        assert after["b"] == before["b"]
        assert after["a"] != before["a"]
        assert "c" not in after
