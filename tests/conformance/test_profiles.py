"""Sections 5.11 and 2.10: profiles are chosen while the program runs, and change what names mean."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from tests.conformance.feed import Feed
from tests.conformance.scene import JSON, mirror, multipart, seen
from tests.whole.asking import caller, openai_shape
from tests.whole.program import Program, config

PROFILES = """
profiles:
  night:
    description: by night
    pins: {work: beta, alpha: beta, off: null, empty: ""}
  day: {pins: {work: nick, chain: work-too, work-too: alpha}}
groups: {all: {swap: false, members: [alpha, beta]}}
"""


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    text = config(mirror("alpha", aliases="[nick, work-too]"), mirror("beta")) + PROFILES
    with Program(tmp_path_factory.mktemp("profiles"), text, watch=False) as started:
        yield started


@pytest.fixture
def fresh(ask: httpx.Client) -> httpx.Client:
    """No profile is active."""
    ask.put("/api/profiles/active", json={"name": None}).raise_for_status()
    return ask


def activate(ask: httpx.Client, name: str | None) -> None:
    ask.put("/api/profiles/active", json={"name": name}).raise_for_status()


def model_of(ask: httpx.Client, name: str) -> str:
    return seen(ask.post("/v1/embeddings", json={"model": name})).name


def test_none_is_active_at_first(program: Program, ask: httpx.Client) -> None:
    """The list is sorted; what is switched off has an empty target."""
    fresh = ask.get("/api/profiles").raise_for_status().json()
    assert list(fresh) == ["active", "profiles"]
    assert fresh["active"] is None
    assert [profile["id"] for profile in fresh["profiles"]] == ["day", "night"]
    night = fresh["profiles"][1]
    assert night["description"] == "by night"
    assert night["pins"] == {"work": "beta", "alpha": "beta", "off": "", "empty": ""}


@pytest.mark.parametrize("name", ["day", "night"])
def test_a_profile_is_chosen(fresh: httpx.Client, name: str) -> None:
    """The answer and the list say which."""
    response = fresh.put("/api/profiles/active", json={"name": name})
    assert (response.status_code, response.json()) == (200, {"active": name})
    assert fresh.get("/api/profiles").json()["active"] == name


@pytest.mark.parametrize("nothing", [None, ""])
def test_a_profile_is_left(fresh: httpx.Client, nothing: str | None) -> None:
    """By null or an empty name."""
    activate(fresh, "day")
    assert fresh.put("/api/profiles/active", json={"name": nothing}).json() == {"active": None}
    assert fresh.get("/api/profiles").json()["active"] is None


def test_the_content_type_does_not_matter(fresh: httpx.Client) -> None:
    """It is read as JSON whatever it is called."""
    response = fresh.put("/api/profiles/active", content=b'{"name": "day"}', headers={"Content-Type": "text/plain"})
    assert response.json() == {"active": "day"}


BAD = {
    "no JSON": (b"{", 400),
    "no object": (b'["day"]', 400),
    "no name": (b"{}", 400),
    "a number": (b'{"name": 1}', 400),
    "a list": (b'{"name": ["day"]}', 400),
    "unknown": (b'{"name": "noon"}', 404),
}


@pytest.mark.parametrize(("body", "status"), BAD.values(), ids=BAD)
def test_what_cannot_be_chosen(fresh: httpx.Client, body: bytes, status: int) -> None:
    """It is told, and changes nothing."""
    activate(fresh, "day")
    response = fresh.put("/api/profiles/active", content=body, headers=JSON)
    assert response.status_code == status
    openai_shape(response)
    assert fresh.get("/api/profiles").json()["active"] == "day"


def test_a_pin_changes_what_a_name_means(fresh: httpx.Client) -> None:
    """A new name, and one that is a model's id; and only while the profile is active."""
    assert model_of(fresh, "alpha") == "alpha"
    assert fresh.post("/v1/embeddings", json={"model": "work"}).status_code == 404
    activate(fresh, "night")
    assert [model_of(fresh, name) for name in ("work", "alpha", "nick", "beta")] == ["beta", "beta", "alpha", "beta"]
    activate(fresh, "day")
    assert [model_of(fresh, name) for name in ("work", "alpha")] == ["alpha", "alpha"]


def test_a_pin_is_not_followed_twice(fresh: httpx.Client) -> None:
    """`chain` means the alias of that name, not the pin."""
    activate(fresh, "day")
    assert model_of(fresh, "chain") == "alpha"


@pytest.mark.parametrize("name", ["off", "empty"])
def test_a_name_that_is_switched_off(fresh: httpx.Client, name: str) -> None:
    """It is no model, 404 as for one that is unknown."""
    activate(fresh, "night")
    assert fresh.post("/v1/embeddings", json={"model": name}).status_code == 404


def test_the_model_hears_its_own_name(fresh: httpx.Client) -> None:
    """The target takes the pin's place in the body, and the rest stays."""
    activate(fresh, "night")
    met = seen(fresh.post("/v1/embeddings", content=b'{"x": 1.0, "model": "work"}', headers=JSON))
    assert met.json == {"x": 1.0, "model": "beta"}
    assert seen(fresh.post("/v1/embeddings", json={"model": "beta"})).json == {"model": "beta"}


def test_the_model_hears_its_own_name_in_forms_and_queries(fresh: httpx.Client) -> None:
    """There too."""
    activate(fresh, "night")
    body, headers = multipart(("model", b"work"), file=b"sound")
    met = seen(fresh.post("/v1/audio/transcriptions", content=body, headers=headers))
    assert met.name == "beta"
    assert b'name="model"\r\n\r\nbeta\r\n' in met.body
    assert seen(fresh.get("/props?model=work")).target == "/props?model=beta"


def test_whoever_listens_hears_of_it(program: Program, fresh: httpx.Client) -> None:
    """On connecting, and on every change."""
    with Feed(program) as feed:
        assert feed.wait("profileChanged") == {"active": None}
        before = feed.said
        activate(fresh, "day")
        assert feed.wait("profileChanged", after=before) == {"active": "day"}
        feed.wait("modelStatus", after=before)
        before = feed.said
        activate(fresh, None)
        assert feed.wait("profileChanged", after=before) == {"active": None}


@pytest.mark.differs("the active profile outlives a reload")
def test_a_reload_keeps_it(tmp_path_factory: pytest.TempPathFactory) -> None:
    """As long as it is there; there a reload forgets it in any case."""
    plain = config(mirror("alpha"))
    text = plain + "profiles: {day: {pins: {work: alpha}}}\n"
    with Program(tmp_path_factory.mktemp("reload"), text) as started, caller(started) as ask:
        activate(ask, "day")
        started.edit(text + "globalTTL: 5\n")
        assert ask.get("/api/profiles").json()["active"] == "day"
        started.edit(plain)
        assert ask.get("/api/profiles").json()["active"] is None
