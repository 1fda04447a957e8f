"""`/api/events` of the running program: what a page hears at the start, what live, and what when it comes back."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from tests.whole.asking import caller, chat, forgive
from tests.whole.following import OPENING, follow, state_of
from tests.whole.program import Program, config, model

TEXT = config(
    model("one", "--stderr wëights"),
    model("two", aliases="[zwei]", unlisted="true") + "    name: Two\n",
    model("stillborn", "--exit --exit-code 7"),
)


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    with Program(tmp_path_factory.mktemp("events"), TEXT) as started:
        yield started


@pytest.fixture
def ask(program: Program) -> Iterator[httpx.Client]:
    """Nothing runs when a test begins."""
    forgive(program, "stillborn")
    with caller(program) as client:
        client.get("/unload").raise_for_status()
        yield client


def test_the_head_is_that_of_an_event_stream(program: Program, ask: httpx.Client) -> None:
    """Nobody between may collect it, keep it or guess what it is."""
    with follow(program) as page:
        assert page.response.headers["Content-Type"] == "text/event-stream"
        assert page.response.headers["Cache-Control"] == "no-cache"
        assert page.response.headers["X-Content-Type-Options"] == "nosniff"
        assert page.response.headers["X-Accel-Buffering"] == "no"
    assert ask.head("/api/events").headers["Content-Type"] == "text/event-stream"


def test_a_page_is_told_all_states_when_it_comes(program: Program, ask: httpx.Client) -> None:
    """In llama-swap's order: both logs' histories, models, settings, profile, requests; then ours."""
    with follow(program) as page:
        opening = page.opening()
    assert [heard.type for heard in opening] == OPENING
    assert {heard.event for heard in opening} == {
        "message",
        "config",
        "beat",
        "flights",
        "machine",
        "standings",
        "alerts",
        "glance",
        "rules",
    }
    proxy, upstream, status, settings_, profile, requests, config = [heard.data for heard in opening][:7]
    assert proxy["source"] == "proxy"
    assert "llamaswap listening" in proxy["data"]
    assert upstream["source"] == "upstream"
    assert [(row["id"], row["state"]) for row in status] == [
        ("one", "stopped"),
        ("stillborn", "stopped"),
        ("two", "stopped"),
    ]
    assert status[2] == {
        "id": "two",
        "name": "Two",
        "description": "",
        "state": "stopped",
        "unlisted": True,
        "peerID": "",
        "aliases": ["zwei"],
    }
    assert settings_ == {"activity": {"session_id": ["X-Session-ID", "X-Litellm-Session-Id"]}}
    assert profile == {"active": None}
    assert requests["operation"] == "snapshot"
    assert config == {"state": "loaded", "mistakes": []}


def test_a_load_is_followed_through_its_states(program: Program, ask: httpx.Client) -> None:
    """Starting, ready, and after the unload stopping and stopped; the log lines come between."""
    with follow(program) as page:
        page.opening()
        ask.post("/api/models/load/one").raise_for_status()
        page.until("modelStatus", state_of("one", "starting"))
        page.until("modelStatus", state_of("one", "ready"))
        ask.get("/unload").raise_for_status()
        page.until("modelStatus", state_of("one", "stopping"))
        page.until("modelStatus", state_of("one", "stopped"))
        said = "".join(heard.data["data"] for heard in page.heard if heard.type == "logData")
    assert "one: ready after" in said
    assert "wëights" in said
    swaps = [heard.data for heard in page.heard if heard.event == "swap"]
    assert [swap["state"] for swap in swaps[:3]] == ["starting", "ready", "stopping"]
    assert swaps[1]["seconds"] > 0


def test_a_request_is_followed_until_its_row(program: Program, ask: httpx.Client) -> None:
    """It comes, is gone, and is written down; a page that comes meanwhile finds it in its snapshot."""
    with follow(program) as page:
        page.opening()
        assert chat(program, "one", "hello").status_code == 200
        came = page.until("inflight", lambda data: data["operation"] == "upsert").data["request"]
        assert (came["model"], came["req_path"], came["method"]) == ("one", "/v1/chat/completions", "POST")
        gone = page.until("inflight", lambda data: data["operation"] == "remove").data
        assert gone["id"] == came["id"]
        assert page.until("activity").data["id"] > 0


def test_every_page_hears_everything(program: Program, ask: httpx.Client) -> None:
    """Two pages get the same messages."""
    with follow(program) as one, follow(program) as two:
        ask.post("/api/models/load/two").raise_for_status()
        for page in (one, two):
            page.until("modelStatus", state_of("two", "ready"))


def test_why_a_model_failed_is_told(program: Program, ask: httpx.Client) -> None:
    """To llama-swap's pages it is stopped; ours hear that it failed and why."""
    with follow(program) as page:
        page.opening()
        assert chat(program, "stillborn", "hello").status_code == 502
        swap = page.until("swap", lambda data: data["state"] == "failed").data
        assert "exit code 7" in swap["why"]
        assert state_of("stillborn", "stopped")(page.until("modelStatus").data)


def test_a_changed_configuration_is_told_with_its_mistakes(program: Program, ask: httpx.Client) -> None:
    """Refused: every mistake. Loaded: the new list of models, and the mistakes of those that are disabled. Who comes
    later hears how the last one went."""
    with follow(program) as page:
        page.opening()
        program.edit(TEXT.replace("unlisted: true", "unlisted: maybe"))
        partly = page.until("config").data
        assert (partly["state"], len(partly["mistakes"])) == ("loaded", 1)
        program.edit(TEXT.replace("unlisted: true", "unlisted: maybe") + "startPort: -1\n")
        refused = page.until("config").data
        assert refused["state"] == "refused"
        assert "unlisted" in " ".join(refused["mistakes"])
        with follow(program) as late:
            assert late.opening()[6].data == refused
        program.edit(TEXT + model("three"))
        assert page.until("config").data == {"state": "loaded", "mistakes": []}
        page.until("modelStatus", state_of("three", "stopped"))
        program.edit(TEXT)
        page.until("config")


def test_a_page_that_comes_back_hears_what_it_missed(program: Program, ask: httpx.Client) -> None:
    """It names the last event it saw; what followed is told after the opening, in order, nothing twice."""
    with follow(program) as page:
        page.opening()
        ask.post("/api/models/load/one").raise_for_status()
        seen = page.until("swap", lambda data: data["state"] == "ready")
    ask.get("/unload").raise_for_status()
    with follow(program, **{"Last-Event-ID": seen.name}) as back:
        back.opening()
        missed = [back.next() for _ in range(2)]
    long = seen.name.partition("-")[0] + "-" + "9" * 5000
    with follow(program, **{"Last-Event-ID": long}) as strange:
        assert [heard.type for heard in strange.opening()] == OPENING
    assert [(heard.event, heard.data["state"]) for heard in missed] == [("swap", "stopping"), ("swap", "stopped")]


def test_rows_that_a_page_missed_are_told_when_it_comes_back(program: Program, ask: httpx.Client) -> None:
    """Whole, each once; and a page that is new hears of none."""
    with follow(program) as page:
        seen = page.opening()[-1].name
        chat(program, "one", "hello")
        live = page.until("finished").data
        assert live["gap"] is False
        [row] = live["rows"]
        assert row == ask.get("/api/metrics/activity?limit=1").json()["data"][0]
        assert row["details"]["api"] == "openai"
        name = page.heard[-1].name
        chat(program, "one", "again")
        page.until("finished")
    with follow(program, **{"Last-Event-ID": name}) as back:
        assert [each["id"] for each in back.until("finished").data["rows"]] == [row["id"] + 1]
    with follow(program, **{"Last-Event-ID": seen}) as early:
        assert [each["id"] for each in early.until("finished").data["rows"]] == [row["id"], row["id"] + 1]
    with follow(program, **{"Last-Event-ID": "beef-3"}) as restarted:
        assert restarted.until("finished").data["gap"] is True


def test_a_page_is_not_told_what_it_does_without(program: Program, ask: httpx.Client) -> None:
    """Ours has the logs from elsewhere, and rows of its own for requests and models."""
    with follow(program, "?without=logData,modelStatus,inflight&without=activity,uiConfig") as page:
        assert [page.next().type for _ in range(9)] == [
            "profileChanged",
            "config",
            "beat",
            "flights",
            "machine",
            "standings",
            "alerts",
            "glance",
            "rules",
        ]
        with ThreadPoolExecutor() as callers:
            asked = callers.submit(chat, program, "one", "[fake first=1]")
            came = page.until("flights", lambda data: data["rows"]).data["rows"][0]
            assert (came["model"], came["req_path"], came["method"]) == ("one", "/v1/chat/completions", "POST")
            page.until("flights", lambda data: came["id"] in data["gone"])
            assert asked.result().status_code == 200
        ask.get("/unload")
        page.until("swap", lambda data: data["state"] == "stopped")
    unwanted = {"logData", "modelStatus", "inflight", "activity", "uiConfig"}
    assert unwanted.isdisjoint(heard.type for heard in page.heard)


def test_an_answer_on_its_way_is_told_by_its_bytes(program: Program, ask: httpx.Client) -> None:
    body = {"model": "one", "messages": [{"role": "user", "content": "[fake words=80 interval=0.05]"}], "stream": True}
    with follow(program, "?without=logData") as page, ThreadPoolExecutor() as callers:
        asked = callers.submit(ask.post, "/v1/chat/completions", json=body)
        came = page.until("flights", lambda data: data["rows"]).data["rows"][0]["id"]
        first, second = (page.until("flights", lambda data: came in data["grown"]).data["grown"][came] for _ in "ab")
        page.until("flights", lambda data: came in data["gone"])
        assert 0 < first < second < len(asked.result().content)
        [row] = ask.get("/api/metrics/activity?limit=1").json()["data"]
        assert row["details"]["longest_gap_ms"] >= row["details"]["mean_gap_ms"] > 20


def measured(sample: dict[str, Any]) -> bool:
    return sample["cpu"] is not None and "one" in sample["models"]


def test_the_machine_and_the_models_are_measured_while_somebody_follows(program: Program, ask: httpx.Client) -> None:
    ask.post("/api/models/load/one").raise_for_status()
    with follow(program) as page:
        sample = page.until("machine", lambda data: data["samples"] and measured(data["samples"][-1])).data
        newest = sample["samples"][-1]
        assert newest["models"]["one"]["memory"] > 1_000_000
        assert newest["proxy"]["processes"] == newest["keeper"]["processes"] == 1
        assert 0 <= newest["cpu"] <= 100
    with follow(program) as later:
        assert newest in later.until("machine").data["samples"]


@pytest.mark.parametrize("last", ["nonsense", "0-", "-", "abc-99999999999999999999999", "abc-x"])
def test_a_page_may_say_anything_about_what_it_saw(program: Program, last: str) -> None:
    """Names of another start, or of nobody, do no harm."""
    with follow(program, **{"Last-Event-ID": last}) as page:
        assert [heard.type for heard in page.opening()] == OPENING


@pytest.mark.parametrize(
    "stranger", [{"Host": "evil.example"}, {"Origin": "http://evil.example"}, {"Sec-Fetch-Site": "cross-site"}]
)
def test_a_page_of_another_site_hears_nothing(ask: httpx.Client, stranger: dict[str, str]) -> None:
    response = ask.get("/api/events", headers=stranger)
    assert response.status_code == 403
    assert "logData" not in response.text


def test_a_page_without_logs_is_told_the_rest(program: Program, ask: httpx.Client) -> None:
    """Beside one that reads them, and after it has gone: logs are then nobody's work."""
    without = [kind for kind in OPENING if kind != "logData"]
    with follow(program, "?logs=no") as page, follow(program) as reader:
        opening = [page.next().type for _ in without]
        reader.opening()
        ask.post("/api/models/load/one").raise_for_status()
        reader.until("logData", lambda data: "wëights" in data["data"])
        page.until("swap", lambda data: data["state"] == "ready")
    assert opening == without
    assert "logData" not in {heard.type for heard in page.heard}
    with follow(program) as late:
        proxy = late.next().data
    assert "wëights" not in proxy["data"]
    assert "one" in proxy["data"]
