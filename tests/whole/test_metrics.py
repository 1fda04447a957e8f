"""`/metrics` of the running program."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import httpx
import pytest
from prometheus_client import Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families as open_families
from prometheus_client.parser import text_string_to_metric_families

from llamaswap_py.observe.metrics import LLAMA_SWAPS, METRICS
from tests.whole.asking import caller, running
from tests.whole.program import Program, config, model
from tests.whole.talk import CHAT, chat_body

Told = dict[tuple[str, tuple[tuple[str, str], ...]], float]


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Program]:
    with Program(tmp_path, config(model("a"), model("b"), model("dies", "--exit --exit-code 3"))) as started:
        yield started


def families(client: httpx.Client, accept: str = "") -> list[Metric]:
    answer = client.get("/metrics", headers={"Accept": accept} if accept else {}).raise_for_status()
    parse = open_families if "openmetrics" in answer.headers["Content-Type"] else text_string_to_metric_families
    return list(parse(answer.text))


def told(client: httpx.Client) -> Told:
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in families(client)
        for sample in family.samples
    }


def value(found: Told, name: str, **labels: str) -> float:
    return found[name, tuple(sorted(labels.items()))]


def test_what_callers_did_is_counted(program: Program) -> None:
    with caller(program) as client:
        for stream in (True, False, True):
            client.post(CHAT, json={**chat_body("a", "one two three"), "stream": stream}).raise_for_status()
        client.post(CHAT, json=chat_body("b", "one")).raise_for_status()
        client.post(CHAT, json=chat_body("dies", "one"))
        client.post(CHAT, json=chat_body("nobody-knows-me", "one"))
        rows = client.get("/api/metrics/activity").json()["data"]
        found = told(client)
    sums = {row["model"]: 0 for row in rows}
    for row in rows:
        sums[row["model"]] += row["tokens"]["output_tokens"]
    assert value(found, "llamaswap_requests_total", api="openai", model="a", status="2xx") == 3
    assert value(found, "llamaswap_requests_total", api="openai", model="dies", status="5xx") == 1
    assert value(found, "llamaswap_requests_total", api="openai", model="other", status="4xx") == 1
    assert value(found, "llamaswap_tokens_total", model="a", kind="output") == sums["a"] > 0
    assert value(found, "llamaswap_request_duration_seconds_count", api="openai", model="a") == 3
    assert value(found, "llamaswap_time_to_first_token_seconds_count", model="a") == 2
    assert value(found, "llamaswap_load_wait_seconds_count", model="a") == 1
    assert value(found, "llamaswap_model_load_seconds_count", model="a") == 1
    assert value(found, "llamaswap_evictions_total", model="a", reason="groups") == 1
    assert value(found, "llamaswap_model_exits_total", model="a", reason="evicted") == 1
    assert value(found, "llamaswap_model_exits_total", model="dies", reason="model_start_failed") == 1
    assert value(found, "llamaswap_refusals_total", model="dies", code="model_start_failed") == 1
    assert value(found, "llamaswap_model_state", model="dies", state="failed") == 1
    assert value(found, "llamaswap_swap_seconds_total", model="b") > 0
    assert value(found, "llamaswap_process_memory_bytes", process="proxy") > 10_000_000
    assert not any("nobody-knows-me" in str(key) for key in found)


def test_both_formats_are_valid_and_name_only_what_is_documented(program: Program) -> None:
    ours = {metric.name.removesuffix("_total") for metric in METRICS} | {n.removesuffix("_total") for n in LLAMA_SWAPS}
    with caller(program) as client:
        client.post(CHAT, json=chat_body("a", "one")).raise_for_status()
        for accept in ("", "application/openmetrics-text; version=1.0.0", "text/plain;version=0.0.4;q=0.3"):
            assert {family.name for family in families(client, accept)} <= ours


def test_a_scrape_wakes_no_model_and_keeps_none(tmp_path: Path) -> None:
    with Program(tmp_path, config(model("a", ttl=1), model("b"))) as program, caller(program) as client:
        told(client)
        assert running(program) == {}
        client.post(CHAT, json=chat_body("a", "one")).raise_for_status()
        while running(program):  # it is asked again and again, and is idle all the same
            told(client)
        assert value(told(client), "llamaswap_model_exits_total", model="a", reason="idle") == 1


def test_what_processes_take_is_told_by_name(program: Program) -> None:
    with caller(program) as client:
        client.post(CHAT, json=chat_body("a", "one")).raise_for_status()
        found = client.get("/api/processes").raise_for_status().json()
    assert found["proxy"]["memory_bytes"] > found["keeper"]["memory_bytes"] > 1_000_000
    assert found["models"]["a"]["processes"] >= 1
    assert found["models"]["a"]["memory_bytes"] > 1_000_000


def test_health_tells_how_the_parts_are_to_whoever_asks_for_it(program: Program) -> None:
    with caller(program) as client:
        assert client.get("/health").text == "OK"
        assert (client.get("/ready").text, client.get("/health", params={"ready": ""}).text) == ("OK", "OK")
        client.post(CHAT, json=chat_body("a", "one")).raise_for_status()
        by_word = client.get("/health", params={"full": ""}).json()
        assert by_word["status"] == "ok"
        client.post(CHAT, json=chat_body("dies", "one"))
        by_header = client.get("/health", headers={"Accept": "application/json"})
    told = by_header.json()
    assert (by_header.status_code, told["status"], told["ready"]) == (200, "degraded", True)
    assert datetime.fromisoformat(told["timestamp"]).tzinfo is not None
    assert told["components"]["records"] == {"status": "ok", "lost": 0}
    assert told["components"]["models"]["failed"] == told["components"]["models"]["unusable"] == 1
    assert "dies" not in by_header.text
