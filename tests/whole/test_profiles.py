"""Profiles switched while the program runs: names mean something else from then on."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from tests.conformance.scene import mirror, seen
from tests.whole.asking import caller, openai_shape
from tests.whole.mirrored import asking, post
from tests.whole.program import Program, config

TEXT = """
groups: {all: {swap: false, members: [a, b, c]}}
selectors: {best: {strategy: pin, targets: [c]}}
profiles:
  day: {pins: {chat: a, code: best, b: null, a: b}}
  night: {pins: {chat: b}}
""" + config(mirror("a"), mirror("b"), mirror("c", useModelName="real"))


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    with Program(tmp_path_factory.mktemp("profiles"), TEXT) as started:
        yield started


@pytest.fixture
def ask(program: Program) -> Iterator[httpx.Client]:
    with caller(program) as client:
        activate(client, None)
        yield client


def activate(client: httpx.Client, name: str | None) -> None:
    client.put("/api/profiles/active", json={"name": name}).raise_for_status()


def test_a_name_goes_by_the_active_profile(ask: httpx.Client) -> None:
    """And is nobody's without one. The server hears the name it is pinned to; the rest stays byte for byte."""
    assert ask.post("/v1/chat/completions", json={"model": "chat"}).status_code == 404
    activate(ask, "day")
    arrived = post(ask, b'{ "model":"chat" , "x":1.00 }')
    assert (arrived.name, arrived.body) == ("a", b'{ "model":"a" , "x":1.00 }')
    activate(ask, "night")
    assert asking(ask, "chat").name == "b"


def test_a_pin_may_lead_to_a_selector_and_then_to_the_servers_own_name(ask: httpx.Client) -> None:
    activate(ask, "day")
    arrived = asking(ask, "code")
    assert (arrived.name, arrived.json) == ("c", {"model": "real"})


def test_a_pin_leads_to_no_pin_and_what_is_switched_off_is_told(ask: httpx.Client) -> None:
    """`b` is switched off, but what is pinned to it reaches it."""
    activate(ask, "day")
    assert asking(ask, "a").name == "b"
    response = ask.post("/v1/chat/completions", json={"model": "b"})
    assert response.status_code == 404
    assert openai_shape(response)[1] == "the name 'b' is switched off by the active profile 'day'"


def test_a_pin_holds_under_the_servers_own_paths_too(ask: httpx.Client) -> None:
    activate(ask, "day")
    assert seen(ask.get("/upstream/chat/slots")).name == "a"
    assert ask.get("/upstream/b/slots").status_code == 404


def test_a_profile_that_a_reload_removes_is_no_longer_active(program: Program, ask: httpx.Client) -> None:
    activate(ask, "night")
    program.edit(TEXT.replace("  night: {pins: {chat: b}}\n", ""))
    assert ask.get("/api/profiles").json()["active"] is None
    assert ask.post("/v1/chat/completions", json={"model": "chat"}).status_code == 404
    program.edit(TEXT)
