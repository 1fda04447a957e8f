"""How the cost grows with what is configured, stored and open: every size in turns with the others, over and over."""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from llamaswap_py.observe.store import Store
from tests.performance import works
from tests.performance.contestants import Contestant, ours, turned
from tests.performance.figures import Figure

MODELS = (1, 100, 1000)
ROWS = (0, 1_000_000)
STREAMS = (100, 1000, 5000)
EVENTS_A_SECOND = 5000  # of all streams together, whatever their number

Growth = list[Figure]
Work = Callable[[], float]


def in_turns(name: str, sizes: Mapping[str, Work], rounds: int) -> Figure:
    """One round more goes before, to warm up."""
    figure = Figure(name, "µs", rounds={size: [] for size in sizes}, base=next(iter(sizes)))
    for number in range(rounds + 1):
        for size, work in turned(list(sizes.items()), number):
            micros = work()
            if number:
                figure.add(size, micros)
    return figure


def a_request(of: Contestant, seconds: float) -> float:
    return works.requests(of, seconds).micros


def an_event(of: Contestant, count: int, events: int, rate: float) -> float:
    return works.streams(of, count, events, rate).micros


def a_first_byte(of: Contestant, count: int) -> float:
    """The way to the upstream included."""
    return 1000 * works.first_bytes(of, count, works.PAUSE)["p50"]


def costs(sizes: dict[str, Contestant], rounds: int, seconds: float, what: str) -> Growth:
    memory = {size: [of.memory()] for size, of in sizes.items()}
    requests: dict[str, Work] = {size: partial(a_request, of, seconds) for size, of in sizes.items()}
    events: dict[str, Work] = {size: partial(an_event, of, 100, int(50 * seconds), 50) for size, of in sizes.items()}
    firsts: dict[str, Work] = {size: partial(a_first_byte, of, int(50 * seconds)) for size, of in sizes.items()}
    return [
        Figure(f"MB of memory, idle, {what}", "MB", memory, base=next(iter(sizes))),
        in_turns(f"µs a request, {what}", requests, rounds),
        in_turns(f"µs an event, {what}", events, rounds),
        in_turns(f"µs to the first byte, {what}", firsts, rounds),
    ]


def by_models(upstream: int, rounds: int, seconds: float) -> Growth:
    with ExitStack() as stack:
        sizes = {f"{count} models": stack.enter_context(ours(upstream, count)) for count in MODELS}
        return costs(sizes, rounds, seconds, "by models configured")


def fill(path: Path, rows: int) -> None:
    """A store with so many rows, made by SQLite itself out of one."""
    Store(str(path)).close()
    with sqlite3.connect(path) as database:
        database.execute(
            "WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ?)"
            " INSERT INTO activity (ts_created, model_id, req_path, resp_content_type, resp_status_code, input_tokens,"
            " output_tokens, prompt_per_second, tokens_per_second, duration_ms)"
            " SELECT 1700000000 + n, 'm' || (n % 20), '/v1/chat/completions', 'application/json', 200, n % 4000,"
            " n % 900, 500.5, 60.25, n % 60000 FROM numbers",
            (rows,),
        )


def by_rows(upstream: int, rounds: int, seconds: float) -> Growth:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        sizes = {}
        for rows in ROWS:
            path = folder / f"{rows}.db"
            if rows:
                fill(path, rows)
            sizes[f"{rows} rows"] = stack.enter_context(ours(upstream, more=f"store: {{path: {path}}}\n"))
        return costs(sizes, rounds, seconds, "by rows stored")


def by_streams(contestants: Sequence[Contestant], rounds: int, seconds: float) -> Growth:
    """The same number of events a second over more and more open streams."""
    growth = []
    for of in contestants:
        sizes: dict[str, Work] = {}
        for count in STREAMS:
            rate = EVENTS_A_SECOND / count
            sizes[f"{count} streams"] = partial(an_event, of, count, max(2, int(rate * seconds * 3)), rate)
        growth.append(in_turns(f"µs an event, {of.name}, by open streams", sizes, rounds))
    return growth
