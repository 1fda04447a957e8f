"""The proxies side by side: `scripts/bench.sh`.

An upstream, nginx, a plain aiohttp proxy and ours; the same work through each in turns, round after round. Absolute
times are the machine's; what counts are the ratios within a round."""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path

from tests.performance import growth, works
from tests.performance.awake import awake
from tests.performance.contestants import Contestant, free_port, module, nginx, ours, plain, turned
from tests.performance.figures import Figure, growth_table, table
from tests.performance.longest import longest_callback
from tests.whole import startup_time, swap_dead_time

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "performance.md"
BEGIN, END = "<!-- figures -->", "<!-- end of figures -->"


class Bench:
    def __init__(self, contestants: list[Contestant], upstream: int, rounds: int, size: float) -> None:
        self.contestants = contestants
        self.direct = Contestant("direct", f"127.0.0.1:{upstream}")
        self.rounds = rounds
        self.size = size  # 1: rounds of 300,000 events
        self.figures: dict[str, Figure] = {}

    def figure(self, name: str, unit: str, limit: float | None = None, base: str = "nginx") -> Figure:
        return self.figures.setdefault(name, Figure(name, unit, limit=limit, base=base))

    def run(self) -> None:
        self.idle()
        works_: tuple[Callable[[Contestant], None], ...] = (self.requests, self.paced, self.saturated)
        for number in range(self.rounds):
            for work in works_:
                for contestant in turned(self.contestants, number):
                    work(contestant)
            self.latency(number, 1500, "", works.PAUSE, 4)
            self.latency(number, 3000, ", without a pause")
            with awake():
                self.latency(number, 3000, ", without a pause, cores awake")
            say(f"round {number + 1} of {self.rounds}")
        for contestant in self.contestants:
            cost = works.streams(contestant, 1000, max(10, int(60 * self.size)), 2)
            self.figure("memory, 1,000 streams", "MB", 100, base="").add(contestant.name, cost.memory)

    def idle(self) -> None:
        for contestant in self.contestants:
            self.figure("memory, idle", "MB", 70, base="").add(contestant.name, contestant.memory())

    def requests(self, of: Contestant) -> None:
        cost = works.requests(of, 10 * self.size)
        self.figure("processor a small request", "µs", 4).add(of.name, cost.micros)
        self.figure("throughput, 8 connections", "requests/s").add(of.name, cost.rate)

    def paced(self, of: Contestant) -> None:
        cost = works.streams(of, 200, int(1500 * self.size), 50)
        self.figure("processor an event, 200 streams of 50/s", "µs", 1.5).add(of.name, cost.micros)
        self.figure("memory, 200 streams", "MB", base="").add(of.name, cost.memory)

    def saturated(self, of: Contestant) -> None:
        """Streams of the paced ones' length, of whose cost a good part is that of 200 connections and requests; and
        of four times that, where it is that of the events."""
        for events in (1500, 6000):
            cost = works.streams(of, 200, int(events * self.size), 0)
            name = f"processor an event, saturated, {events:,} a stream"
            self.figure(name, "µs", 1.5).add(of.name, cost.micros)
            self.figure(f"throughput, {events:,} a stream", "events/s").add(of.name, cost.rate)

    def latency(self, number: int, count: int, how: str, pause: float = 0.0, limit: float | None = None) -> None:
        """What each adds to the first byte of an answer, for one caller."""
        count = max(100, int(count * self.size))
        everybody = turned([self.direct, *self.contestants], number)
        seen = {one.name: works.first_bytes(one, count, pause) for one in everybody}
        for contestant in self.contestants:
            for which in ("p50", "p99"):
                added = max(seen[contestant.name][which] - seen["direct"][which], 0.001)
                self.figure(f"added to the first byte, {which}{how}", "ms", limit).add(contestant.name, added)


def against(text: str) -> Contestant:
    """NAME=URL,PID[,PID…]"""
    name, _, rest = text.partition("=")
    url, *pids = rest.split(",")
    if not name or not url.startswith("http://") or not pids:
        raise argparse.ArgumentTypeError("write NAME=http://host:port,PID")
    return Contestant(name, url.removeprefix("http://").rstrip("/"), tuple(int(pid) for pid in pids))


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def others(rounds: int, size: float) -> dict[str, float]:
    """What has commands of its own."""
    started = startup_time.ratios(startup_time.measure(max(3, int(15 * size))))
    swapped = swap_dead_time.measure(max(5, int(50 * size)), free_port())
    longest, where = longest_callback(rounds)
    return {
        "start with 1 model, by import aiohttp.web": started["1 model"],
        "start with 100 models, by import aiohttp.web": started["100 models"],
        "start with 1,000 models, by a start with 1": started[startup_time.MANY],
        "--version, by import aiohttp.web": started["--version"],
        "swap beyond the engine's own start and end, median, ms": swapped["dead_ms"],
        f"longest callback under 1,000 streams ({where}), ms of processor at most": longest,
    }


def machine() -> str:
    system = f"{platform.system()} {platform.release()} {platform.machine()}"
    return f"{os.cpu_count()} cores, {system}, {platform.python_implementation()} {platform.python_version()}"


def alone(figures: Mapping[str, float]) -> str:
    return "\n".join(
        ["| ours alone | |", "|---|---|", *(f"| {name} | {value:.3g} |" for name, value in figures.items())]
    )


def page(text: str) -> None:
    old = PAGE.read_text()
    before, _, rest = old.partition(BEGIN)
    _, _, after = rest.partition(END)
    PAGE.write_text(f"{before}{BEGIN}\n{text}\n{END}{after}")


def main() -> int:
    options = argparse.ArgumentParser(prog="bench.sh", description=__doc__)
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--size", type=float, default=1.0, help="of a round; 1 is 300,000 events, 0.05 a first look")
    options.add_argument(
        "--against", type=against, action="append", default=[], metavar="NAME=URL,PID", help="one more"
    )
    options.add_argument(
        "--no-growth", action="store_true", help="leave out 1,000 models, a million rows, 5,000 streams"
    )
    options.add_argument("--json", type=Path, help="write all figures there")
    options.add_argument("--write", action="store_true", help="write the tables into docs/performance.md")
    chosen = options.parse_args()
    binary, wrk = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin"), shutil.which("wrk")
    if not binary or not wrk:
        say("nginx and wrk are needed: scripts/bench.sh --install fetches them, where there is apt-get")
        return 2
    began = time.monotonic()
    with ExitStack() as stack:
        upstream = free_port()
        stack.enter_context(module("tests.performance.upstream", port=upstream))
        four = [nginx(binary, upstream), nginx(binary, upstream, kept=True), plain(upstream), ours(upstream)]
        contestants = [stack.enter_context(one) for one in four] + chosen.against
        bench = Bench(contestants, upstream, chosen.rounds, chosen.size)
        bench.run()
        grown: growth.Growth = []
        if not chosen.no_growth:
            seconds = 4 * chosen.size
            grown += growth.by_streams(contestants, max(2, chosen.rounds // 2), seconds)
            say("by streams")
            grown += growth.by_models(upstream, chosen.rounds, seconds)
            say("by models")
            grown += growth.by_rows(upstream, chosen.rounds, seconds)
            say("by rows")
    more = others(chosen.rounds, chosen.size)
    text = "\n\n".join(
        [
            f"{machine()}; {chosen.rounds} rounds of {int(300_000 * chosen.size):,} events; {time.strftime('%F')}.",
            table(list(bench.figures.values()), [one.name for one in contestants]),
            *([growth_table(grown)] if grown else []),
            alone(more),
        ]
    )
    print(text)
    say(f"{time.monotonic() - began:.0f} s")
    if chosen.json:
        figures = [figure.as_json() for figure in bench.figures.values()]
        sizes = [figure.as_json() for figure in grown]
        chosen.json.write_text(json.dumps({"machine": machine(), "figures": figures, "growth": sizes, "ours": more}))
    if chosen.write:
        page(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
