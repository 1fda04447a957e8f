"""The page on a busy day, in figures: `python -m tests.page.load [--minutes N]`.

How soon it answers, and what an event costs the proxy with it and without, by turns. With minutes: then a tab stays
open for so long and goes from view to view; what it keeps is said, and beyond the bound this ends with 1."""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path

from tests.page import browser
from tests.page.browser import Look
from tests.page.built import built_page
from tests.page.tab import MOST_HEAP, MOST_NODES, VIEWS, cost, debugger, halted, hands, kept
from tests.page.traffic import LINES, MODELS, STREAMS, Streams, busy_day
from tests.whole.faults.crowd import memory
from tests.whole.program import Program

ROUNDS = 5
WINDOW = 5.0  # seconds of traffic for one figure
STILL = "a tab that stands still"
STAY = 30.0  # seconds in one view


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def tell_hands(look: Look) -> None:
    look.open("models")
    found: dict[str, list[float]] = defaultdict(list)
    for _ in range(ROUNDS):
        for name, took in hands(look):
            found[name].append(took)
    say("from a hand to the frame that shows it, in ms: middle, slowest")
    for name, all_took in found.items():
        say(f"  {name:28} {statistics.median(all_took):5.0f} {max(all_took):5.0f}  of {len(all_took)}")


def beside(place: str, program: Program, streams: Streams, look: Look) -> float:
    look.open("activity" if place == STILL else place)
    if place != STILL:
        return cost(program, streams, WINDOW, look)
    with halted(look):
        return cost(program, streams, WINDOW, look)


def tell_cost(program: Program, streams: Streams, look: Look) -> None:
    """By turns, so that what else the machine does is shared by all."""
    found: dict[str, list[float]] = defaultdict(list)

    for place in ("models", "activity", "logs/flood", STILL) * ROUNDS:
        look.page.goto("about:blank")
        alone = cost(program, streams, WINDOW, look)
        found[place].append(beside(place, program, streams, look) / alone)
        found["alone"].append(alone)
    say(f"the proxy's processor for one streamed event without a page: {statistics.median(found.pop('alone')):.0f} µs")
    for place, ratios in found.items():
        middle, least, most = statistics.median(ratios), min(ratios), max(ratios)
        say(f"  beside {place:23} {middle:.2f} times as much ({least:.2f} to {most:.2f})")


def tell_long(program: Program, streams: Streams, look: Look, minutes: float) -> bool:
    """Whether it stays within its bound."""
    session = debugger(look)
    end, holds = time.monotonic() + minutes * 60, True
    say(f"a tab for {minutes:g} minutes; at most {MOST_HEAP / 2**20:.0f} MiB of heap and {MOST_NODES} nodes")
    while time.monotonic() < end:
        for place in VIEWS:
            look.open(place)
            look.page.wait_for_timeout(STAY * 1000)
            now = kept(session)
            left, proxy = (end - time.monotonic()) / 60, memory(program) / 2**20
            say(f"  {left:5.1f} left {place:14} {now}; {streams.answers} answers, the proxy {proxy:.0f} MiB")
            holds = holds and now.heap <= MOST_HEAP and now.nodes <= MOST_NODES
    return holds


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.page.load", description=__doc__)
    parser.add_argument("--minutes", type=float, default=0.0, help="how long a tab is to stay open afterwards")
    options = parser.parse_args(argv)
    built_page()
    say(f"{MODELS} models, {STREAMS} answers at a time, {LINES} lines a second")
    with (
        tempfile.TemporaryDirectory() as folder,
        busy_day(Path(folder)) as (program, streams),
        browser.started() as chromium,
        Look(chromium, program.url) as look,
    ):
        tell_hands(look)
        tell_cost(program, streams, look)
        return 0 if not options.minutes or tell_long(program, streams, look, options.minutes) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
