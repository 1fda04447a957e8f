"""The whole at a glance, of the running program: the shapes that dashboards know, and real values in them."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from typing import Any

import httpx
import msgspec
import pytest

from llamaswap_py.server.shapes import overview
from tests.fakes.tiny_gguf import Tiny
from tests.whole.asking import caller, openai_shape
from tests.whole.program import Program, config, model
from tests.whole.talk import CHAT, chat_body

VIEWS = {
    "": "overview",
    "gpu": "overview",
    "models": "models",
    "apis": "overview",
    "config": "configuration",
    "optimization": "overview",
}


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    folder = tmp_path_factory.mktemp("overview")
    file = Tiny().write(folder / "tiny.gguf")
    text = config(model("a", f"-m {file} --ctx-size 4096", seats=2), model("dies", "--exit --exit-code 3"))
    with Program(folder, text + "performance: {gpus: none}\n") as started:
        yield started


@pytest.fixture
def ask(program: Program) -> Iterator[httpx.Client]:
    with caller(program) as client:
        yield client


def told(client: httpx.Client, path: str) -> dict[str, Any]:
    found: dict[str, Any] = client.get(path).raise_for_status().json()
    return found


def test_where_there_is_no_card_that_is_said_and_no_number_is_made_up(ask: httpx.Client) -> None:
    found = told(ask, "/api/metrics/gpu")
    assert (found["gpus"], found["present"]) == ([], False)
    assert "performance.gpus" in found["reason"]
    sums = "total_memory_used", "total_memory_available", "average_temperature", "average_utilization"
    assert {found[name] for name in (*sums, "driver_version", "cuda_version")} == {None}
    assert found["thermal_status"] == "unknown"


def test_the_families_of_apis_are_counted_as_they_are_asked(ask: httpx.Client) -> None:
    before = {row["api"]: row for row in told(ask, "/api/metrics/apis")["endpoints"]}
    ask.post(CHAT, json=chat_body("a", "one two")).raise_for_status()
    ask.post(CHAT, json=chat_body("dies", "one"))
    ask.post(CHAT, json=chat_body("nobody", "one"))
    found = told(ask, "/api/metrics/apis")
    rows = {row["api"]: row for row in found["endpoints"]}
    one, was = rows["openai"], before["openai"]
    for name, more in (("total", 3), ("successful", 1), ("failed", 1), ("refused", 1)):
        assert one[f"{name}_requests"] - was[f"{name}_requests"] == more
    assert (one["endpoint"], one["path"]) == ("OpenAI API", "/v1/chat/completions")
    assert one["average_response_time"] > 0
    assert one["last_request_time"].endswith("Z")
    assert (rows["anthropic"]["total_requests"], rows["anthropic"]["status"]) == (0, "unused")
    assert found["overallHealth"] == one["status"]


def test_the_dashboard_has_all_of_it(ask: httpx.Client) -> None:
    ask.post(CHAT, json=chat_body("a", "one two")).raise_for_status()
    found = told(ask, "/api/metrics/dashboard")
    assert set(found) == {"status", "requests", "models", "gpu_metrics"}
    status = found["status"]
    assert status["status"] in ("healthy", "warning", "critical")
    assert 0 <= status["score"] <= 100
    assert status["components"]["gpu"] == {"score": None, "value": None, "weight": 0.15}
    assert status["components"]["response"]["value"] > 0
    rows = {row["id"]: row for row in found["models"]}
    assert (rows["a"]["state"], rows["a"]["context_size"], rows["a"]["quantization"]) == ("ready", 4096, "F16")
    assert rows["a"]["size_bytes"] > 0
    assert rows["dies"]["parameter_size"] is None
    assert found["gpu_metrics"]["present"] is False


def sent(ask: httpx.Client, name: str, body: dict[str, Any]) -> threading.Thread:
    """By somebody else, who does not care how it ends."""

    def send() -> None:
        client = httpx.Client(base_url=ask.base_url, trust_env=False, timeout=60)
        with client, contextlib.suppress(httpx.HTTPError):
            client.post(CHAT, json=body, headers={"X-Request-ID": name})

    sender = threading.Thread(target=send)
    sender.start()
    return sender


def until(ask: httpx.Client, name: str, status: str) -> dict[str, Any]:
    while (look := ask.get(f"/api/progress/{name}")).status_code != 200 or look.json()["status"] != status:
        pass
    found: dict[str, Any] = look.json()
    return found


def test_a_request_is_followed_and_dismissed_by_the_id_that_it_goes_by(ask: httpx.Client) -> None:
    """So far about so many tokens of at most so many; afterwards it was dismissed, and is found by the same id."""
    name = "follow-me"
    body = {**chat_body("a", "[fake words=5000 interval=0.02]"), "max_tokens": 777}

    sender = sent(ask, name, body)
    while not ((look := ask.get(f"/api/progress/{name}")).status_code == 200 and look.json()["progress"]):
        pass
    found = look.json()
    assert (found["request_id"], found["status"], found["model"], found["total"]) == (name, "processing", "a", 777)
    assert [row["request_id"] for row in told(ask, "/api/metrics/dashboard")["requests"]] == [name]
    assert told(ask, f"/api/progress/{found['id']}")["request_id"] == name
    assert msgspec.convert(found, overview.RequestProgress) == found
    dismissed = ask.post(f"/api/dismiss/{name}").raise_for_status().json()
    assert (dismissed["request_id"], dismissed["status"]) == (name, "dismissed")
    sender.join()
    while (after := told(ask, f"/api/progress/{name}"))["status"] == "processing":
        pass
    assert (after["model"], after["status"], after["progress"]) == ("a", "dismissed", None)
    assert openai_shape(ask.post(f"/api/dismiss/{name}"))[0] == "not_found"


def test_who_waits_for_a_seat_is_told_the_place(ask: httpx.Client) -> None:
    body = chat_body("a", "[fake words=5000 interval=0.02]")
    first, second = sent(ask, "first", body), sent(ask, "second", body)
    for name in ("first", "second"):
        until(ask, name, "processing")
    third = sent(ask, "third", body)
    waiting = until(ask, "third", "queued")
    assert (waiting["queue_position"], waiting["progress"], waiting["bytes"]) == (1, None, 0)
    for name in ("third", "first", "second"):
        ask.post(f"/api/dismiss/{name}").raise_for_status()
    for sender in (first, second, third):
        sender.join()
    assert until(ask, "third", "dismissed")["error"]


def test_a_request_that_is_over_is_found_by_its_id(ask: httpx.Client) -> None:
    assert ask.get("/api/progress/nobody").status_code == 404
    ask.post(CHAT, json=chat_body("a", "one two three"), headers={"X-Request-ID": "done"}).raise_for_status()
    found = told(ask, "/api/progress/done")
    assert (found["status"], found["path"], found["id"]) == ("completed", CHAT, None)
    assert found["progress"] == found["total"] > 0


def test_an_answer_whose_server_dies_has_failed_wherever_it_is_counted(ask: httpx.Client) -> None:
    """Its caller has seen status 200, and an error event."""
    before = of_openai(ask)
    body = {**chat_body("a", "[fake words=30 crash=5]"), "stream": True}
    with contextlib.suppress(httpx.TransportError):
        ask.post(CHAT, json=body, headers={"X-Request-ID": "broken"})
    found = until(ask, "broken", "failed")
    assert found["error"].startswith("the model's server")
    assert (found["progress"], found["total"]) == (None, None)
    after = of_openai(ask)
    assert after["failed_requests"] == before["failed_requests"] + 1
    assert after["successful_requests"] == before["successful_requests"]
    assert told(ask, "/api/metrics/dashboard")["status"]["components"]["errors"]["value"] > 0
    assert 'llamaswap_requests_total{api="openai",model="a",status="5xx"}' in ask.get("/metrics").text


def of_openai(client: httpx.Client) -> dict[str, Any]:
    rows: dict[str, dict[str, Any]] = {row["api"]: row for row in told(client, "/api/metrics/apis")["endpoints"]}
    return rows["openai"]


def test_advice_says_on_what_it_is_founded(ask: httpx.Client) -> None:
    found = told(ask, "/api/metrics/optimization")
    assert set(found) == {"timestamp", "since", "score", "recommendations", "system"}
    assert (found["system"]["models"], found["system"]["gpus"]) == (2, 0)
    assert 0 <= found["score"] <= 100
    for each in found["recommendations"]:
        assert each["figures"]


def test_what_this_program_is(ask: httpx.Client) -> None:
    status = told(ask, "/api/status")
    assert (status["status"], status["models"]["known"]) == ("ok", 2)
    assert status["uptime_seconds"] > 0
    info = told(ask, "/api/info")
    assert {"method": "GET", "path": "/api/info"} in info["endpoints"]
    assert CHAT in info["apis"]["openai"]
    assert info["version"] == status["version"] == told(ask, "/api/version")["version"]


@pytest.mark.parametrize("view", VIEWS)
def test_the_paths_of_other_dashboards_lead_to_the_page(ask: httpx.Client, view: str) -> None:
    """Relative, so that it also holds under a sub-path."""
    answer = ask.get(f"/dashboard/{view}" if view else "/dashboard")
    assert answer.status_code == 302
    place = answer.url.join(answer.headers["Location"])
    assert (place.path, place.fragment) == ("/ui/", f"/{VIEWS[view]}")
