"""One life of a server: how it is found ready, and the many ways in which it is not."""

from __future__ import annotations

import asyncio
import os
import shlex
import socket
import sys
from pathlib import Path

import pytest
from msgspec.structs import replace

from llamaswap_py.config.values import Model
from llamaswap_py.errors import Internal, StartFailed, StartTimeout, UpstreamFailed
from llamaswap_py.runtime.feed import ModelChanged
from llamaswap_py.runtime.fetching import status
from llamaswap_py.runtime.probing import probe_path
from llamaswap_py.schedule.plan import Phase
from tests.runtime.house import FAKE, config_of, fake, house


@pytest.mark.fault("F26")
@pytest.mark.parametrize(
    ("endpoint", "path"),
    [
        ("/health", "/health"),
        (" /v1/models?x=1 ", "/v1/models?x=1"),
        ("", "/"),
        ("health", "/health"),
        ("http://elsewhere:1/ready?now", "/ready?now"),
    ],
)
def test_of_a_check_endpoint_only_path_and_query_count(endpoint: str, path: str) -> None:
    assert probe_path(endpoint) == path


async def test_a_model_without_a_command_says_what_is_missing() -> None:
    async with house(config_of(Model("a", "  "))) as at:
        with pytest.raises(StartFailed, match="cmd"):
            await at.conductor.load("a")


async def test_a_command_that_does_not_exist_is_named() -> None:
    async with house(config_of(Model("a", "no-such-program --port ${PORT}"))) as at:
        with pytest.raises(StartFailed, match="no-such-program"):
            await at.conductor.load("a")


async def test_without_a_check_endpoint_it_is_ready_at_once() -> None:
    async with house(config_of(fake("a", "--never-healthy", check_endpoint="none"))) as at:
        await at.conductor.load("a")
        assert at.pid("a") is not None


@pytest.mark.parametrize("options", ["--never-healthy", "--hang-health"])
async def test_a_server_that_never_gets_ready_is_stopped_at_the_limit(options: str) -> None:
    server = fake("a", options, health_check_timeout=0.5)
    server = replace(server, cmd=f"sh -c 'echo reading the weights; exec {server.cmd}'")
    async with house(config_of(server)) as at:
        with pytest.raises(StartTimeout, match="reading the weights"):
            await at.conductor.load("a")
        assert at.conductor.runs == {}


async def test_a_taken_port_is_given_up_for_another_one() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = other.getsockname()[1]
        async with house(config_of(fake("a"), ports={"a": taken})) as at, at.conductor.lease("a") as run:
            assert run.port not in (None, taken)


# Says once that it is well, and leaves the port.
PASSING_BY = """
import socket, sys
with socket.create_server(("127.0.0.1", int(sys.argv[1]))) as door:
    caller, _ = door.accept()
    caller.recv(4096)
caller.sendall(b"HTTP/1.1 200 OK\\r\\nContent-Length: 0\\r\\n\\r\\n")
caller.close()
"""


@pytest.mark.fault("P23", "F20")
async def test_who_answers_once_and_leaves_the_port_is_not_taken_for_the_server(tmp_path: Path) -> None:
    script = tmp_path / "passing_by.py"
    script.write_text(PASSING_BY)
    both = f"{sys.executable} {script} ${{PORT}}; exec {fake('a').cmd}"
    async with house(config_of(Model("a", f"sh -c {shlex.quote(both)}"))) as at, at.conductor.lease("a") as run:
        assert await status(run.connections, "/health", 5.0) == 200


async def test_the_configured_port_is_taken_if_it_is_free() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
    async with house(config_of(fake("a"), ports={"a": port})) as at, at.conductor.lease("a") as run:
        assert run.port == port


async def test_what_a_failed_server_said_last_is_told() -> None:
    lines = " ".join(f"--stderr 'line {n}'" for n in range(40))
    async with house(config_of(fake("a", f"--exit --exit-code 9 {lines}"))) as at:
        with pytest.raises(StartFailed) as caught:
            await at.conductor.load("a")
    assert "line 39" in caught.value.message
    assert "line 1\n" not in caught.value.message


def detaching(folder: Path, port: int) -> Model:
    """A command that starts its server elsewhere, as `docker run -d` does, and a cmdStop that ends it there."""
    pid = folder / "pid"
    start = f"setsid {sys.executable} -S {FAKE} --port {port} --alias d >/dev/null 2>&1 & echo $! > {pid}"
    stop = f"kill $(cat {pid}); while kill -0 $(cat {pid}) 2>/dev/null; do :; done"
    return Model(
        "d",
        f"env -u LLAMASWAP_RUN sh -c {shlex.quote(start)}",
        cmd_stop=f"sh -c {shlex.quote(stop)}",
        proxy=f"http://127.0.0.1:{port}",
    )


async def test_a_detached_server_lives_by_its_probe_and_ends_by_cmdstop(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
    async with house(config_of(detaching(tmp_path, port))) as at:
        await at.conductor.load("d")
        (run,) = at.conductor.runs.values()
        assert run.child is not None
        await run.child.child.exited
        assert await status(run.connections, "/health", 5) == 200
        await at.conductor.unload()
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", port)


async def test_a_detached_server_that_dies_is_noticed(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
    async with house(config_of(detaching(tmp_path, port))) as at:
        await at.conductor.load("d")
        os.kill(int((tmp_path / "pid").read_text()), 9)
        gone = await at.until("d", Phase.DOWN)
        assert "stopped answering" in gone.why


async def test_who_says_something_is_asked_whether_it_is_ready() -> None:
    """Here by nothing else: no pause between two probes ever ends."""

    async def sleep(seconds: float) -> None:
        await asyncio.Event().wait()

    async with house(config_of(fake("a", "--load-seconds 0.05"))) as at:
        at.conductor.ground.sleep = sleep
        await at.conductor.load("a")


async def test_a_start_that_fails_at_once_is_told_behind_its_beginning(capsys: pytest.CaptureFixture[str]) -> None:
    """In the log as in the feed."""
    async with house(config_of(replace(fake("a"), cmd=""))) as at:
        with pytest.raises(StartFailed):
            await at.conductor.load("a")
    changes = [event for event in at.events if isinstance(event, ModelChanged)]
    assert [change.phase is Phase.STARTING for change in changes] == [True, False]
    said = capsys.readouterr().out
    assert -1 < said.find("a: starting") < said.find("model a has no command")


async def test_a_mistake_of_ours_while_probing_ends_the_run(capsys: pytest.CaptureFixture[str]) -> None:
    """Whoever waits hears of it; the model does not stay starting for ever."""

    async def sleep(seconds: float) -> None:
        raise LookupError("our own mistake")

    async with house(config_of(fake("a", "--load-seconds 60"))) as at:
        at.conductor.ground.sleep = sleep
        with pytest.raises(Internal):
            await at.conductor.load("a")
        assert at.conductor.runs == {}
    assert "our own mistake" in capsys.readouterr().out


async def test_a_mistake_of_ours_while_watching_a_detached_server_ends_the_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It must not count as alive with nobody looking."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
    async with house(config_of(detaching(tmp_path, port))) as at:
        probing = at.conductor.ground.sleep

        async def sleep(seconds: float) -> None:
            if seconds == 1.0:  # between two looks at a detached server
                raise LookupError("our own mistake")
            await probing(seconds)

        at.conductor.ground.sleep = sleep
        await at.conductor.load("d")
        await at.until("d", Phase.DOWN)
        assert at.conductor.runs == {}
    assert "our own mistake" in capsys.readouterr().out


async def test_who_insists_waits_no_longer_for_a_server_that_does_not_heed_the_signal() -> None:
    """Before the stop and during it."""
    for first in (True, False):
        deaf = fake("a", unload_timeout=3600.0)
        deaf = replace(deaf, cmd=f"sh -c 'trap \"\" TERM; {deaf.cmd} & while :; do wait; done'")
        async with house(config_of(deaf)) as at:
            await at.conductor.load("a")
            if first:
                at.conductor.hurry()
            closing = asyncio.create_task(at.conductor.close(0))
            if not first:
                await at.until("a", Phase.STOPPING)
                at.conductor.hurry()
            await closing
            assert at.conductor.runs == {}


@pytest.mark.fault("F26")
async def test_without_a_check_endpoint_the_first_caller_waits_until_it_listens() -> None:
    late = fake("a", "--listen-after 0.4", check_endpoint="none")
    async with house(config_of(late)) as at, at.conductor.lease("a") as run:
        connection = await run.connections.take()
        assert connection.usable
        connection.abort()


async def test_without_a_check_endpoint_a_server_that_dies_keeps_nobody_waiting() -> None:
    dying = Model("a", "sh -c 'exit 3'", proxy="http://127.0.0.1:9", check_endpoint="none")
    async with house(config_of(dying)) as at, at.conductor.lease("a") as run:
        with pytest.raises(UpstreamFailed, match="exit code 3"):
            await run.connections.take()


@pytest.mark.fault("P6", "F25")
async def test_p6_a_load_that_makes_progress_outlives_its_limit() -> None:
    """Lines of output, or memory that grows: each is a sign. A silent one of the same length ends at the limit."""
    slow = "--load-seconds 8 --load-lines 0.3"
    talking = fake("a", slow, health_check_timeout=4)
    growing = fake("b", f"{slow} --load-megabytes 3", health_check_timeout=4)
    silent = fake("c", "--load-seconds 60", health_check_timeout=4)
    config = config_of(talking, growing, silent)
    together = tuple(replace(group, swap=False) for group in config.groups)
    async with house(replace(config, groups=together)) as at:
        await asyncio.gather(at.conductor.load("a"), at.conductor.load("b"))
        with pytest.raises(StartTimeout, match="healthCheckTimeout"):
            await at.conductor.load("c")


@pytest.mark.fault("F28")
async def test_stopped_is_said_when_the_cards_memory_is_back() -> None:
    """Where somebody watches the cards: the run is over when they have shown it, and not before."""
    asked: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    back = asyncio.Event()

    class Cards:
        seen = True

        async def memory_back(self, leader: int) -> None:
            asked.set_result(leader)
            await back.wait()

    async with house(config_of(fake("a"))) as at:
        at.conductor.ground.cards = Cards()
        await at.conductor.load("a")
        pid = at.pid("a")
        unloading = asyncio.create_task(at.conductor.unload())
        assert await asked == pid
        assert not unloading.done()
        back.set()
        await unloading
