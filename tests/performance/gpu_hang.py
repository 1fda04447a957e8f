"""What a GPU's tool that hangs, lies or vanishes does to requests: `python -m tests.performance.gpu_hang`.

One program beside a stand-in for the driver's library, whose temper changes; small requests go on all the time. What
counts is the ratio to the sound tool within a round, and after how many intervals the page is told."""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import httpx

from tests.whole.asking import caller
from tests.whole.program import ROOT, Program, config, model
from tests.whole.talk import CHAT, chat_body

FAKE = ROOT / "tests" / "fakes" / "nvml"
EVERY = 5.0  # seconds, the shortest there is
GIB = 2**30
CARD = {"name": "Fake", "uuid": "GPU-1", "memory": [2 * GIB, 8 * GIB], "temperature": 44}
LIES = {**CARD, "memory": [9 * GIB, 8 * GIB], "temperature": -400}
Cards = Mapping[str, Any]


class Temper(NamedTuple):
    name: str
    told: Mapping[str, Any]
    noticed: Callable[[Cards], bool]  # in the answer of /api/metrics/gpu


def stale(found: Cards) -> bool:
    return not found["gpus"] or all(card["stale"] for card in found["gpus"])


TEMPERS = (
    Temper("sound", {"cards": [CARD]}, lambda found: bool(found["gpus"]) and not stale(found)),
    Temper("hangs", {"hang": True}, stale),
    Temper("lies", {"cards": [LIES]}, lambda found: any(card["disbelieved"] for card in found["gpus"])),
    Temper("vanishes", {"error": 9}, stale),
)


class Seen(NamedTuple):
    middle: float  # seconds of a request
    slow: float  # of the slowest hundredth
    intervals: float  # until it was noticed


def tell(file: Path, temper: Temper) -> None:
    fresh = file.with_suffix(".new")
    fresh.write_text(json.dumps(temper.told))
    fresh.replace(file)


def is_noticed(client: httpx.Client, temper: Temper) -> bool:
    return temper.noticed(client.get("/api/metrics/gpu").raise_for_status().json())


def watched(client: httpx.Client, file: Path, temper: Temper) -> Seen:
    """From a sound tool on, for three intervals at least, and until it was noticed."""
    tell(file, TEMPERS[0])
    while not is_noticed(client, TEMPERS[0]):
        pass
    tell(file, temper)
    began, noticed, times = time.perf_counter(), 0.0, []
    while not noticed or time.perf_counter() - began < 3 * EVERY:
        sent = time.perf_counter()
        client.post(CHAT, json=chat_body("a", "one")).raise_for_status()
        times.append(time.perf_counter() - sent)
        if is_noticed(client, temper) and not noticed:  # asked on, so that every temper has as much beside it
            noticed = time.perf_counter() - began
    slow = statistics.quantiles(times, n=100)[-1]
    return Seen(statistics.median(times), slow, noticed / EVERY)


def measure(folder: Path, rounds: int) -> list[dict[str, Seen]]:
    file = folder / "nvml.json"
    file.write_text(json.dumps(TEMPERS[0].told))
    text = f"performance: {{every: {EVERY:.0f}, gpus: nvidia}}\n" + config(model("a"))
    env = {"FAKE_NVML": str(file), "PYTHONPATH": str(FAKE)}
    with Program(folder, text, env=env) as program, caller(program) as client:
        orders = [TEMPERS[:: -1 if number % 2 else 1] for number in range(rounds)]
        return [{temper.name: watched(client, file, temper) for temper in order} for order in orders]


def line(name: str, seen: list[dict[str, Seen]]) -> str:
    mine, sound = [each[name] for each in seen], [each["sound"] for each in seen]
    middle = statistics.median(one.middle / other.middle for one, other in zip(mine, sound, strict=True))
    slow = statistics.median(one.slow / other.slow for one, other in zip(mine, sound, strict=True))
    longest = max(one.intervals for one in mine)
    milliseconds = 1000 * statistics.median(one.middle for one in mine)
    return (
        f"{name:9} median {milliseconds:6.2f} ms ({middle:.2f} x), p99 {slow:.2f} x, told after {longest:.2f} intervals"
    )


def main() -> None:
    options = argparse.ArgumentParser(prog="gpu_hang", description=__doc__)
    options.add_argument("--rounds", type=int, default=4)
    rounds = options.parse_args().rounds
    with tempfile.TemporaryDirectory() as folder:
        seen = measure(Path(folder), rounds)
    for temper in TEMPERS:
        sys.stdout.write(line(temper.name, seen) + "\n")


if __name__ == "__main__":
    main()
