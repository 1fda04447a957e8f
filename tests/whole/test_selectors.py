"""Names that stand for one of several models, chosen for each request of the running program."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.conformance.scene import answer, mirror, pipe, release
from tests.whole.asking import caller, running
from tests.whole.following import follow
from tests.whole.mirrored import asking, post
from tests.whole.program import LONG, Program, config
from tests.whole.talk import CHAT

TEXT = """
groups: {all: {swap: false, members: [a, b, c]}}
selectors:
  fixed: {strategy: pin, targets: [b, a]}
  warmest: {strategy: warm, targets: [a, bee, c]}
  wide: {strategy: spillover, targets: [a, bee]}
  tuned: {strategy: pin, targets: [fast]}
""" + config(
    mirror("a"),
    mirror("b", aliases="[bee]"),
    mirror("c", filters="{setParamsByID: {fast: {speed: 1}}}"),
)


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    with Program(tmp_path_factory.mktemp("selectors"), TEXT, watch=False) as started:
        yield started


@pytest.fixture
def ask(program: Program) -> Iterator[httpx.Client]:
    with caller(program) as client:
        client.get("/unload").raise_for_status()
        yield client


def test_pin_takes_the_first_and_the_server_hears_its_name(ask: httpx.Client) -> None:
    """Whatever is up. The rest of the body stays as it was."""
    asking(ask, "a")
    arrived = post(ask, b'{ "model" : "fixed", "n": 1.0 }')
    assert (arrived.name, arrived.body) == ("b", b'{ "model" : "b", "n": 1.0 }')


def test_warm_takes_what_is_up_and_else_the_first(ask: httpx.Client) -> None:
    assert asking(ask, "warmest").name == "a"
    ask.get("/unload")
    asking(ask, "c")
    assert asking(ask, "warmest").name == "c"
    asking(ask, "b")
    arrived = asking(ask, "warmest")
    assert (arrived.name, arrived.json["model"]) == ("b", "bee")


def test_filters_go_by_the_name_that_was_chosen(ask: httpx.Client) -> None:
    arrived = asking(ask, "tuned")
    assert (arrived.name, arrived.json) == ("c", {"model": "fast", "speed": 1})


def test_spillover_wakes_the_next_where_the_first_has_its_share(
    program: Program, ask: httpx.Client, tmp_path: Path
) -> None:
    """One request is held at the first target; another goes to the second; when both are free, to one that is up."""
    gate = pipe(tmp_path, "gate")
    begun = threading.Event()

    def hold() -> None:
        told = answer(pieces=["{", "}"], hold=str(gate))
        with caller(program) as client, client.stream("POST", CHAT, json={"model": "wide"}, headers=told) as response:
            begun.set()
            response.read()

    holding = threading.Thread(target=hold)
    holding.start()
    assert begun.wait(LONG)
    assert asking(ask, "wide").name == "b"
    assert asking(ask, "wide").name == "b"
    assert set(running(program)) == {"a", "b"}
    release(gate)
    holding.join(LONG)
    assert {asking(ask, "wide").name for _ in range(4)} == {"a", "b"}


def test_a_row_says_which_selector_chose(program: Program, ask: httpx.Client) -> None:
    with follow(program) as page:
        page.opening()
        asking(ask, "fixed")
        page.until("activity")
    (row,) = ask.get("/api/metrics/activity?limit=1").json()["data"]
    assert (row["model"], row["metadata"]["selector"]) == ("b", "fixed")
