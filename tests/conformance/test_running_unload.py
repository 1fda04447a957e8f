"""Section 5.7: what runs, and how it is unloaded."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from tests.conformance.scene import MIRROR, mirror
from tests.whole.asking import NO_CERTIFICATES, openai_shape
from tests.whole.program import LONG, Program, config, model

FIELDS = ["model", "state", "cmd", "proxy", "ttl", "name", "description"]
COMMENTED = f"""  commented:
    name: With a comment
    description: two lines
    ttl: 77
    cmd: |
      # not part of it
      python3 {MIRROR}
      --port ${{PORT}}
"""


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    text = config(
        mirror("beta", aliases="[second, 'a/b']"),
        mirror("alpha"),
        mirror("org/thing:7b"),
        COMMENTED,
        model("sleepy", "--load-seconds 600"),
        model("stillborn", "--exit"),
        globalTTL=500,
    )
    groups = "groups: {all: {swap: false, members: [alpha, beta, commented, 'org/thing:7b', sleepy, stillborn]}}\n"
    with Program(tmp_path_factory.mktemp("running"), text + groups, watch=False) as started:
        yield started


@pytest.fixture
def fresh(ask: httpx.Client) -> httpx.Client:
    """Nothing runs."""
    ask.get("/unload").raise_for_status()
    for name in ("stillborn", "sleepy"):
        ask.post(f"/api/models/reset/{name}").raise_for_status()
    return ask


def rows(ask: httpx.Client) -> dict[str, dict[str, Any]]:
    return {row["model"]: row for row in ask.get("/running").raise_for_status().json()["running"]}


def load(ask: httpx.Client, *names: str) -> None:
    for name in names:
        ask.post("/v1/embeddings", json={"model": name}).raise_for_status()


def test_nothing_runs(fresh: httpx.Client) -> None:
    """The list is empty, not absent."""
    assert fresh.get("/running").json()["running"] == []


def test_the_fields_of_a_row(fresh: httpx.Client) -> None:
    """Those of llama-swap come first, in its order; more may follow."""
    load(fresh, "alpha")
    row = rows(fresh)["alpha"]
    assert list(row)[: len(FIELDS)] == FIELDS
    assert (row["model"], row["state"], row["name"], row["description"]) == ("alpha", "ready", "", "")


def test_the_rows_are_sorted(fresh: httpx.Client) -> None:
    """By model, however they were started."""
    load(fresh, "org/thing:7b", "beta", "alpha")
    assert list(rows(fresh)) == ["alpha", "beta", "org/thing:7b"]


def test_the_command_is_the_one_that_was_started(fresh: httpx.Client) -> None:
    """Macros filled in, comment lines gone; proxy and ttl are what is in force."""
    load(fresh, "commented", "alpha")
    row = rows(fresh)["commented"]
    port = row["proxy"].rpartition(":")[2]
    assert port.isdecimal()
    assert f"--port {port}" in row["cmd"]
    assert "not part of it" not in row["cmd"]
    assert (row["ttl"], row["name"], row["description"]) == (77, "With a comment", "two lines")
    assert rows(fresh)["alpha"]["ttl"] == 500


def test_a_model_that_starts(fresh: httpx.Client, program: Program) -> None:
    """It is there, and says so."""
    said = program.said
    with ThreadPoolExecutor() as pool:
        asked = pool.submit(
            httpx.post,
            f"{program.url}/v1/embeddings",
            json={"model": "sleepy"},
            trust_env=False,
            verify=NO_CERTIFICATES,
            timeout=LONG,
        )
        program.wait_for("sleepy: starting", said)
        assert rows(fresh)["sleepy"]["state"] == "starting"
        fresh.get("/unload").raise_for_status()
        assert asked.result().status_code == 503
    assert rows(fresh) == {}


@pytest.mark.differs("failed models are shown")
def test_a_model_that_failed(fresh: httpx.Client) -> None:
    """There it is simply not there."""
    fresh.post("/v1/embeddings", json={"model": "stillborn"})
    assert rows(fresh)["stillborn"]["state"] == "failed"


ALL = {"GET /unload": "OK", "POST /api/models/unload": '{"msg":"ok"}'}


@pytest.mark.parametrize(("door", "said"), ALL.items(), ids=ALL)
def test_unload_all(fresh: httpx.Client, door: str, said: str) -> None:
    """It returns when everything is stopped."""
    load(fresh, "alpha", "beta")
    method, path = door.split()
    response = fresh.request(method, path)
    assert (response.status_code, response.text.replace(" ", "").strip()) == (200, said)
    assert rows(fresh) == {}


@pytest.mark.parametrize("door", ALL)
def test_unload_all_of_nothing(fresh: httpx.Client, door: str) -> None:
    """200 as well."""
    assert fresh.request(*door.split()).status_code == 200


@pytest.mark.parametrize("name", ["beta", "second", "a/b"])
def test_unload_one(fresh: httpx.Client, name: str) -> None:
    """By id or alias, slashes and all; the others stay."""
    load(fresh, "alpha", "beta")
    response = fresh.post(f"/api/models/unload/{name}")
    assert (response.status_code, response.text) == (200, "OK")
    assert list(rows(fresh)) == ["alpha"]


def test_unload_one_with_slash_and_colon(fresh: httpx.Client) -> None:
    """An id may look like that."""
    load(fresh, "org/thing:7b")
    assert fresh.post("/api/models/unload/org/thing:7b").status_code == 200
    assert rows(fresh) == {}


def test_unload_one_that_does_not_run(fresh: httpx.Client) -> None:
    """200: there is nothing to do."""
    assert fresh.post("/api/models/unload/alpha").status_code == 200


@pytest.mark.differs("codes say more")
@pytest.mark.parametrize("name", ["nobody", "org", "alpha/x"])
def test_unload_of_what_is_unknown(fresh: httpx.Client, name: str) -> None:
    """404 as there, with the name in the sentence."""
    response = fresh.post(f"/api/models/unload/{name}")
    assert response.status_code == 404
    code, sentence = openai_shape(response)
    assert code == "model_not_found"
    assert name in sentence


@pytest.mark.differs("failures have their own status")
def test_who_waits_for_an_unloaded_model(fresh: httpx.Client, program: Program) -> None:
    """503 `model_unloaded`; there it is 500 `unspecific error`."""
    said = program.said
    with ThreadPoolExecutor() as pool:
        asked = pool.submit(
            httpx.post,
            f"{program.url}/v1/embeddings",
            json={"model": "sleepy"},
            trust_env=False,
            verify=NO_CERTIFICATES,
            timeout=LONG,
        )
        program.wait_for("sleepy: starting", said)
        fresh.post("/api/models/unload/sleepy").raise_for_status()
        response = asked.result()
    assert response.status_code == 503
    assert openai_shape(response)[0] == "model_unloaded"


def test_an_unloaded_model_comes_back_when_asked(fresh: httpx.Client) -> None:
    """Unloading is no ban."""
    load(fresh, "alpha")
    fresh.post("/api/models/unload/alpha").raise_for_status()
    load(fresh, "alpha")
    assert rows(fresh)["alpha"]["state"] == "ready"
