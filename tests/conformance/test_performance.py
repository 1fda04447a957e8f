"""Section 8: figures of the machine."""

from __future__ import annotations

import re
from collections.abc import Iterator

import httpx
import pytest

from tests.conformance.scene import mirror
from tests.whole.asking import caller, openai_shape
from tests.whole.program import Program, config

SAMPLE = {
    "timestamp", "cpu_util_per_core", "mem_total_mb", "mem_used_mb", "mem_free_mb", "swap_total_mb", "swap_used_mb",
    "load_avg_1", "load_avg_5", "load_avg_15", "net_io",
}  # fmt: skip


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    with Program(tmp_path_factory.mktemp("performance"), config(mirror("alpha")), watch=False) as started:
        yield started


@pytest.fixture(scope="module")
def disabled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    text = config(mirror("alpha")) + "performance: {disabled: true}\n"
    with Program(tmp_path_factory.mktemp("disabled"), text, watch=False) as started:
        yield started


def test_the_frame(ask: httpx.Client) -> None:
    """Whether it is measured, and two series, or null where there is nothing yet."""
    told = ask.get("/api/performance").raise_for_status().json()
    assert set(told) == {"enabled", "gpu_stats", "sys_stats"}
    assert told["enabled"] is True
    for series in (told["gpu_stats"], told["sys_stats"]):
        assert series is None or isinstance(series, list)
    for sample in told["sys_stats"] or []:
        assert sample.keys() >= SAMPLE


def test_only_what_is_newer(ask: httpx.Client) -> None:
    """With `after`, nothing is an empty list."""
    told = ask.get("/api/performance?after=2100-01-01T00:00:00Z").raise_for_status().json()
    assert (told["gpu_stats"], told["sys_stats"]) == ([], [])


@pytest.mark.parametrize("after", ["yesterday", "12", "2026-01-01"])
def test_a_time_that_is_none(ask: httpx.Client, after: str) -> None:
    """400."""
    response = ask.get(f"/api/performance?after={after}")
    assert response.status_code == 400
    assert "after" in openai_shape(response)[1]


def test_when_it_is_switched_off(disabled: Program) -> None:
    """503, and it says so."""
    with caller(disabled) as ask:
        response = ask.get("/api/performance")
    assert (response.status_code, response.json()) == (503, {"enabled": False})


def test_the_hardware(ask: httpx.Client) -> None:
    """What the machine is, or 503 if it cannot be found out."""
    response = ask.get("/api/hardware")
    if response.status_code == 503:
        openai_shape(response)
        return
    told = response.raise_for_status().json()
    assert told["schema_version"] == 1
    assert told["capture"]["scope"] == "inference_host"
    assert told["architecture"]["name"] in ("x86_64", "arm64", "armv7", "ppc64le", "riscv64", "s390x", "other")
    assert told["operating_system"]["family"] in ("linux", "macos", "windows", "freebsd", "other")
    assert told["environment"]["kind"] in ("native", "container", "virtual_machine", "wsl", "other", "unknown")
    assert {"vendor", "model", "socket_count", "physical_core_count", "logical_thread_count"} <= told["cpu"].keys()
    assert told["memory"]["capacity_bytes"] > 0
    assert isinstance(told["accelerators"], list)


def test_metrics_for_a_collector(ask: httpx.Client) -> None:
    """In Prometheus's text format."""
    response = ask.get("/metrics").raise_for_status()
    assert response.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    for line in response.text.splitlines():
        assert re.match(r"#|[a-z_]+(\{.*\})? \S+$", line), line


def test_metrics_when_it_is_switched_off(disabled: Program) -> None:
    """503 with a comment."""
    with caller(disabled) as ask:
        response = ask.get("/metrics")
    assert (response.status_code, response.text.strip()) == (503, "# performance monitor not available")
