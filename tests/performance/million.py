"""How long a page's questions take beside a store of many rows: `python -m tests.performance.million [--rows N]`.

Over HTTP, the median of seven each; and what a small request takes beside it and beside an empty store, in turns, while
nobody asks and while somebody does all the time."""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import httpx

from llamaswap_py.observe.rows import Details, Row
from llamaswap_py.observe.spreads import count_on
from llamaswap_py.observe.store import Store
from llamaswap_py.wire.usage import Usage
from tests.performance.contestants import turned
from tests.whole.asking import caller
from tests.whole.program import Program, config, model
from tests.whole.talk import CHAT, chat_body

BATCH = 10_000
TIMES = 7
ROUNDS, REQUESTS = 9, 200
ACTIVITY, STATS = "/api/metrics/activity", "/api/metrics/stats"


def fill(path: Path, rows: int) -> float:
    """A row every ten seconds, of twenty models and five callers; all of them counted for the sums, as where rows come
    no faster than they are counted. Returns the seconds of that."""
    now = int(time.time())
    with closing(Store(str(path))) as store:
        for begin in range(0, rows, BATCH):
            store.add([row(number, now - 10 * (rows - number)) for number in range(begin, min(begin + BATCH, rows))])
        began = time.perf_counter()
        while count_on(store):
            pass
        return time.perf_counter() - began


def row(number: int, created: int) -> Row:
    usage = Usage(100 + number % 900, number % 400, number % 50, -1, -1, 300.0 + number % 70, 20.0 + number % 40)
    details = Details(
        api="openai", caller=f"key {number % 5}", address="127.0.0.1", request=f"{number:016x}", bytes=900
    )
    status = 502 if number % 97 == 0 else 200
    return Row(created, f"m{number % 20}", CHAT, "text/event-stream", status, usage, number % 9000, details=details)


def questions(rows: int) -> dict[str, str]:
    return {
        "the newest page": ACTIVITY,
        "of one model": f"{ACTIVITY}?model=m7",
        "the page in the middle": f"{ACTIVITY}?page={rows // 50}",
        "by duration": f"{ACTIVITY}?sort=duration",
        "failures": f"{ACTIVITY}?status=5xx",
        "of a caller": f"{ACTIVITY}?caller=key%202",
        "999 rows": f"{ACTIVITY}?limit=999",
        "sums": STATS,
        "sums of one model": f"{STATS}?model=m7",
        "at a glance": "/api/metrics/dashboard",
        "metrics": "/metrics",
    }


def seconds(ask: Callable[[], object]) -> float:
    began = time.perf_counter()
    ask()
    return time.perf_counter() - began


def asked(client: httpx.Client, path: str) -> tuple[float, float]:
    """The first time, and the median of those after it."""
    first = seconds(lambda: client.get(path).raise_for_status())
    return first, statistics.median(seconds(lambda: client.get(path).raise_for_status()) for _ in range(TIMES))


def small(client: httpx.Client) -> float:
    body = chat_body("m1", "one")
    return statistics.median(seconds(lambda: client.post(CHAT, json=body).raise_for_status()) for _ in range(REQUESTS))


def compared(full: httpx.Client, empty: httpx.Client) -> float:
    """In turns; whoever is first in one round is second in the next."""
    took: dict[httpx.Client, list[float]] = {full: [], empty: []}
    for number in range(ROUNDS):
        for client in turned([full, empty], number):
            took[client].append(small(client))
    return statistics.median(one / other for one, other in zip(took[full], took[empty], strict=True))


@contextmanager
def somebody_asks(program: Program, paths: list[str]) -> Iterator[None]:
    over = threading.Event()

    def ask() -> None:
        with caller(program) as client:
            while not over.is_set():
                for path in paths:
                    client.get(path).raise_for_status()

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def main() -> None:
    options = argparse.ArgumentParser(prog="million", description=__doc__)
    options.add_argument("--rows", type=int, default=1_000_000)
    rows = options.parse_args().rows
    with ExitStack() as stack:
        folders = [Path(stack.enter_context(tempfile.TemporaryDirectory())) for _ in range(2)]
        counting = fill(folders[0] / "records.db", rows)
        programs = [stack.enter_context(Program(each, text(each))) for each in folders]
        full, empty = (stack.enter_context(caller(each)) for each in programs)
        paths = questions(rows)
        sys.stdout.write(f"{rows} rows were counted for their sums in {counting:.1f} s\n")
        for name, path in paths.items():
            first, median = asked(full, path)
            sys.stdout.write(f"{name:24} {1000 * median:7.1f} ms (the first time {1000 * first:.1f} ms)\n")
        quiet = compared(full, empty)
        with somebody_asks(programs[0], list(paths.values())[:6]), somebody_asks(programs[1], list(paths.values())[:6]):
            busy = compared(full, empty)
        sys.stdout.write(
            f"a small request beside it, by one beside an empty store: {quiet:.2f}, while both are asked {busy:.2f}\n"
        )


def text(folder: Path) -> str:
    return f"store: {{path: {folder / 'records.db'}}}\n" + config(model("m1"))


if __name__ == "__main__":
    main()
