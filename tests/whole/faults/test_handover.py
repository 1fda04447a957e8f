"""One program ends and the next begins, and callers do not notice: whoever started them holds the socket."""

from __future__ import annotations

import json
import os
import socket
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.whole.asking import caller, pids
from tests.whole.program import LONG, Program, config, model
from tests.whole.talk import CHAT, chat_body

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="descriptors of other systems")

RESTARTS = int(os.environ.get("LLAMASWAP_TEST_RESTARTS", "5"))  # 100 are the promise
CALLERS = 4
ASKED = b"GET /v1/models HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"

# What a service manager does between fork and exec.
HAND_OVER = (
    "import os, sys; os.dup2(int(sys.argv[1]), 3); "
    "os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS='1', LISTEN_FDNAMES='llamaswap'); "
    "os.execv(sys.argv[2], sys.argv[2:])"
)


def activated(folder: Path, held: socket.socket) -> Program:
    program = Program(folder, config(model("a")), watch=False)
    program.kept = (held.fileno(),)
    program.wrapped = (sys.executable, "-I", "-S", "-c", HAND_OVER, str(held.fileno()))
    return program


class Callers:
    """Each asks on a new connection, again and again, and notes what came of it."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.outcomes: Counter[str] = Counter()
        self.news = threading.Condition()
        self.over = threading.Event()
        self.threads = [threading.Thread(target=self.ask, daemon=True) for _ in range(CALLERS)]

    def ask(self) -> None:
        while not self.over.is_set():
            try:
                outcome = self.once()
            except OSError as error:
                outcome = type(error).__name__
            with self.news:
                self.outcomes[outcome] += 1
                self.news.notify_all()

    def once(self) -> str:
        with socket.create_connection(("127.0.0.1", self.port), timeout=LONG) as line:
            line.sendall(ASKED)
            answer = b""
            while data := line.recv(1 << 16):
                answer += data
        return answer[9:12].decode() or "closed without an answer"

    def served(self, count: int) -> None:
        """So many more of them."""
        with self.news:
            wanted = self.outcomes["200"] + count
            assert self.news.wait_for(lambda: self.outcomes["200"] >= wanted, LONG), self.outcomes

    @contextmanager
    def asking(self) -> Iterator[None]:
        for each in self.threads:
            each.start()
        try:
            yield
        finally:
            self.over.set()
            self.wait()

    def wait(self) -> None:
        for each in self.threads:
            each.join(LONG)


def one_life(program: Program, callers: Callers) -> None:
    with program:
        callers.served(50)
        program.process.terminate()
        assert program.process.wait(LONG) == 0


def test_r88_no_connection_is_refused_while_the_program_is_started_anew(tmp_path: Path) -> None:
    """Whoever comes between two lives waits for the next one; nobody is refused, and nobody's connection is reset."""
    with socket.create_server(("127.0.0.1", 0), backlog=1024) as held:
        callers = Callers(held.getsockname()[1])
        began = time.monotonic()
        with callers.asking():
            for _ in range(RESTARTS):
                one_life(activated(tmp_path, held), callers)
            with activated(tmp_path, held):  # whoever waits now is served, too
                callers.over.set()
                callers.wait()
    print(json.dumps({"restarts": RESTARTS, "seconds": round(time.monotonic() - began, 1), **callers.outcomes}))
    assert set(callers.outcomes) <= {"200", "503"}, callers.outcomes
    assert callers.outcomes["503"] <= RESTARTS * CALLERS, "only who had come in already is told of the end"


def test_r88_a_killed_program_leaves_its_callers_to_the_next(tmp_path: Path) -> None:
    """Even then the queue of the socket is not lost: only who was let in is cut off."""
    with socket.create_server(("127.0.0.1", 0)) as held:
        with activated(tmp_path, held) as program:
            program.process.kill()
            program.process.wait()
        with socket.create_connection(held.getsockname(), timeout=LONG) as line:
            line.sendall(ASKED)
            with activated(tmp_path, held):
                assert line.recv(4096).startswith(b"HTTP/1.1 200 ")


def test_r88_models_neither_inherit_the_socket_nor_hear_of_it(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as held, activated(tmp_path, held) as program:
        assert program.url.endswith(str(held.getsockname()[1]))
        with caller(program) as client:
            client.post(CHAT, json=chat_body("a", "hello")).raise_for_status()
        (pid,) = pids(program).values()
        words = Path(f"/proc/{pid}/environ").read_bytes() if sys.platform == "linux" else b""
        assert b"LISTEN_" not in words
        program.process.kill()
        program.process.wait()
