"""Sections 3.9, 4.2 to 4.4, 4.6 and 4.7, as far as a caller sees them: who is served, who waits, who must go."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from tests.conformance.scene import answer, mirror, pipe, release, seen
from tests.whole.asking import NO_CERTIFICATES, caller, running
from tests.whole.program import LONG, Program, config, model

GROUPS = """
groups:
  pair: {swap: true, exclusive: true, members: [a, b]}
  team: {swap: false, exclusive: true, members: [c, d]}
  side: {swap: true, exclusive: false, members: [e, f]}
  keep: {swap: true, exclusive: false, persistent: true, members: [g]}
"""


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    models = [mirror(name) for name in "abcdefgz"]
    with Program(tmp_path_factory.mktemp("swapping"), config(*models) + GROUPS, watch=False) as started:
        yield started


@pytest.fixture
def fresh(ask: httpx.Client) -> httpx.Client:
    """Nothing runs."""
    ask.get("/unload").raise_for_status()
    return ask


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(16) as threads:
        yield threads


def post(program: Program, name: str, **told: object) -> httpx.Response:
    with caller(program) as client:
        return client.post("/v1/embeddings", json={"model": name}, headers=answer(**told))


def up(program: Program) -> str:
    return "".join(name for name, row in running(program).items() if row["state"] == "ready")


# what is asked for in this order, and what is up at the end
STORIES = {
    "ab": "b",  # siblings of a swapping group
    "cd": "cd",  # siblings that may be together
    "ac": "c",  # an exclusive group stops another one
    "cda": "a",
    "ae": "ae",  # one that is not exclusive stops nobody
    "ea": "a",  # but is stopped
    "ef": "f",
    "ga": "ag",  # one that is persistent stays
    "gce": "ceg",
    "az": "z",  # models of no group share one, which is exclusive
    "gz": "gz",
    "aea": "a",  # what is up already still makes its room
    "cec": "c",
}


@pytest.mark.parametrize(("asked", "left"), STORIES.items(), ids=STORIES)
def test_who_goes_and_who_stays(program: Program, fresh: httpx.Client, asked: str, left: str) -> None:
    """A group's rule, seen from outside."""
    for name in asked:
        assert post(program, name).status_code == 200
    assert up(program) == left


def waiting(program: Program, name: str, callers: int = 1) -> None:
    """Returns once that many wait for this model: asked until it is so, because nobody is told."""
    told: dict[str, int] = {}
    deadline = time.monotonic() + LONG
    while time.monotonic() < deadline:
        told = httpx.get(f"{program.url}/running", trust_env=False, verify=NO_CERTIFICATES).json()["waiting"]
        if told.get(name, 0) >= callers:
            return
    raise AssertionError(f"nobody waits for {name}: {told}")


def held(pool: ThreadPoolExecutor, program: Program, name: str, hold: Path) -> Future[httpx.Response]:
    """A request that is being served until it is released; it returns once its answer has begun."""
    begun: Future[None] = Future()

    def ask_on() -> httpx.Response:
        headers = answer(type="text/event-stream", pieces=["data: 1\n\n", "data: 2\n\n"], hold=str(hold))
        with (
            caller(program) as client,
            client.stream("POST", "/v1/embeddings", json={"model": name}, headers=headers) as r,
        ):
            pieces = r.iter_text()
            next(pieces)
            begun.set_result(None)
            assert "data: 2" in "".join(pieces)
            return r

    asked = pool.submit(ask_on)
    begun.result(30)
    return asked


def test_a_busy_model_is_not_stopped_by_another(
    tmp_path: Path, program: Program, fresh: httpx.Client, pool: ThreadPoolExecutor
) -> None:
    """Its answer is brought to its end first, and then the other is served."""
    hold = pipe(tmp_path, "hold")
    first = held(pool, program, "a", hold)
    said = program.said
    second = pool.submit(post, program, "b")
    assert seen(post(program, "g")).name == "g"  # whom nobody excludes is served meanwhile
    assert not second.done()
    assert up(program) == "ag"
    release(hold)
    assert first.result().status_code == 200
    assert seen(second.result()).name == "b"
    program.wait_for("b: ready", said)


def test_a_busy_models_own_callers_are_served_at_once(
    tmp_path: Path, program: Program, fresh: httpx.Client, pool: ThreadPoolExecutor
) -> None:
    """Also while somebody waits for another one (here for `patience`, there for ever)."""
    hold = pipe(tmp_path, "hold")
    first = held(pool, program, "a", hold)
    second = pool.submit(post, program, "b")
    assert [seen(post(program, "a")).name for _ in range(3)] == ["a"] * 3
    release(hold)
    assert first.result().status_code == second.result().status_code == 200


def test_many_callers_of_one_cold_model(program: Program, fresh: httpx.Client, pool: ThreadPoolExecutor) -> None:
    """They join one start."""
    said = program.said
    asked = [pool.submit(post, program, "a") for _ in range(16)]
    assert {one.result().status_code for one in asked} == {200}
    program.wait_for("a: ready", said)
    assert len([line for line in program.lines[said:] if "a: starting" in line]) == 1


def test_requests_are_gathered_by_model(program: Program, fresh: httpx.Client, pool: ThreadPoolExecutor) -> None:
    """Callers of two models that exclude each other, mixed: each model is started no more often than need be."""
    said = program.said
    asked = [pool.submit(post, program, "ab"[number % 2]) for number in range(12)]
    assert [seen(one.result()).name for one in asked] == ["a", "b"] * 6
    fresh.post("/api/models/unload").raise_for_status()
    program.wait_for("stopping \\(unloaded", said)
    starts = [line for line in program.lines[said:] if "a: starting" in line or "b: starting" in line]
    assert 2 <= len(starts) <= 4


def test_who_leaves_while_it_loads_leaves_the_load_alone(program: Program, fresh: httpx.Client) -> None:
    """A load that was begun is brought to its end."""
    said = program.said
    with pytest.raises(httpx.TimeoutException):
        fresh.post("/v1/embeddings", json={"model": "a"}, timeout=0.001)
    program.wait_for("a: ready", said)


def test_priorities(tmp_path_factory: pytest.TempPathFactory, tmp_path: Path, pool: ThreadPoolExecutor) -> None:
    """Who waits for a model of higher priority comes first, whenever he came."""
    text = config(mirror("first"), mirror("low"), mirror("high"))
    text += "routing: {scheduler: {use: fifo, settings: {fifo: {priority: {high: 9, low: -1}}}}}\n"
    hold = pipe(tmp_path, "hold")
    with Program(tmp_path_factory.mktemp("priorities"), text, watch=False) as program:
        first = held(pool, program, "first", hold)
        low = pool.submit(post, program, "low")
        waiting(program, "low")
        high = pool.submit(post, program, "high")
        waiting(program, "high")
        said = program.said
        release(hold)
        assert {one.result().status_code for one in (first, low, high)} == {200}
        program.wait_for("low: ready", said)
        order = [line for line in program.lines[said:] if "low: ready" in line or "high: ready" in line]
    assert [line.partition(": ready")[0].split()[-1] for line in order] == ["high", "low"]


def test_preloads(tmp_path_factory: pytest.TempPathFactory) -> None:
    """One after the other, in their order, aliases too; unknown names are passed over."""
    text = config(mirror("one", aliases="[uno]"), mirror("two"), mirror("three"))
    text += "groups: {all: {swap: false, members: [one, two, three]}}\n"
    text += "hooks: {on_startup: {preload: [two, nobody, uno]}}\n"
    with Program(tmp_path_factory.mktemp("preload"), text, watch=False) as program:
        program.wait_for("one: ready")
        assert list(running(program)) == ["one", "two"]
        said = [line for line in program.lines if ": starting" in line or ": ready" in line]
    names = [line.split("] ")[1].split(":")[0] for line in said]
    assert names == ["two", "two", "one", "one"]


@pytest.mark.differs("no limit unless one is set")
def test_more_callers_than_ten(tmp_path: Path, program: Program, fresh: httpx.Client) -> None:
    """There the eleventh is refused with 429 if nothing is configured."""
    pipes = [pipe(tmp_path, f"hold{number}") for number in range(12)]
    with ThreadPoolExecutor(12) as pool:
        asked = [held(pool, program, "a", hold) for hold in pipes]
        for hold in pipes:
            release(hold)
        assert [one.result().status_code for one in asked] == [200] * 12


def test_a_limit_counts_those_who_wait(tmp_path_factory: pytest.TempPathFactory, pool: ThreadPoolExecutor) -> None:
    """Queued, loading and served together."""
    text = config(model("sleepy", "--load-seconds 600", concurrencyLimit=2))
    with Program(tmp_path_factory.mktemp("limit"), text, watch=False) as program:
        first = [pool.submit(post, program, "sleepy") for _ in range(2)]
        waiting(program, "sleepy", 2)
        assert post(program, "sleepy").status_code == 429
        with caller(program) as client:
            client.get("/unload")
        assert {one.result().status_code for one in first} == {503}
