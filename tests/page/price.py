"""What a page costs the proxy by itself, on a busy day without a browser: `python -m tests.page.price [--rounds N]
[part …]`.

A reader that does nothing else takes the browser's place, as where that runs on another machine: what two busy programs
on one machine cost each other is left out. By turns, and by the finest clock there is; "nobody again" is the same work
as "nobody", and says how far such figures are to be trusted; beside "a decoy" the reader hears as much from a program
that has nothing to do with the proxy but shares the machine with it. With two paces it tells what a part costs for each
second from what it costs for each event."""

from __future__ import annotations

import argparse
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple, Self

from tests.page import decoy
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
DECOY = "a decoy"
PARTS = {
    ALONE: [],
    "nobody again": [],
    DECOY: [DECOY],
    "the events": [EVENTS],
    **{kind: [f"{EVENTS},{','.join(each for each in KINDS if each != kind)}"] for kind in KINDS},
    "the flooded log": [f"/logs/stream/{FLOOD}"],
    "events and log": [EVENTS, f"/logs/stream/{FLOOD}"],
}


class Cost(NamedTuple):
    processor: float  # microseconds for each streamed event
    events: float  # a second
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
def strange() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        process = subprocess.Popen([sys.executable, "-P", "-S", decoy.__file__, str(listening.getsockname()[1])])
        listening.settimeout(30)
        link, _ = listening.accept()
    with process, link:
        yield link


@contextmanager
def reading(program: Program, paths: list[str]) -> Iterator[Reader]:
    reader = Reader()
    with ExitStack() as stack:
        for path in paths:
            sent = crowd.head("GET", path, "Accept: text/event-stream")
            link = stack.enter_context(strange() if path == DECOY else crowd.connect(program, sent))
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
        rate = (streams.events - events) / took
        return Cost(each, rate, (reader.size - size) / took / 1000, (reader.messages - messages) / took)


class Mean(NamedTuple):
    value: float
    error: float

    @classmethod
    def of(cls, values: list[float]) -> Self:
        return cls(statistics.mean(values), statistics.stdev(values) / len(values) ** 0.5)


def ratio(costs: list[Cost], alone: list[Cost]) -> Mean:
    return Mean.of([one.processor / other.processor for one, other in zip(costs, alone, strict=True)])


def extra(costs: list[Cost], alone: list[Cost]) -> Mean:
    """Microseconds a second."""
    return Mean.of([(one.processor - other.processor) * one.events for one, other in zip(costs, alone, strict=True)])


def rate(costs: list[Cost]) -> float:
    return statistics.mean(cost.events for cost in costs)


Found = dict[str, list[Cost]]


def tell(found: Found) -> None:
    for part, costs in found.items():
        each, events, told, messages = (statistics.mean(column) for column in zip(*costs, strict=True))
        value, error = ratio(costs, found[ALONE])
        words = f"{each:5.1f} µs for each of {events:4.0f} events a second, {value:.3f} ± {error:.3f} times"
        sys.stdout.write(f"{part:16} {words}, {messages:5.1f} messages and {told:6.1f} kB a second\n")


def tell_apart(calm: Found, brisk: Found) -> None:
    """What is the same at either pace goes by the second, what grows with the events by the event."""
    alone = (
        statistics.mean(cost.processor * cost.events for cost in brisk[ALONE])
        - statistics.mean(cost.processor * cost.events for cost in calm[ALONE])
    ) / (rate(brisk[ALONE]) - rate(calm[ALONE]))
    sys.stdout.write(f"A further event costs {alone:.1f} µs. Beside that:\n")
    for part in [each for each in calm if each != ALONE]:
        slow, fast = extra(calm[part], calm[ALONE]), extra(brisk[part], brisk[ALONE])
        low, high = rate(calm[part]), rate(brisk[part])
        each = (fast.value - slow.value) / (high - low)
        error = (fast.error**2 + slow.error**2) ** 0.5 / (high - low)
        second = (slow.value - each * low) / 1000
        unsure = ((slow.error * high) ** 2 + (fast.error * low) ** 2) ** 0.5 / (high - low) / 1000
        words = f"{second:5.2f} ± {unsure:.2f} ms a second, {each:5.2f} ± {error:.2f} µs an event"
        sys.stdout.write(f"{part:16} {words}: {1 + each / alone:.3f} ± {error / alone:.3f} times\n")


def day(parts: list[str], rounds: int, pace: float) -> Found:
    found: Found = defaultdict(list)
    with tempfile.TemporaryDirectory() as folder, busy_day(Path(folder), pace=pace) as (program, streams):
        for turn in range(rounds):
            for part in reversed(parts) if turn % 2 else parts:
                found[part].append(measured(program, streams, PARTS[part]))
    return {part: found[part] for part in parts}


def main(argv: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.page.price", description=__doc__)
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], help="all, unless some are named")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help=f"two at least ({ROUNDS} by default)")
    parser.add_argument(
        "--pace", type=float, nargs="+", default=[PACE], help=f"events of an answer in a second ({PACE} by default)"
    )
    options = parser.parse_args(argv)
    parts = [ALONE, *(each for each in options.parts or PARTS if each != ALONE)]
    days = [day(parts, max(2, options.rounds), pace) for pace in options.pace]
    for found in days:
        tell(found)
    if options.pace[0] != options.pace[-1]:
        tell_apart(days[0], days[-1])


if __name__ == "__main__":
    main(sys.argv[1:])
