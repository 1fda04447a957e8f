"""Section 6.8: sums and histograms over all rows."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.conformance.feed import Feed
from tests.conformance.scene import answer, mirror
from tests.whole.asking import NO_CERTIFICATES
from tests.whole.program import LONG, Program, config


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    """alpha has speeds 10, 20, 30, 40; beta has one speed, three times; gamma has none."""
    groups = "groups: {all: {swap: false, members: [alpha, beta, gamma]}}\n"
    text = config(mirror("alpha"), mirror("beta"), mirror("gamma")) + groups
    with (
        Program(tmp_path_factory.mktemp("stats"), text, watch=False) as started,
        Feed(started) as feed,
        httpx.Client(base_url=started.url, trust_env=False, verify=NO_CERTIFICATES, timeout=LONG) as ask,
    ):

        def post(name: str, body: object) -> None:
            ask.post("/v1/embeddings", json={"model": name}, headers=answer(body=json.dumps(body)))

        for speed in (40, 10, 30, 20):
            timings = {
                "prompt_n": 100,
                "predicted_n": 5,
                "prompt_per_second": speed,
                "predicted_per_second": speed / 10,
            }
            post("alpha", {"timings": {**timings, "cache_n": 7}})
        for _ in range(3):
            post("beta", {"timings": {"prompt_n": 1, "predicted_n": 2, "prompt_per_second": 5.5}})
        post("gamma", {"usage": {"prompt_tokens": 1000, "completion_tokens": 2000}})
        feed.wait("activity", lambda data: data["id"] == 8)
        yield started


def stats(ask: httpx.Client, query: str = "") -> Any:
    return ask.get(f"/api/metrics/stats{query}").raise_for_status().json()


SUMS = {
    "": (8, 1403, 2026, 28),
    "?model=alpha": (4, 400, 20, 28),
    "?model=beta": (3, 3, 6, 0),
    "?model=gamma": (1, 1000, 2000, 0),
    "?model=nobody": (0, 0, 0, 0),
}


@pytest.mark.parametrize(("query", "sums"), SUMS.items(), ids=str)
def test_sums(ask: httpx.Client, query: str, sums: tuple[int, ...]) -> None:
    """Requests and tokens; an unknown cache counts as none."""
    told = stats(ask, query)
    names = ("total_requests", "total_input_tokens", "total_output_tokens", "total_cache_tokens")
    assert tuple(told[name] for name in names) == sums
    assert set(told) == {*names, "prompt_histogram", "gen_histogram"}


def test_a_histogram(ask: httpx.Client) -> None:
    """Of log2 n bins and one more, but at least five; percentiles lie between the values."""
    told = stats(ask, "?model=alpha")["prompt_histogram"]
    assert (told["min"], told["max"], told["binSize"]) == (10, 40, 6)
    assert told["bins"] == [1, 1, 0, 1, 1]
    assert (told["p50"], told["p95"], told["p99"]) == pytest.approx((25, 38.5, 39.7))


def test_a_histogram_of_generation(ask: httpx.Client) -> None:
    """The same of the other speed."""
    told = stats(ask, "?model=alpha")["gen_histogram"]
    assert (told["min"], told["max"], told["p50"]) == pytest.approx((1, 4, 2.5))


def test_a_histogram_of_one_value(ask: httpx.Client) -> None:
    """One bin, of no width."""
    told = stats(ask, "?model=beta")["prompt_histogram"]
    assert (told["bins"], told["binSize"], told["min"], told["max"], told["p50"]) == ([3], 0, 5.5, 5.5, 5.5)


@pytest.mark.parametrize("query", ["?model=gamma", "?model=nobody"])
def test_no_histogram(ask: httpx.Client, query: str) -> None:
    """Where no speed is known."""
    assert stats(ask, query)["prompt_histogram"] is None
    assert stats(ask, query)["gen_histogram"] is None
