"""Callers who are too many, too slow, or gone without a word: service degrades in one place and recovers by itself."""

from __future__ import annotations

import os
import resource
import select
import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from tests.performance.contestants import free_port, module, settings
from tests.whole.asking import NO_CERTIFICATES, caller, running
from tests.whole.faults.crowd import SMALL, connect, cpu, crowd, head, healthy, memory, read_all, until
from tests.whole.program import LONG, SOCKETS, Program, config, model
from tests.whole.talk import CHAT, chat_body, streamed

MIB = 1024 * 1024

# Five thousand is the promise; a usual run takes fewer, LLAMASWAP_TEST_CALLERS=5000 all of them.
MANY = int(os.environ.get("LLAMASWAP_TEST_CALLERS", "500"))
SLOW_READERS = 40
PER_READER = 256 * 1024
CAP = 40
SPARE = 32


def limits(**keys: object) -> str:
    return "{" + ", ".join(f"{key}: {value}" for key, value in keys.items()) + "}"


@pytest.fixture(scope="module")
def roomy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    """No limit on connections but the usual one; nobody may stand still for more than a second."""
    folder = tmp_path_factory.mktemp("roomy")
    sockets = f"  plain:\n    cmd: {SOCKETS}\n"
    text = config(model("a"), sockets, limits=limits(uploadStall=1, readerStall=1))
    groups = "groups:\n  all:\n    swap: false\n    members: [a, plain]\n"
    with Program(folder, groups + text, watch=False) as program:
        ask(program, "a")
        yield program


@pytest.fixture(scope="module")
def narrow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    text = config(model("a"), limits=limits(connections=CAP))
    with Program(tmp_path_factory.mktemp("narrow"), text, watch=False) as program:
        ask(program, "a")
        yield program


def ask(program: Program, name: str) -> bytes:
    with caller(program) as client:
        return client.post(CHAT, json=chat_body(name, "hello")).raise_for_status().content


def status(program: Program, path: str) -> tuple[int, str]:
    """Over a connection of its own. Without a status where it is cut off."""
    try:
        with httpx.Client(base_url=program.url, timeout=LONG, verify=NO_CERTIFICATES, trust_env=False) as client:
            found = client.post(path, json=chat_body("a", "hello")) if path == CHAT else client.get(path)
    except httpx.TransportError:
        return 0, ""
    return found.status_code, found.text


def answered(connection: socket.socket) -> bytes:
    """A short answer, whole."""
    told = b""
    while not told.endswith(b"OK") and (piece := connection.recv(4096)):
        told += piece
    return told


def test_o69_slow_heads_hold_nobody_up(roomy: Program) -> None:
    """Hundreds of connections that never finish their head cost a good caller nothing."""
    with crowd(roomy, MANY, b"GET /health HTTP/1.1\r\nHost: loc"):
        assert ask(roomy, "a") == streamed("a", "hello")
        assert healthy(roomy)


def test_o69_slow_heads_make_room_where_connections_are_scarce(narrow: Program) -> None:
    """Beyond the limit whoever has asked for nothing for the longest time goes first, so a good caller gets in."""
    with crowd(narrow, CAP + SPARE, b"GET /health HTTP/1.1\r\nHost: loc"):
        until(lambda: status(narrow, CHAT)[0] == 200)


def test_o70_a_stalled_upload_is_given_up(roomy: Program) -> None:
    """It holds its seat for `limits.uploadStall`, then it is told, and the seat is free."""
    begun = head("POST", "/upstream/plain/x", "Content-Type: audio/wav", "Content-Length: 100000")
    with connect(roomy, begun + b"x" * 1000) as stalled:
        assert stalled.recv(12, socket.MSG_WAITALL)[9:] == b"408"
        told = b""
        while b"request_timeout" not in told and (piece := stalled.recv(4096)):
            told += piece
        assert b"request_timeout" in told
    until(lambda: running(roomy)["plain"]["seated"] == 0)


def test_o70_so_is_a_body_that_is_held(roomy: Program) -> None:
    """A JSON request that never comes to its end."""
    begun = head("POST", CHAT, "Content-Type: application/json", "Content-Length: 100000")
    with connect(roomy, begun + b'{"model"') as stalled:
        assert stalled.recv(12, socket.MSG_WAITALL)[9:] == b"408"


def test_o71_idle_connections_go_when_others_need_the_room(narrow: Program) -> None:
    """Of those that were served and now only stay, some are closed."""
    with crowd(narrow, CAP, head("GET", "/health")) as idle:
        assert all(answered(each).endswith(b"OK") for each in idle)
        until(lambda: status(narrow, CHAT)[0] == 200)
        closed, _, _ = select.select(idle, [], [], LONG)
        assert [each.recv(1) for each in closed] == [b""] * len(closed)
        assert 0 < len(closed) < CAP


def test_o72_above_the_limit_callers_are_refused_at_once_and_operators_served(narrow: Program) -> None:
    """503 with its reason; /health and the operators' routes answer; and afterwards everything is as before."""
    body = b'{"model": "a", "stream": true, "messages": [{"role": "user", "content": "[fake stall=1]"}]}'
    question = head("POST", CHAT, "Content-Type: application/json", f"Content-Length: {len(body)}") + body
    with crowd(narrow, CAP, question) as seated:
        assert [each.recv(12, socket.MSG_WAITALL)[9:] for each in seated] == [b"200"] * CAP
        refused, reason = status(narrow, CHAT)
        assert (refused, "limits.connections" in reason) == (503, True)
        assert status(narrow, "/health") == (200, "OK")
        assert status(narrow, "/running")[0] == 200
    until(lambda: status(narrow, CHAT)[0] == 200)


def test_o72_a_flood_is_turned_away_unheard(narrow: Program) -> None:
    """Who comes in a flood reads 503 before it has asked anything; then service goes on."""
    with crowd(narrow, 3 * (CAP + SPARE)) as flood:
        assert flood[-1].recv(12, socket.MSG_WAITALL)[9:] == b"503"
    until(lambda: status(narrow, CHAT)[0] == 200)


def test_s53_a_caller_who_reads_nothing_is_ended(roomy: Program) -> None:
    """After `limits.readerStall`; its seat is free, and others were not held up meanwhile."""
    said = roomy.said
    with connect(roomy, head("GET", "/upstream/plain/download?size=500000000"), SMALL) as stopped:
        assert stopped.recv(12, socket.MSG_WAITALL)[9:] == b"200"
        assert ask(roomy, "a") == streamed("a", "hello")
        roomy.wait_for("took nothing of its answer", said)
    until(lambda: running(roomy)["plain"]["seated"] == 0)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="resident memory is counted as Linux counts it")
def test_s54_many_slow_readers_take_little_memory(tmp_path: Path) -> None:
    """Each has a stream of 500 MB before it and reads nothing of it."""
    text = config(f"  plain:\n    cmd: {SOCKETS}\n")
    with Program(tmp_path, text, watch=False) as program:
        httpx.get(f"{program.url}/upstream/plain/page", timeout=LONG).raise_for_status()
        before = memory(program)
        with crowd(program, SLOW_READERS, head("GET", "/upstream/plain/download?size=500000000"), SMALL) as stopped:
            assert [each.recv(12, socket.MSG_WAITALL)[9:] for each in stopped] == [b"200"] * SLOW_READERS
            assert healthy(program)
            each = (memory(program) - before) / SLOW_READERS
            sys.stdout.write(f"{each / 1024:.0f} KiB for each slow reader\n")
            assert each < PER_READER


def most_memory(program: Program) -> int:
    """The most that it ever took."""
    status = Path(f"/proc/{program.process.pid}/status").read_text("ascii")
    return 1024 * int(status.partition("VmHWM:")[2].split()[0])


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="resident memory is counted as Linux counts it")
def test_s54_so_do_those_of_streams_that_are_recorded(tmp_path: Path) -> None:
    """Events as fast as they are taken, for ever; a moment after they are not, what was kept of them is given back."""
    upstream = free_port()
    body = b'{"model":"m","stream":true,"messages":[]}'
    kind = "Content-Type: application/json"
    question = head("POST", CHAT, kind, "X-Work: 1000000000 0", f"Content-Length: {len(body)}") + body

    with (
        module("tests.performance.upstream", port=upstream),
        Program(tmp_path, settings(upstream, 1), watch=False) as program,
    ):
        httpx.post(program.url + CHAT, json={"model": "m"}, timeout=LONG).raise_for_status()
        before, bound = memory(program), SLOW_READERS * PER_READER
        with crowd(program, SLOW_READERS, question, SMALL) as stopped:
            assert [each.recv(12, socket.MSG_WAITALL)[9:] for each in stopped] == [b"200"] * SLOW_READERS
            until(lambda: healthy(program) and most_memory(program) - before > bound)
            until(lambda: healthy(program) and memory(program) - before < bound)
            sys.stdout.write(f"{(memory(program) - before) / SLOW_READERS / 1024:.0f} KiB for each slow reader\n")


def ask_until_heard(program: Program, name: str) -> bytes:
    """Whoever comes in the very moment in which others are cut off is one of them: the system's list is emptied."""
    deadline = time.monotonic() + LONG
    while True:
        try:
            return ask(program, name)
        except httpx.TransportError:
            assert time.monotonic() < deadline


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux lets another process's limits be set")
def test_o73_without_descriptors_nothing_spins_and_it_recovers(tmp_path: Path) -> None:
    """With no descriptor left callers are cut off, the processor is not busy with it, and it ends with its cause."""
    with Program(tmp_path, config(model("a")), watch=False) as program:
        assert ask(program, "a") == streamed("a", "hello")
        process = psutil.Process(program.process.pid)
        before = resource.prlimit(process.pid, resource.RLIMIT_NOFILE)
        resource.prlimit(process.pid, resource.RLIMIT_NOFILE, (process.num_fds(), before[1]))
        spent = cpu(program)
        with crowd(program, 20) as cut_off:
            assert read_all(cut_off[-1]) == b""
        assert cpu(program) - spent < 0.5
        resource.prlimit(process.pid, resource.RLIMIT_NOFILE, before)
        assert ask_until_heard(program, "a") == streamed("a", "hello")


@pytest.mark.skipif(sys.platform == "win32", reason="no such limit")
def test_o73_a_start_with_too_few_descriptors_is_refused(tmp_path: Path) -> None:
    """With a word about what is needed."""
    program = Program(tmp_path, config(model("a")), watch=False)
    program.before = lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (100, 100))
    with pytest.raises(AssertionError, match="only 100 files may be open at once"), program:
        pass
    assert program.process.returncode == 1
