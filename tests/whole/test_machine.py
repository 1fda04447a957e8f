"""The small doors of the running program: profiles, measurements, hardware, version, and where a browser is led."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator

import httpx
import pytest

from tests.whole.asking import caller, openai_shape
from tests.whole.following import follow
from tests.whole.program import LONG, Program, config, model

PROFILES = """profiles:
  night: {description: 'after ten', pins: {big: one, off: ''}}
  day: {pins: {big: two}}
"""
MODELS = config(model("one"), model("two"), logTimeFormat="rfc3339")
TEXT = MODELS + PROFILES


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    with Program(tmp_path_factory.mktemp("machine"), TEXT) as started:
        yield started


@pytest.fixture
def ask(program: Program) -> Iterator[httpx.Client]:
    """No profile is active when a test begins."""
    with caller(program) as client:
        client.put("/api/profiles/active", json={"name": None}).raise_for_status()
        yield client


def test_profiles_are_listed_and_one_is_made_active(program: Program, ask: httpx.Client) -> None:
    """Pages hear of it; so does the log."""
    with follow(program) as page:
        page.opening()
        assert ask.put("/api/profiles/active", content=b'{"name":"night"}').json() == {"active": "night"}
        assert page.until("profileChanged").data == {"active": "night"}
    program.wait_for("profile night is active")
    assert ask.get("/api/profiles").json() == {
        "active": "night",
        "profiles": [
            {"id": "day", "description": "", "pins": {"big": "two"}},
            {"id": "night", "description": "after ten", "pins": {"big": "one", "off": ""}},
        ],
    }


def test_a_profile_that_is_not_there_is_refused(ask: httpx.Client) -> None:
    response = ask.put("/api/profiles/active", json={"name": "dawn"})
    assert response.status_code == 404
    assert openai_shape(response)[1] == 'profile "dawn" not found'
    assert ask.put("/api/profiles/active", json={}).status_code == 400


def test_who_asks_before_sending_the_choice_is_told_to_go_on(program: Program) -> None:
    url = httpx.URL(program.url)
    with socket.create_connection((url.host, url.port or 0), LONG) as connection:
        head = b"PUT /api/profiles/active HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\n"
        connection.sendall(head + b"Content-Length: 13\r\n\r\n")
        assert connection.recv(25, socket.MSG_WAITALL) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(b'{"name":null}')
        assert connection.recv(12, socket.MSG_WAITALL) == b"HTTP/1.1 200"


def test_the_active_profile_outlives_a_reload_but_not_its_own_end(program: Program, ask: httpx.Client) -> None:
    ask.put("/api/profiles/active", json={"name": "night"}).raise_for_status()
    program.edit(TEXT.replace("after ten", "late"))
    assert ask.get("/api/profiles").json()["active"] == "night"
    with follow(program) as page:
        page.opening()
        program.edit(MODELS)
        assert page.until("profileChanged").data == {"active": None}
    assert ask.get("/api/profiles").json() == {"active": None, "profiles": []}
    program.edit(TEXT)


def test_measurements(ask: httpx.Client) -> None:
    """Null where nothing was measured yet, an empty list where nothing is new."""
    told = ask.get("/api/performance").json()
    assert set(told) == {"enabled", "gpu_stats", "sys_stats"}
    assert ask.get("/api/performance", params={"after": "2999-01-01T00:00:00Z"}).json()["sys_stats"] == []
    refused = ask.get("/api/performance", params={"after": "yesterday"})
    assert openai_shape(refused)[1] == "invalid 'after' timestamp, use RFC3339 format"
    metrics = ask.get("/metrics")
    assert metrics.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"


def test_measuring_can_be_switched_off(program: Program, ask: httpx.Client) -> None:
    """Also while the program runs."""
    program.edit(TEXT + "performance: {disabled: true}\n")
    response = ask.get("/api/performance")
    assert (response.status_code, response.json()) == (503, {"enabled": False})
    assert ask.get("/metrics").text == "# performance monitor not available"
    program.edit(TEXT)


def test_hardware_and_version(ask: httpx.Client) -> None:
    assert ask.get("/api/hardware").json()["schema_version"] == 1
    assert set(ask.get("/api/version").json()) == {"build_date", "commit", "version"}


def test_where_a_browser_is_led(ask: httpx.Client) -> None:
    assert ask.get("/wol-health").text == "OK"
    root = ask.get("/", headers={"Host": "evil.example"})
    assert (root.status_code, root.headers["Location"]) == (302, "/ui")
    assert ask.get("/favicon.ico").status_code == 404
    logs = ask.get("/logs", headers={"Accept": "text/html,*/*"})
    assert (logs.status_code, logs.headers["Location"]) == (302, "/ui/")
    assert ask.get("/logs").status_code == 200


def test_log_lines_carry_the_time_that_is_asked_for(program: Program) -> None:
    line = program.wait_for("listening on")
    assert re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d) \[INFO\] llamaswap listening", line)


CONTROL = [
    ("GET", "/api/profiles"), ("PUT", "/api/profiles/active"), ("GET", "/api/performance"), ("GET", "/metrics"),
    ("GET", "/api/hardware"), ("GET", "/api/version"), ("GET", "/api/events"),
]  # fmt: skip


@pytest.mark.parametrize(
    "stranger", [{"Host": "evil.example"}, {"Origin": "http://evil.example"}, {"Sec-Fetch-Site": "cross-site"}]
)
@pytest.mark.parametrize("door", CONTROL, ids=" ".join)
def test_a_page_of_another_site_learns_and_changes_nothing(
    ask: httpx.Client, door: tuple[str, str], stranger: dict[str, str]
) -> None:
    response = ask.request(*door, headers=stranger, content=b'{"name":"night"}')
    assert response.status_code == 403
    assert ask.get("/api/profiles").json()["active"] is None
