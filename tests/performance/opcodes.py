"""How many opcodes of the interpreter one small request and one streamed event take in the real program, and where.

`python -m tests.performance.opcodes requests|events`: the program runs under a trace that counts them, so the figures
are the same on any machine and under any load. `--functions 40` names those that take the most."""

from __future__ import annotations

import argparse
import json
import os
import runpy
import signal
import socket
import sys
import tempfile
import threading
import urllib.request
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, FrameType
from typing import TYPE_CHECKING, Any

from llamaswap_py.observe import activity
from tests.performance import load
from tests.performance.contestants import free_port, module, settings
from tests.whole.program import Program

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]
THREADS = ("MainThread", "records")  # whoever works for requests; others measure the machine, or write once in a while
BY_TIME = ("threading.py", "pulse.py", "watchdog.py")  # called by the clock, not by requests

BODY = b'{"model":"m","messages":[{"role":"user","content":"Say a few words, please."}]}'
ASK = (
    b"POST /v1/chat/completions HTTP/1.1\r\nHost: here\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
)
EVENTS_RATE = 250.0  # a second: slow enough for a trace
LAST = b'"predicted_per_second":300.0}}'  # of the answer


class Trace:
    """Counts while it is on."""

    def __init__(self) -> None:
        self.on = False
        self.opcodes: Counter[CodeType] = Counter()
        self.calls: Counter[CodeType] = Counter()

    def flip(self, *_: object) -> None:
        self.on = not self.on
        os.write(1, b"counting is on\n" if self.on else b"counting is off\n")

    def heard(self, frame: FrameType, event: str, _: object) -> Any:
        code = frame.f_code
        if event == "opcode":
            self.opcodes[code] += 1
        elif event == "call":
            if not self.on or code.co_filename.endswith(BY_TIME) or threading.current_thread().name not in THREADS:
                return None
            frame.f_trace_opcodes, frame.f_trace_lines = True, False
            self.calls[code] += 1
        return self.heard

    def found(self) -> list[tuple[int, int, str, str]]:
        return [
            (count, self.calls[code], shortened(code.co_filename), code.co_qualname)
            for code, count in self.opcodes.most_common()
        ]


def shortened(path: str) -> str:
    for root in (f"{ROOT}{os.sep}", f"site-packages{os.sep}"):
        path = path.rpartition(root)[2]
    return path


def run(file: Path, words: list[str]) -> None:
    """Run the program under trace; SIGUSR2 turns it on and off."""
    activity.GATHER_SECONDS = 60.0  # all rows at once, when they are asked for: how many at a time is the machine's
    trace = Trace()
    signal.signal(signal.SIGUSR2, trace.flip)
    threading.settrace(trace.heard)
    sys.settrace(trace.heard)
    sys.argv = ["llamaswap", *words]
    try:
        runpy.run_module("llamaswap_py", run_name="__main__")
    finally:
        sys.settrace(None)
        file.write_text(json.dumps(trace.found()))


@dataclass(frozen=True)
class Cost:
    """Of one unit of work: opcodes in all, and those of each function with its calls."""

    opcodes: float
    functions: list[tuple[float, float, str, str]]

    def files(self) -> Counter[str]:
        counted: Counter[str] = Counter()
        for opcodes, _, file, _ in self.functions:
            counted[file] += round(opcodes)
        return counted


class Traced:
    """The program under trace, and a connection to it."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.address = program.url.removeprefix("http://").split(":")
        self.connection = socket.create_connection((self.address[0], int(self.address[1])), 30)

    @contextmanager
    def counting(self) -> Iterator[None]:
        self.flip("on")
        yield
        self.settle()
        self.flip("off")

    def settle(self) -> None:
        """Until every row is written."""
        with urllib.request.urlopen(f"{self.program.url}/api/metrics/activity", timeout=30) as answer:
            answer.read()

    def flip(self, to: str) -> None:
        said = self.program.said
        self.program.process.send_signal(signal.SIGUSR2)
        self.program.wait_for(f"counting is {to}", said)

    def requests(self, count: int) -> None:
        for _ in range(count):
            self.connection.sendall(ASK % len(BODY) + BODY)
            self.receive(LAST)

    def events(self, count: int) -> None:
        """One after the other, so that no read holds two."""
        self.connection.sendall(load.request("here", 0, count, EVENTS_RATE))
        self.receive(load.END)

    def receive(self, end: bytes) -> None:
        tail = b""
        while not tail.endswith(end):
            data = self.connection.recv(1 << 16)
            assert data, "the connection was closed"
            tail = (tail + data)[-len(end) :]


def measure(kind: str, count: int) -> Cost:
    upstream = free_port()
    with tempfile.TemporaryDirectory() as place, module("tests.performance.upstream", port=upstream):
        file = Path(place, "opcodes.json")
        program = Program(Path(place), settings(upstream, 1), watch=False)
        program.command = (sys.executable, "-m", "tests.performance.opcodes", "--trace", str(file), "--")
        with program:
            traced = Traced(program)
            work = traced.requests if kind == "requests" else traced.events
            work(20)
            traced.settle()  # what is done once is done
            with traced.counting():
                work(count)
            traced.connection.close()
        found = json.loads(file.read_text())
    functions = [(opcodes / count, calls / count, file, name) for opcodes, calls, file, name in found]
    return Cost(sum(opcodes for opcodes, *_ in functions), functions)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("kind", choices=("requests", "events"))
    options.add_argument("--count", type=int, default=200)
    options.add_argument("--functions", type=int, default=0)
    chosen = options.parse_args()
    cost = measure(chosen.kind, chosen.count)
    print(f"{cost.opcodes:.0f} opcodes")
    for name, opcodes in cost.files().most_common(40):
        print(f"{opcodes:6} {name}")
    for each, calls, name, function in cost.functions[: chosen.functions]:
        print(f"{each:6.0f} in {calls:4.1f} calls: {name} {function}")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--trace"]:
        run(Path(sys.argv[2]), sys.argv[4:])
    else:
        main()
