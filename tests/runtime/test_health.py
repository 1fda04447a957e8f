"""When a server is ready, in hours that take no time: the clock and the sleep are the test's."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from llamaswap_py.errors import StartTimeout, UpstreamFailed
from llamaswap_py.runtime.health import (
    LOST_AFTER,
    Probe,
    answers,
    least_pause,
    pause,
    probe_deadline,
    until_lost,
    until_ready,
)  # fmt: skip
from llamaswap_py.runtime.progress import Patience


class Clock:
    """Time passes only where somebody sleeps or a probe takes its time."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept: list[float] = []

    def time(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


def server(clock: Clock, status: Callable[[float], int], takes: float = 0.0) -> Probe:
    """A probe of a server whose status depends on the time since the beginning."""
    began = clock.now

    async def probe(deadline: float) -> int:
        clock.now += min(takes, deadline)
        if takes > deadline:
            raise TimeoutError
        return status(clock.now - began)

    return probe


async def test_a_server_that_answers_is_ready_at_once() -> None:
    clock = Clock()
    assert await until_ready(server(clock, lambda _: 200), Patience(120, 0, clock.now), clock.time, clock.sleep) is None
    assert clock.slept == []


@pytest.mark.parametrize("load", [0.01, 0.1, 1.0, 10.0, 100.0, 3600.0])
async def test_probing_adds_little_to_any_load(load: float) -> None:
    """At most 4 % of the load or 2 ms, and never more than a quarter of a second."""
    clock = Clock()
    loading = server(clock, lambda elapsed: 200 if elapsed >= load else 503)
    began = clock.now
    assert await until_ready(loading, Patience(7200, 0, clock.now), clock.time, clock.sleep) is None
    assert clock.now - began - load <= min(0.25, max(0.002, load / 25)) + 1e-9


async def test_a_server_that_is_never_ready_is_refused_at_the_limit() -> None:
    clock = Clock()
    refusal = await until_ready(server(clock, lambda _: 503), Patience(15, 0, clock.now), clock.time, clock.sleep)
    assert isinstance(refusal, StartTimeout)
    assert "healthCheckTimeout" in refusal.message
    assert 15 <= clock.now - 1000.0 < 15.3


async def test_a_probe_that_hangs_does_not_hold_the_load_beyond_its_limit() -> None:
    clock = Clock()
    refusal = await until_ready(
        server(clock, lambda _: 200, takes=1e9), Patience(60, 0, clock.now), clock.time, clock.sleep
    )
    assert isinstance(refusal, StartTimeout)
    assert 60 <= clock.now - 1000.0 < 60.3


def test_who_says_much_is_not_asked_much() -> None:
    """A hundredth of the time that a load has taken passes between two probes, whatever the server writes."""
    assert [least_pause(elapsed) for elapsed in (0, 0.015, 1, 600)] == [0.0003, 0.0003, 0.01, 6.0]


def test_a_probe_gets_more_time_the_longer_a_load_takes() -> None:
    assert [probe_deadline(elapsed) for elapsed in (0, 8, 40, 1000)] == [2, 2, 10, 30]
    assert pause(0) == 0.002


@pytest.mark.parametrize(("status", "ready"), [(200, True), (204, True), (301, False), (404, False), (503, False)])
async def test_only_success_counts_as_an_answer(status: int, ready: bool) -> None:
    async def probe(deadline: float) -> int:
        return status

    assert await answers(probe, 1.0) is ready


@pytest.mark.parametrize("error", [OSError("refused"), TimeoutError(), UpstreamFailed("no")])
async def test_a_failed_probe_is_no_answer(error: Exception) -> None:
    async def probe(deadline: float) -> int:
        raise error

    assert not await answers(probe, 1.0)


async def test_a_detached_server_is_lost_after_some_misses_in_a_row() -> None:
    clock = Clock()
    seen = iter([200, 503, 503, 200, 503, 503, 503])

    async def probe(deadline: float) -> int:
        return next(seen)

    await until_lost(probe, clock.sleep)
    assert list(seen) == []
    assert len(clock.slept) == 4 + LOST_AFTER
