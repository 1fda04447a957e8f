"""Section 6.7: how rows are asked for, and how long they are kept."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.conformance.feed import Feed, recorded
from tests.conformance.scene import answer, mirror
from tests.whole.asking import NO_CERTIFICATES, openai_shape
from tests.whole.program import LONG, Program, config


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    """Thirty rows: twenty of alpha, ten of beta, with rising counts."""
    groups = "groups: {all: {swap: false, members: [alpha, beta]}}\n"
    text = config(mirror("alpha"), mirror("beta")) + groups
    with (
        Program(tmp_path_factory.mktemp("archive"), text, watch=False) as started,
        Feed(started) as listening,
        httpx.Client(base_url=started.url, trust_env=False, verify=NO_CERTIFICATES, timeout=LONG) as ask,
    ):
        for number in range(1, 31):
            body = {"timings": {"prompt_n": number, "predicted_n": 31 - number, "cache_n": number % 3}}
            headers = answer(body=json.dumps(body))
            ask.post("/v1/embeddings", json={"model": "beta" if number % 3 == 0 else "alpha"}, headers=headers)
        listening.wait("activity", lambda data: data["id"] == 30)
        yield started


def page(archive: Program, query: str) -> Any:
    response = httpx.get(
        f"{archive.url}/api/metrics/activity{query}", trust_env=False, verify=NO_CERTIFICATES, timeout=LONG
    )
    assert response.status_code == 200, response.text
    return response.json()


def ids(archive: Program, query: str) -> list[int]:
    return [row["id"] for row in page(archive, query)["data"]]


def test_the_first_page(archive: Program) -> None:
    """The newest 25, and how many there are."""
    told = page(archive, "")
    assert {key: told[key] for key in ("page", "limit", "total", "total_pages")} == {
        "page": 1, "limit": 25, "total": 30, "total_pages": 2,
    }  # fmt: skip
    assert [row["id"] for row in told["data"]] == list(range(30, 5, -1))


PAGES = {
    "?page=2": list(range(5, 0, -1)),
    "?page=3": [],
    "?limit=3": [30, 29, 28],
    "?limit=3&page=2": [27, 26, 25],
    "?limit=999&order=asc": list(range(1, 31)),
    "?limit=2&order=ASC": [1, 2],
    "?limit=2&order=Desc": [30, 29],
    "?model=beta": list(range(30, 0, -3)),
    "?model=beta&model=": list(range(30, 0, -3)),
    "?model=alpha&model=beta&limit=2": [30, 29],
    "?model=alph": [],
    "?min_id=29": [30, 29],
    "?max_id=2": [2, 1],
    "?min_id=7&max_id=9": [9, 8, 7],
    "?min_id=7&max_id=7": [7],
    "?sort=prompt&limit=2": [30, 29],
    "?sort=generated&limit=2": [1, 2],
    "?sort=generated&order=asc&limit=2": [30, 29],
    "?sort=cached&limit=2": [29, 26],
    "?sort=cached&order=asc&limit=2": [3, 6],
    "?sort=model&order=asc&limit=2": [1, 2],
    "?sort=model&limit=2": [30, 27],
    "?start=2000-01-01T00:00:00Z&limit=1": [30],
    "?end=2000-01-01T00:00:00Z": [],
    "?start=2000-01-01T00:00:00%2B02:00&end=2100-01-01T00:00:00Z&limit=1": [30],
}


@pytest.mark.parametrize(("query", "numbers"), PAGES.items(), ids=PAGES)
def test_a_page(archive: Program, query: str, numbers: list[int]) -> None:
    """Filtered, sorted and cut; ties are in the order of their numbers, in the same direction."""
    assert ids(archive, query) == numbers


COLUMNS = [
    "id", "time", "model", "req_path", "resp_status_code", "resp_content_type", "cached", "prompt", "generated",
    "drafted", "prompt_speed", "gen_speed", "duration",
]  # fmt: skip


@pytest.mark.parametrize("column", COLUMNS)
def test_every_column_sorts(archive: Program, column: str) -> None:
    """Up and down are each other's reverse."""
    assert ids(archive, f"?limit=999&sort={column}&order=asc") == ids(archive, f"?limit=999&sort={column}")[::-1]


def test_a_time_range_includes_both_its_ends(archive: Program) -> None:
    """To the second."""
    when = page(archive, "?min_id=7&max_id=7")["data"][0]["timestamp"].replace("+", "%2B")
    assert 7 in ids(archive, f"?limit=999&start={when}&end={when}")


def test_totals_are_of_what_fits(archive: Program) -> None:
    """Not of everything."""
    told = page(archive, "?model=beta&limit=4")
    assert (told["total"], told["total_pages"], len(told["data"])) == (10, 3, 4)


WRONG = [
    "start=yesterday", "end=12:00", "start=2026-01-02T00:00:00Z&end=2026-01-01T00:00:00Z", "min_id=0", "min_id=x",
    "min_id=3&max_id=2", "max_id=x", "limit=0", "limit=1000", "limit=x", "page=0", "page=x", "sort=size", "order=up",
]  # fmt: skip


@pytest.mark.parametrize("query", WRONG)
def test_a_wrong_question(archive: Program, query: str) -> None:
    """400, and the sentence names what is wrong."""
    response = httpx.get(
        f"{archive.url}/api/metrics/activity?{query}", trust_env=False, verify=NO_CERTIFICATES, timeout=LONG
    )
    assert response.status_code == 400
    assert query.partition("=")[0].partition("_")[0] in openai_shape(response)[1]


def test_rows_in_memory_are_bounded(tmp_path_factory: pytest.TempPathFactory) -> None:
    """By metricsMaxInMemory; the oldest go."""
    text = config(mirror("alpha"), metricsMaxInMemory=3)
    with (
        Program(tmp_path_factory.mktemp("few"), text, watch=False) as started,
        Feed(started) as listening,
        httpx.Client(base_url=started.url, trust_env=False, verify=NO_CERTIFICATES, timeout=LONG) as ask,
    ):
        for _ in range(5):
            ask.post("/v1/embeddings", json={"model": "alpha"}).raise_for_status()
        listening.wait("activity", lambda data: data["id"] == 5)
        assert ids(started, "") == [5, 4, 3]


def test_rows_in_a_file_outlive_the_program(tmp_path_factory: pytest.TempPathFactory) -> None:
    """And their numbers go on."""
    folder = tmp_path_factory.mktemp("store")
    text = config(mirror("alpha")) + f"store: {{path: '{folder}/past.db'}}\n"
    for last in (1, 2):
        with (
            Program(folder, text, watch=False) as started,
            Feed(started) as listening,
            httpx.Client(base_url=started.url, trust_env=False, verify=NO_CERTIFICATES, timeout=LONG) as ask,
        ):
            row = recorded(listening, ask, lambda: ask.post("/v1/embeddings", json={"model": "alpha"}))
            assert row["id"] == last
            assert ids(started, "") == list(range(last, 0, -1))
