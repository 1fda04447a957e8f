"""Benchmarks by order, wired to the server that they are of: ourselves."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llamaswap_py.bench.kept import Shelf
from llamaswap_py.bench.underway import Benchmarks, Where
from llamaswap_py.config.values import Config
from llamaswap_py.daemon.state import State
from llamaswap_py.runtime.feed import BenchmarkChanged, Feed
from llamaswap_py.runtime.tasks import Tasks
from llamaswap_py.server.benchmarks import BenchmarkDoors


def benchmarking(
    tasks: Tasks, feed: Feed, config: Callable[[], Config], state: State, url: Callable[[], str]
) -> BenchmarkDoors:
    def where() -> Where:
        keys = config().api_keys
        return Where(url(), keys[0] if keys else "", state.directory)

    benchmarks = Benchmarks(tasks.start, lambda row: feed.publish(BenchmarkChanged(row)), where)
    return BenchmarkDoors(benchmarks, Shelf(state.directory), config)


def own_url(name: tuple[Any, ...], tls: bool) -> str:
    """Where a program on this machine finds who listens there."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(name[0], name[0])
    return f"{'https' if tls else 'http'}://{f'[{host}]' if ':' in host else host}:{name[1]}"
