"""How the cost grows with what is configured, stored and open. Every size is measured in turns with the others."""

from __future__ import annotations

import sqlite3
import statistics
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from llamaswap_py.observe.store import Store
from tests.performance import works
from tests.performance.contestants import Contestant, ours

MODELS = (1, 100, 1000)
ROWS = (0, 1_000_000)
STREAMS = (100, 1000, 5000)
EVENTS_A_SECOND = 5000  # of all streams together, whatever their number

Growth = dict[str, dict[str, float]]


def in_turns(sizes: dict[str, Contestant], rounds: int, work: Callable[[Contestant], float]) -> dict[str, float]:
    """The median of each; one round more goes before, to warm up."""
    found: dict[str, list[float]] = {name: [] for name in sizes}
    for number in range(rounds + 1):
        for name, contestant in sizes.items():
            value = work(contestant)
            if number:
                found[name].append(value)
    return {name: statistics.median(values) for name, values in found.items()}


def costs(sizes: dict[str, Contestant], rounds: int, seconds: float, what: str) -> Growth:
    return {
        f"µs a request, {what}": in_turns(sizes, rounds, lambda of: works.requests(of, seconds).micros),
        f"µs an event, {what}": in_turns(
            sizes, rounds, lambda of: works.streams(of, 100, int(50 * seconds), 50).micros
        ),
    }


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


def by_streams(of: dict[str, Contestant], rounds: int, seconds: float) -> Growth:
    """The same number of events a second over more and more open streams."""
    growth: Growth = {}
    for count in STREAMS:
        rate = EVENTS_A_SECOND / count
        events = max(2, int(rate * seconds * 3))
        found = in_turns(of, rounds, lambda one, n=count, e=events, r=rate: works.streams(one, n, e, r).micros)  # type: ignore[misc]
        for name, value in found.items():
            growth.setdefault(f"µs an event, {name}, by open streams", {})[f"{count} streams"] = value
    return growth
