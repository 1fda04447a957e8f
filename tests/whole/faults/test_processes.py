"""Faults of processes: what is started is ended, whatever dies, and nobody else's is touched."""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from llamaswap_py.keeper import table
from llamaswap_py.launchers.keeper_link import KeeperLink
from tests.fakes.owner import ignore
from tests.fakes.witness import FAMILY
from tests.whole.faults.trees import (
    STRAY,
    Alive,
    again,
    another,
    containers,
    held_back,
    keeper_of,
    kill_at_once,
    take_terminal,
    terminal,
    together,
)
from tests.whole.journal import Journal
from tests.whole.program import FAKE, LONG, ROOT, Program, config, model
from tests.whole.talk import CHAT, caller, chat_body, running, stream, streamed

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="session, subreaper and marks as Linux has them")

KILLS = int(os.environ.get("LLAMASWAP_TEST_KILLS", "6"))  # 200 is the promise; six show that it is kept at all
FORKS = int(os.environ.get("LLAMASWAP_TEST_FORKS", "4"))  # 500 is the promise
AFTER = 2.0  # seconds a killed proxy's trees may live on


def start_time(pid: int) -> float:
    row = table.look(pid)
    assert row is not None
    return row.started


# -- stopping a tree


@pytest.mark.fault("F15")
async def test_p07_a_server_deaf_to_sigterm_is_killed_when_its_grace_is_over(tmp_path: Path) -> None:
    """Not before and not much later; it counts as stopped once nothing of it lives."""
    with Alive(tmp_path) as alive, Journal(tmp_path) as journal:
        text = config(alive.model("a", f"--ignore-sigterm {journal.option}", unloadTimeout=1))
        with Program(tmp_path, text) as program:
            async with caller(program) as client:
                await stream(client, "a", "hello")
                asked = asyncio.get_running_loop().time()
                assert (await client.post("/api/models/unload/a")).text == "OK"
                took = asyncio.get_running_loop().time() - asked
                assert not alive.somebody, "stopped is said when nothing of it lives"
                assert 1.0 <= took < 5.0
                assert (await stream(client, "a", "again")).data == streamed("a", "again")


async def test_p08_a_stopped_server_acts_on_the_request_to_end(tmp_path: Path) -> None:
    """SIGTERM is followed by SIGCONT, so that a process in SIGSTOP ends in its own way, long before its grace."""
    with Journal(tmp_path) as journal, Program(tmp_path, config(model("a", journal.option))) as program:
        async with caller(program) as client:
            await stream(client, "a", "hello")
            os.kill(journal.all("start")[0]["pid"], signal.SIGSTOP)
            async with asyncio.timeout(8):
                assert (await client.post("/api/models/unload/a")).text == "OK"
        assert journal.all("exit") == [*journal.all("exit", code=0)] != []


async def test_p10_p11_p12_f16_f17_strays_that_hold_the_output_end_with_their_model(tmp_path: Path) -> None:
    """A grandchild with its own session, no environment, deaf, holding the pipes: the stop ends in time, and it too."""
    with Alive(tmp_path) as alive, Program(tmp_path, config(alive.model("a", "", STRAY, unloadTimeout=1))) as program:
        async with caller(program) as client:
            await stream(client, "a", "hello")
            async with asyncio.timeout(8):
                assert (await client.post("/api/models/unload/a")).text == "OK"
            assert not alive.somebody


async def test_p12_f18_workers_end_when_the_process_that_answers_dies(tmp_path: Path) -> None:
    """Its port is free and its workers hold the card: they are ended before the model counts as stopped."""
    with Alive(tmp_path) as alive, Program(tmp_path, config(alive.model("a", "", STRAY, unloadTimeout=1))) as program:
        async with caller(program) as client:
            await stream(client, "a", "hello")
            os.kill((await running(client))["a"]["pid"], signal.SIGKILL)
            assert alive.all_gone(LONG)
            await asyncio.to_thread(program.wait_for, "a: its server ended with SIGKILL")
            assert (await stream(client, "a", "again")).data == streamed("a", "again")


# -- what lives outside our tree


def container(client: str, name: str, *flags: str) -> str:
    command = (
        f"{client} run {' '.join(flags)} {name} {sys.executable} -S {FAKE} --port ${{PORT}} --alias {name} --polite"
    )
    return f"  {name}:\n    cmd: {command}\n    cmdStop: {client} stop {name}\n"


@pytest.mark.parametrize("flags", ["", "-d"])
async def test_f19_f21_cmd_stop_is_run_at_the_start_after_a_kill(tmp_path: Path, flags: str) -> None:
    """Proxy and keeper are killed: what a container engine runs for us is stopped by the next start, once."""
    with containers(tmp_path) as engine:
        text = config(container(engine.client, "c", flags))
        with Program(tmp_path, text) as program:
            async with caller(program) as client:
                await stream(client, "c", "hello")
            kill_at_once(keeper_of(program), program.process.pid)
            program.process.wait()
        [record] = (tmp_path / "state").glob("runs-*/*.json")
        assert json.loads(record.read_bytes())["model"] == "c"
        assert record.stat().st_mode & 0o777 == 0o600
        with Program(tmp_path, text, again(program)) as second:
            second.wait_for("c was running when the proxy was killed: running its cmdStop")
            assert not record.exists()
            assert engine.ask("stop", "c") == 1, "it is stopped already"
            async with caller(second) as client:
                assert (await stream(client, "c", "again")).data == streamed("c", "again")
                await client.post("/api/models/unload/c")
        assert list((tmp_path / "state").glob("runs-*/*")) == []


async def test_f22_a_killed_client_leaves_no_container(tmp_path: Path) -> None:
    """The command is killed, what it started elsewhere is not: cmdStop ends that, and its name is free again."""
    with containers(tmp_path) as engine, Program(tmp_path, config(container(engine.client, "c"))) as program:
        async with caller(program) as client:
            await stream(client, "c", "hello")
            os.kill((await running(client))["c"]["pid"], signal.SIGKILL)
            await asyncio.to_thread(program.wait_for, "c: its server ended with SIGKILL")
            assert (await stream(client, "c", "again")).data == streamed("c", "again")


async def test_p25_a_forged_record_touches_no_stranger(tmp_path: Path) -> None:
    """A dead owner's record names a number that is another's by now, and one of another boot: neither is handed to
    cmdStop, and nobody is signalled; the commands are run all the same."""
    ran = tmp_path / "ran"
    with another() as stranger, Program(tmp_path, config(model("a"))) as program:
        program.process.kill()
        program.process.wait()
        folder = next((tmp_path / "state").glob("owner-*.json"))
        token = json.loads(folder.read_bytes())["token"]
        runs = folder.with_name(folder.name.replace("owner-", "runs-").removesuffix(".json"))
        runs.mkdir()
        stop = f"sh -c 'echo ${{PID}} >>{ran}; kill ${{PID}}; kill -9 ${{PID}}; true'"
        base = {"model": "a", "token": token, "boot": table.boot(), "cmd_stop": stop, "env": [], "cwd": "/", "grace": 9}
        true = start_time(stranger.pid)
        for number, (boot, started) in enumerate([(table.boot(), true - 1), ("another", true), (table.boot(), true)]):
            record = {**base, "boot": boot, "pid": stranger.pid, "started": started}
            (runs / f"forged-{number}.json").write_text(json.dumps(record))
        (runs / "torn.json").write_text('{"model"')
        with Program(tmp_path, config(model("a")), again(program)) as second:
            async with caller(second) as client:
                assert (await stream(client, "a", "hello")).data == streamed("a", "hello")
        assert ran.read_text().split() == [str(1 << 22)] * 3
        assert stranger.poll() is None
        assert list(runs.iterdir()) == []


async def test_f19_a_living_siblings_models_are_not_touched(tmp_path: Path) -> None:
    """Another address and another state directory: a start that clears up after a dead one leaves their models."""
    text = config(model("a"))
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    with Program(tmp_path / "one", text) as dead, Program(tmp_path / "two", text) as sibling:
        async with caller(dead) as client, caller(sibling) as other:
            await stream(client, "a", "hello")
            await stream(other, "a", "hello")
            before = (await running(other))["a"]["pid"]
            kill_at_once(keeper_of(dead), dead.process.pid)
            dead.process.wait()
            with Program(tmp_path / "one", text, again(dead)), Program(tmp_path / "one", text):
                assert (await running(other))["a"]["pid"] == before
                assert (await stream(other, "a", "again")).data == streamed("a", "again")


# -- the keeper killed


async def test_f19_p10_the_keeper_killed_under_a_living_proxy(tmp_path: Path) -> None:
    """What it held is ended, callers hear of it, and the next request has a new keeper."""
    with Alive(tmp_path) as alive, Journal(tmp_path) as journal:
        text = together("w", "l") + config(
            alive.model("w", "", STRAY, unloadTimeout=1), alive.model("l", f"--load-seconds 60 {journal.option}")
        )
        with Program(tmp_path, text) as program:
            await kill_the_keeper(program, alive, journal)


async def joined(pieces: AsyncIterator[bytes]) -> bytes:
    return b"".join([piece async for piece in pieces])


async def kill_the_keeper(program: Program, alive: Alive, journal: Journal) -> None:
    async with caller(program) as client:
        loading = asyncio.create_task(client.post(CHAT, json=chat_body("l", "never")))
        async with client.stream("POST", CHAT, json=chat_body("w", "[fake stall=3]")) as answer:
            pieces = answer.aiter_raw()
            assert await anext(pieces), "what has begun is not asked anew"
            await journal.soon("start")
            before = keeper_of(program)
            os.kill(before, signal.SIGKILL)
            assert alive.all_gone(AFTER)
            with pytest.raises(httpx.RemoteProtocolError):
                await joined(pieces)
        refused = await loading
        assert refused.json()["error"]["code"] == "model_start_failed"
        assert refused.status_code == 502
        assert (await stream(client, "w", "again")).data == streamed("w", "again")
        assert keeper_of(program) != before


async def test_f19_p98_proxy_and_keeper_killed_together(tmp_path: Path) -> None:
    """The servers die with the keeper; their strays, without an environment, are found by the next start."""
    with Alive(tmp_path) as alive:
        text = config(alive.model("a", "", STRAY, unloadTimeout=1))
        with Program(tmp_path, text) as program:
            async with caller(program) as client:
                await stream(client, "a", "hello")
            kill_at_once(keeper_of(program), program.process.pid)
            program.process.wait()
        assert alive.somebody, "the stray is nobody's now"
        with Program(tmp_path, text, again(program)) as second:
            assert alive.all_gone(0)
            async with caller(second) as client:
                assert (await stream(client, "a", "again")).data == streamed("a", "again")


# -- the proxy killed, again and again


async def kill_at_a_random_moment(program: Program, alive: Alive, moment: float) -> bool:
    """Whether there was anybody to survive."""
    async with caller(program) as client:
        asking = [asyncio.create_task(stream(client, name, "[fake words=200 interval=0.02]")) for name in "wsl"]
        await asyncio.wait(asking, timeout=moment)
        lived = alive.somebody
        program.process.kill()
        assert await asyncio.to_thread(alive.all_gone, AFTER), "somebody lives two seconds after the proxy was killed"
        for told in await asyncio.gather(*asking):
            assert told.error is not None or told.status >= 500, "a broken answer looked like a whole one"
    program.process.wait()
    return lived


async def test_p13_p98_sigkill_of_the_proxy_at_random_moments_leaves_nothing(tmp_path: Path) -> None:
    """Three models load and serve, one a shell whose grandchild left session and environment: two seconds after
    SIGKILL none of all those processes lives, each time, and the next start on the same state is clean."""
    flags: list[str] = []
    with Alive(tmp_path) as alive:
        models = alive.model("w", "", STRAY), alive.model("s"), alive.model("l", "--load-seconds 60")
        text = together("w", "s", "l") + config(*models)
        for number in range(KILLS):
            moment = random.uniform(0.0, 1.2)  # three starts side by side take about half of it
            with Program(tmp_path, text, *flags, watch=False) as program:
                flags = [again(program)]
                lived = await kill_at_a_random_moment(program, alive, moment)
            print(f"kill {number} after {moment:.3f} s: {'somebody' if lived else 'nobody yet'} was alive")


# -- what cannot be killed, and what must not be


async def test_p09_what_survives_sigkill_is_told_and_holds_up_nobody_else(tmp_path: Path) -> None:
    """The run counts as leaked with its number; its model is refused until it is gone, every other one is served."""
    with Program(tmp_path, config(model("a", unloadTimeout=1), model("b"))) as program:
        async with caller(program) as client:
            await stream(client, "a", "hello")
            pid = (await running(client))["a"]["pid"]
            with held_back(pid):
                assert (await stream(client, "b", "hello")).data == streamed("b", "hello"), "a made room"
                leaked = (await running(client))["a"]
                assert (leaked["state"], leaked["leaked"]) == ("leaked", [pid])
                refused = await client.post(CHAT, json=chat_body("a", "again"))
                assert (refused.status_code, refused.json()["error"]["code"]) == (503, "model_leaked")
                assert str(pid) in refused.json()["error"]["message"]
                await asyncio.to_thread(program.wait_for, rf"a: process {pid} of its run survives SIGKILL")
            await asyncio.to_thread(program.wait_for, f"process {pid} of its last run is gone")
            await client.post("/api/models/reset/a")
            assert (await stream(client, "a", "again")).data == streamed("a", "again")


def test_p14_a_proxy_killed_between_fork_and_exec_leaves_nothing(tmp_path: Path) -> None:
    """Killed while it spawns as fast as it can, again and again: what was forked and not yet become dies as well."""
    for number in range(FORKS):
        folder = tmp_path / str(number)
        folder.mkdir()
        with Alive(folder) as alive:
            owner = subprocess.Popen(
                [sys.executable, "-m", "tests.fakes.owner", str(alive.path), *["plain"] * 300], cwd=ROOT
            )
            alive.heard(random.randrange(1, 40))
            owner.kill()
            assert alive.all_gone(AFTER), f"round {number}"
            owner.wait()


def test_p15_the_thread_that_ordered_a_server_may_end(tmp_path: Path) -> None:
    """Death with the parent counts the thread that forked: that is the keeper's only one, whoever ordered."""
    loop = asyncio.new_event_loop()
    tasks: list[object] = []

    async def order(alive: Alive) -> KeeperLink:
        link = await KeeperLink.start(environ_token="thread", nofile=None, spawn_task=lambda *told: tasks.append(told))
        await link.spawn([sys.executable, "-I", "-S", FAMILY, str(alive.path), "plain"], os.environ, None, ignore)
        return link

    async def follow(link: KeeperLink) -> None:
        child = await link.spawn(["true"], os.environ, None, ignore)
        await child.gone  # whatever the end of the thread led to has happened by now

    with Alive(tmp_path) as alive, ThreadPoolExecutor(1) as thread:
        link = thread.submit(lambda: loop.run_until_complete(order(alive))).result()
        alive.heard(1)
        thread.shutdown()
        loop.run_until_complete(follow(link))
        assert alive.somebody
        loop.run_until_complete(link.close())
        assert alive.all_gone(AFTER)
        loop.run_until_complete(loop.shutdown_default_executor())
        loop.close()
    assert not tasks


async def test_p17_ctrl_c_at_the_terminal_reaches_the_proxy_alone(tmp_path: Path) -> None:
    """A terminal signals its whole foreground group: the servers are in none, and answers run to their end."""
    prompt = "[fake words=40 interval=0.02]"
    with Journal(tmp_path) as journal, terminal() as (keyboard, screen):
        program = Program(tmp_path, config(model("a", journal.option)))
        program.stdin, program.before = screen, take_terminal
        with program:
            async with caller(program) as client:
                asked = asyncio.create_task(stream(client, "a", prompt))
                await journal.soon("request", path=CHAT)
                os.write(keyboard, b"\x03")
                assert (await asked).data == streamed("a", prompt, 40)
            assert await asyncio.to_thread(program.process.wait, LONG) == 0
