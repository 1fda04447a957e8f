"""The page's types are those of the server, and what the running program says is what they describe."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import msgspec
import pytest

from llamaswap_py.server.shapes import alerts, benchmarks, configuration, downloads, machine, models, overview, requests
from llamaswap_py.server.shapes.events import EVENTS, Refused
from tests.page import types
from tests.whole.asking import caller, chat
from tests.whole.following import follow
from tests.whole.program import Program, config, model

TEXT = config(
    model("one", "--stderr wording", aliases="[eins]", ttl="600", seats="1"),
    model("two", capabilities="{in: [text, image], out: [text], tools: true, context: 4096}"),
    model("stillborn", "--exit --exit-code 7 --stderr 'no memory left'"),
    "peers:\n  far:\n    proxy: http://127.0.0.1:9\n    models: [there]\nprofiles:\n  night:\n    pins: {one: two}\n",
    globalTTL=1200,
)


def test_the_types_of_the_page_are_up_to_date() -> None:
    """If not: `python -m tests.page.types`."""
    assert types.FILE.read_text("utf-8") == types.written()


def fits(shape: Any, said: Any) -> bool:
    """Exactly: nothing is missing, of another type, or there without being described."""
    return bool(msgspec.convert(said, shape) == said)


@pytest.mark.parametrize(
    ("shape", "said"),
    [
        (machine.Version, {"version": "1", "commit": "c", "build_date": "d", "more": 1}),
        (configuration.Profiles, {"active": None, "profiles": [{"id": "a", "description": "", "pins": {}, "more": 1}]}),
    ],
)
def test_what_is_not_described_is_noticed(shape: Any, said: Any) -> None:
    assert not fits(shape, said)


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    """It has loaded, answered, evicted and failed."""
    with Program(tmp_path_factory.mktemp("types"), TEXT) as started:
        assert chat(started, "one", "hello").status_code == 200
        assert chat(started, "two", "hello").status_code == 200
        assert chat(started, "stillborn", "hello").status_code == 502
        yield started


@pytest.fixture
def ask(program: Program) -> Iterator[httpx.Client]:
    with caller(program) as client:
        yield client


@pytest.mark.parametrize(
    ("path", "shape"),
    [
        ("/running", models.Running),
        ("/api/metrics/activity", requests.ActivityPage),
        ("/api/metrics/spreads", requests.Spreads),
        ("/api/metrics/stats", requests.Stats),
        ("/api/captures/1", requests.Capture),
        ("/api/profiles", configuration.Profiles),
        ("/api/config/files", configuration.ConfigFiles),
        ("/api/config/text", configuration.ConfigText),
        ("/api/config/history", configuration.ConfigHistory),
        ("/api/config/candidates", configuration.ConfigCandidates),
        ("/api/pulls", downloads.Pulls),
        ("/api/alerts", alerts.Alerts),
        ("/api/benchmarks", benchmarks.Benchmarks),
        ("/api/processes", machine.Processes),
        ("/api/version", machine.Version),
        ("/api/metrics/dashboard", overview.Dashboard),
        ("/api/metrics/gpu", overview.Gpus),
        ("/api/metrics/apis", overview.Families),
        ("/api/metrics/optimization", overview.Optimization),
        ("/api/dashboard/weight-distribution", overview.Distribution),
        ("/api/status", overview.ServerStatus),
        ("/api/info", overview.Info),
    ],
)
def test_routes_say_what_is_described(ask: httpx.Client, path: str, shape: Any) -> None:
    assert fits(shape, ask.get(path).raise_for_status().json())


def test_verdicts_and_refusals_are_as_described(ask: httpx.Client) -> None:
    for text in (TEXT, "models:\n  a: {cmd: x}\n  b: {cmd: x, ttl: soon}\n", "startPort: -1\n"):
        assert fits(configuration.Verdict, ask.post("/api/config/check", content=text).json())
        assert fits(configuration.Diff, ask.post("/api/config/diff", content=text).json())
    assert fits(Refused, ask.post("/api/models/load/nobody").json())
    assert fits(models.Ordered, ask.post("/api/models/pin/one").raise_for_status().json())
    assert fits(models.Ordered, ask.post("/api/models/unpin/one").raise_for_status().json())


def test_events_are_as_described(program: Program, ask: httpx.Client) -> None:
    """Those of the opening, of a load with a swap, a failure, a request and a change of profile."""
    with follow(program) as page:
        page.opening()
        ask.post("/api/models/reset/stillborn").raise_for_status()
        ask.post("/api/models/load/one").raise_for_status()
        chat(program, "stillborn", "hello")
        chat(program, "two", "hello")
        page.until("activity")
        page.until("standings", lambda data: any(row["state"] == "ready" for row in data["rows"]))
        ask.put("/api/profiles/active", json={"name": "night"}).raise_for_status()
        page.until("profileChanged")
        ask.post("/api/alerts/disk_usage/silence", json={"for": 60}).raise_for_status()
        page.until("alerts", lambda data: any(rule["silence"] for rule in data["rules"]))
        page.until("glance", lambda data: data["health"] is not None)
    unlike = [heard for heard in page.heard if not fits(EVENTS[heard.type], heard.data)]
    assert unlike == []
    assert {"standings", "rules", "swap", "inflight", "activity"} <= {heard.type for heard in page.heard}
