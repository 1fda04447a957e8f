"""The program as a service: it starts, reloads, sleeps and ends as the system expects it to."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import psutil
import pytest

from tests.whole.asking import caller, pids
from tests.whole.faults.crowd import connect, head, until
from tests.whole.faults.systemd import Manager
from tests.whole.journal import Journal
from tests.whole.program import LONG, Program, config, model
from tests.whole.talk import CHAT, begun, chat_body, stream, streamed
from tests.whole.talk import caller as callers

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals and service managers of other systems")

TOGETHER = "groups:\n  all:\n    swap: false\n    members: [a, b, c]\n"
STALLED = "[fake stall=3]"


@pytest.mark.fault("F49")
async def test_p16_sigterm_drains_to_its_deadline_and_then_says_so(tmp_path: Path) -> None:
    """Readiness goes first, an answer that takes longer than `limits.drain` gets a typed end, the exit status is 0."""
    text = config(model("a"), limits="{drain: 4}")
    with Program(tmp_path, text, watch=False) as program:
        async with callers(program) as client:
            await stream(client, "a", "hello")
            with connect(program, head("GET", "/health")) as kept:
                assert b"200 OK" in kept.recv(4096)
                opened = await begun(client, "a", STALLED)
                program.process.terminate()
                await asyncio.to_thread(program.wait_for, "shutting down")
                kept.sendall(head("GET", "/health"))
                assert b" 503 " in kept.recv(4096)
                told = await opened
    assert told.error is not None
    assert told.events[-1]["error"]["code"] == "shutting_down"
    assert program.process.wait(LONG) == 0


def test_p16_models_are_stopped_in_reverse_order_of_their_start(tmp_path: Path) -> None:
    """The last that came is the first that goes."""
    text = TOGETHER + config(model("a"), model("b"), model("c"))
    with Program(tmp_path, text, watch=False) as program, caller(program) as client:
        for name in "bca":
            client.post(CHAT, json=chat_body(name, "hello")).raise_for_status()
        said = program.said
        program.process.terminate()
        assert program.process.wait(LONG) == 0
        program.reader.join(LONG)
        stops = [line.split()[1] for line in program.lines[said:] if "stopping" in line]
    assert stops == ["a:", "c:", "b:"]


async def test_p17_ctrl_c_in_a_terminal_reaches_no_model(tmp_path: Path) -> None:
    """The whole group gets SIGINT; the model finishes its answer all the same."""
    prompt = "[fake words=20 interval=0.05]"
    program = Program(tmp_path, config(model("a")), watch=False)
    program.before = os.setsid
    with Journal(tmp_path) as journal:
        program.path.write_text(config(model("a", journal.option)))
        with program:
            async with callers(program) as client:
                opened = asyncio.create_task(stream(client, "a", prompt))
                await journal.soon("request", path=CHAT)
                os.killpg(program.process.pid, signal.SIGINT)
                assert (await opened).data == streamed("a", prompt, 20)
            assert await asyncio.to_thread(program.process.wait, LONG) == 0


@pytest.mark.parametrize("number", [signal.SIGUSR1, signal.SIGPIPE, signal.SIGWINCH, signal.SIGCHLD])
def test_p18_other_signals_are_harmless(tmp_path: Path, number: signal.Signals) -> None:
    """SIGUSR1 would reopen logs, and there are none to reopen; nothing ends, nothing restarts."""
    with Program(tmp_path, config(model("a")), watch=False) as program, caller(program) as client:
        client.post(CHAT, json=chat_body("a", "hello")).raise_for_status()
        before = pids(program)
        program.process.send_signal(number)
        assert client.get("/health").text == "OK"
        assert pids(program) == before


def test_p29_a_second_program_on_the_same_state_refuses(tmp_path: Path) -> None:
    """With a clear word and status 1; the first is untouched. What a killed one left locked is free again."""
    text = config(model("a"))
    with Program(tmp_path, text, watch=False) as program:
        port = httpx.URL(program.url).port
        command = [sys.executable, "-m", "llamaswap_py", *program.flags[:1], *program.flags[2:]]
        second = subprocess.run(
            [*command, f"--listen=127.0.0.1:{port}"], capture_output=True, text=True, timeout=LONG, check=False
        )
        assert second.returncode == 1
        assert "another server" in second.stderr
        assert "Traceback" not in second.stderr
        program.process.kill()
        program.process.wait()
    with Program(tmp_path, text, f"--listen=127.0.0.1:{port}", watch=False) as again:
        assert httpx.get(f"{again.url}/health", timeout=LONG).text == "OK"


@pytest.mark.parametrize("place", ["abstract", "a path"])
def test_r89_the_service_manager_hears_each_step_in_its_order(tmp_path: Path, place: str) -> None:
    """READY; RELOADING with its time, then READY; STOPPING with the time it may take. Models do not see the socket."""
    name = "" if place == "abstract" else str(tmp_path / "notify")
    with Manager(name) as manager, Program(tmp_path, config(model("a")), watch=False, env=manager.env) as program:
        manager.hear("READY")
        with caller(program) as client:
            client.post(CHAT, json=chat_body("a", "hello")).raise_for_status()
        (pid,) = pids(program).values()
        assert "NOTIFY_SOCKET" not in psutil.Process(pid).environ()
        before = time.monotonic_ns() // 1000
        program.process.send_signal(signal.SIGHUP)
        assert int(manager.hear("RELOADING")["MONOTONIC_USEC"]) >= before
        assert manager.hear("READY")["READY"] == "1"
        program.process.terminate()
        assert int(manager.hear("STOPPING")["EXTEND_TIMEOUT_USEC"]) >= 30_000_000
        assert program.process.wait(LONG) == 0


def test_r89_ready_is_said_when_the_new_configuration_serves_and_not_before(tmp_path: Path) -> None:
    """However long its reading takes: whoever asks after READY is answered by it."""
    many = [model(f"m{number}") for number in range(300)]
    with Manager() as manager, Program(tmp_path, config(), watch=False, env=manager.env) as program:
        manager.hear("READY")
        for number in range(1, 4):
            program.path.write_text(config(*many, model(f"new{number}"), startPort=28_000))
            program.process.send_signal(signal.SIGHUP)
            manager.hear("RELOADING")
            manager.hear("READY")
            with caller(program) as client:
                listed = {row["id"] for row in client.get("/v1/models").json()["data"]}
            assert f"new{number}" in listed
        assert [key for said in manager.heard for key in said if key in ("READY", "RELOADING")] == [
            "READY",
            *["RELOADING", "READY"] * 3,
        ]


@pytest.mark.parametrize("name", ["@nobody-listens-here", "/nowhere/at/all", "nonsense", "@" + "x" * 200])
def test_r89_a_wrong_socket_is_no_trouble(tmp_path: Path, name: str) -> None:
    """Start, service and end are as without it."""
    env = {"NOTIFY_SOCKET": name, "WATCHDOG_USEC": "soon"}
    with Program(tmp_path, config(model("a")), watch=False, env=env) as program:
        assert httpx.get(f"{program.url}/health", timeout=LONG).text == "OK"
        program.process.terminate()
        assert program.process.wait(LONG) == 0


def test_o75_signs_of_life_come_while_the_machine_is_busy_and_not_while_it_cannot_work(tmp_path: Path) -> None:
    """With a process on every core the service manager still hears them; with the keeper stopped it hears none."""
    with contextlib.ExitStack() as busy, Manager() as manager:
        for _ in range(2):
            burner = busy.enter_context(subprocess.Popen([sys.executable, "-c", "while True: pass"]))
            busy.callback(burner.kill)
        env = {**manager.env, "WATCHDOG_USEC": "1000000"}
        served = Program(tmp_path, config(model("a")), watch=False, env=env)
        with served as program, contextlib.ExitStack() as waking:
            for _ in range(3):
                manager.hear("WATCHDOG")
            (keeper,) = psutil.Process(program.process.pid).children()
            keeper.suspend()
            waking.callback(keeper.resume)  # else it would outlive a failure
            manager.line.settimeout(1.2)
            with pytest.raises(TimeoutError):
                manager.hear("nothing that is ever said")
            waking.close()
            manager.line.settimeout(LONG)
            manager.hear("WATCHDOG")


async def test_o77_f34_after_a_standstill_servers_are_probed_anew(tmp_path: Path) -> None:
    """Everything stands still for longer than any ttl: nobody is unloaded for it, but one that answers no more is."""
    text = TOGETHER.replace(", c", "") + config(model("a", ttl=600), model("b", ttl=600))
    with Program(tmp_path, text, watch=False) as program:
        async with callers(program) as client:
            for name in "ab":
                await stream(client, name, "hello")
        before = pids(program)
        program.process.send_signal(signal.SIGSTOP)
        psutil.Process(before["b"]).suspend()
        with pytest.raises(subprocess.TimeoutExpired):
            program.process.wait(4.0)  # longer than a busy machine makes anybody wait
        program.process.send_signal(signal.SIGCONT)
        program.wait_for("everything stood still for")
        program.wait_for("b: it does not answer any more")
        until(lambda: "b" not in pids(program))
        assert pids(program) == {"a": before["a"]}
        async with callers(program) as client:
            assert (await stream(client, "b", "again")).data == streamed("b", "again")
