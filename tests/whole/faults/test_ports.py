"""Ports that somebody else takes: our server starts on another one, and its caller hears nothing of it."""

from __future__ import annotations

import asyncio
import os
import shlex
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.whole.asking import chat, running
from tests.whole.program import FAKE, Program, config, model
from tests.whole.talk import caller, stream, streamed, whole

HEALTHY = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"


@contextmanager
def squatting(folder: Path, times: int) -> Iterator[Path]:
    """A program that answers everything with 200 and takes the port of each of the first starts, after we looked and
    before the server: the command, a shell, asks for it by a pipe and waits."""
    asks, goes = folder / "asks", folder / "goes"
    os.mkfifo(asks)
    os.mkfifo(goes)
    script = folder / "late.sh"
    script.write_text(f"echo $1 >{asks}\nread go <{goes}\nexec {sys.executable} -S {FAKE} --port $1 --alias a\n")
    taken: list[socket.socket] = []

    def answer(listener: socket.socket) -> None:
        while True:
            try:
                peer = listener.accept()[0]
            except OSError:
                return
            with peer:
                peer.recv(4096)
                peer.sendall(HEALTHY)

    def squat() -> None:
        for _ in range(times + 1):
            port = int(asks.read_text())
            if len(taken) < times:
                taken.append(socket.create_server(("127.0.0.1", port)))
                threading.Thread(target=answer, args=(taken[-1],), daemon=True).start()
            goes.write_text("go\n")

    thread = threading.Thread(target=squat, daemon=True)
    thread.start()
    try:
        yield script
        thread.join(10)
    finally:
        for listener in taken:
            listener.shutdown(socket.SHUT_RDWR)
            listener.close()


def test_p23_f20_a_port_that_is_taken_after_we_looked_is_given_up_for_another_one(tmp_path: Path) -> None:
    """Twice in a row, by a program that answers /health with 200."""
    with squatting(tmp_path, times=2) as script:
        text = config(f"  a:\n    cmd: sh {shlex.quote(str(script))} ${{PORT}}\n")
        with Program(tmp_path, text, watch=False) as program:
            answer = chat(program, "a", "hello")
            assert answer.status_code == 200, answer.text
            assert answer.json() == whole("a", "hello")
            assert running(program)["a"]["state"] == "ready"


async def test_p23_f20_two_programs_that_count_from_the_same_port_serve_both(tmp_path: Path) -> None:
    """They look at the same port in the same moment, start after start."""
    text = config(model("a"))
    (one := tmp_path / "one").mkdir()
    (two := tmp_path / "two").mkdir()
    with Program(one, text, watch=False) as first, Program(two, text, watch=False) as second:
        async with caller(first) as ask_first, caller(second) as ask_second:
            for number in range(10):
                told = await asyncio.gather(*(stream(ask, "a", str(number)) for ask in (ask_first, ask_second)))
                assert [each.data for each in told] == [streamed("a", str(number))] * 2
                await asyncio.gather(*(ask.post("/api/models/unload") for ask in (ask_first, ask_second)))


async def test_p24_a_port_whose_connections_linger_is_used_again(tmp_path: Path) -> None:
    """The server closes first, so the lingering is on its side: the next start has the same port."""
    with Program(tmp_path, config(model("a")), watch=False) as program:
        async with caller(program) as client:
            ports = set()
            for number in range(3):
                assert (await stream(client, "a", "[fake words=9 cut=3]")).error is not None
                assert (await stream(client, "a", str(number))).data == streamed("a", str(number))
                ports.add((await asyncio.to_thread(running, program))["a"]["proxy"])
                await client.post("/api/models/unload")
    assert len(ports) == 1
