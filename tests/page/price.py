"""What a page costs the proxy by itself, on a busy day without a browser: `python -m tests.page.price [--rounds N]
[part …]`.

A reader that does nothing else takes the browser's place, as where that runs on another machine: what two busy programs
on one machine cost each other is left out. By turns, and by the finest clock there is; "nobody again" is the same work
as "nobody", and says how far such figures are to be trusted."""

from __future__ import annotations

import argparse
import socket
import statistics
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

from tests.page.traffic import FLOOD, PACE, Streams, busy_day
from tests.whole.faults import crowd
from tests.whole.program import Program

ROUNDS = 6
WINDOW = 2.5  # seconds for one figure: from one look at the machine to the next
SETTLED = 0.6  # after which what is told first was told
EVENTS = "/api/events?without=logData,modelStatus,loading,inflight,activity,uiConfig"  # as our page asks
KINDS = ("standings", "flights", "finished", "machine", "alerts", "glance")
still = threading.Event().wait  # a figure takes its time: nothing is waited for
ALONE = "nobody"
PARTS = {
    ALONE: [],
    "nobody again": [],
    "the events": [EVENTS],
    **{kind: [f"{EVENTS},{','.join(each for each in KINDS if each != kind)}"] for kind in KINDS},
    "the flooded log": [f"/logs/stream/{FLOOD}"],
    "events and log": [EVENTS, f"/logs/stream/{FLOOD}"],
}


class Cost(NamedTuple):
    processor: float  # microseconds for each streamed event
    told: float  # kB a second
    messages: float  # a second


def cpu(program: Program) -> float:
    """Seconds; on Linux to the microsecond."""
    if sys.platform == "linux":
        return time.clock_gettime((~program.process.pid << 3) | 2)  # its clock by clock_getcpuclockid(3)
    return crowd.cpu(program)


class Reader:
    """Counts what comes, into the same room over and over: what it takes of the machine slows the proxy down."""

    def __init__(self) -> None:
        self.size = self.messages = 0

    def read(self, link: socket.socket) -> None:
        room = bytearray(1 << 18)
        while size := link.recv_into(room):
            self.size += size
            self.messages += room.count(b"\n\n", 0, size)


@contextmanager
def reading(program: Program, paths: list[str]) -> Iterator[Reader]:
    reader = Reader()
    with ExitStack() as stack:
        for path in paths:
            sent = crowd.head("GET", path, "Accept: text/event-stream")
            link = stack.enter_context(crowd.connect(program, sent))
            thread = threading.Thread(target=reader.read, args=(link,))
            thread.start()
            stack.callback(thread.join)
            stack.callback(link.shutdown, socket.SHUT_RDWR)
        yield reader


def measured(program: Program, streams: Streams, paths: list[str]) -> Cost:
    with reading(program, paths) as reader:
        still(SETTLED)
        spent, events, began = cpu(program), streams.events, time.monotonic()
        size, messages = reader.size, reader.messages
        still(WINDOW)
        took = time.monotonic() - began
        each = (cpu(program) - spent) / (streams.events - events) * 1e6
        return Cost(each, (reader.size - size) / took / 1000, (reader.messages - messages) / took)


def tell(found: dict[str, list[Cost]]) -> None:
    for part, costs in found.items():
        each, told, messages = (statistics.mean(column) for column in zip(*costs, strict=True))
        ratios = [one.processor / alone.processor for one, alone in zip(costs, found[ALONE], strict=True)]
        error = statistics.stdev(ratios) / len(ratios) ** 0.5
        words = f"{each:5.1f} µs an event, {statistics.mean(ratios):.3f} ± {error:.3f} times"
        sys.stdout.write(f"{part:16} {words}, {messages:5.1f} messages and {told:6.1f} kB a second\n")


def main(argv: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.page.price", description=__doc__)
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], help="all, unless some are named")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help=f"two at least ({ROUNDS} by default)")
    parser.add_argument("--pace", type=float, default=PACE, help=f"events of an answer in a second ({PACE} by default)")
    options = parser.parse_args(argv)
    found: dict[str, list[Cost]] = defaultdict(list)
    parts = [ALONE, *(each for each in options.parts or PARTS if each != ALONE)]
    with tempfile.TemporaryDirectory() as folder, busy_day(Path(folder), pace=options.pace) as (program, streams):
        for turn in range(max(2, options.rounds)):
            for part in reversed(parts) if turn % 2 else parts:
                found[part].append(measured(program, streams, PARTS[part]))
    tell(found)


if __name__ == "__main__":
    main(sys.argv[1:])
