"""Cards beside the running program, by a stand-in for the driver's library: its figures, and its faults."""

from __future__ import annotations

import json
import os
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.whole.asking import caller
from tests.whole.program import LONG, Program, config, model
from tests.whole.talk import CHAT, chat_body

FAKE = Path(__file__).resolve().parents[1] / "fakes" / "nvml"
GIB = 2**30
NAME = f"card-{os.getpid()}"  # nobody else's servers are named so
CARD = {"name": "Fake", "uuid": "GPU-1", "memory": [2 * GIB, 8 * GIB], "temperature": 44, "power_limit_mw": 300_000}
SETTINGS = "performance: {every: 5, gpus: nvidia}\n"
Tell = Callable[..., None]

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the stand-in finds processes under /proc")


@pytest.fixture
def tell(tmp_path: Path) -> Tell:
    def write(**told: Any) -> None:
        new = tmp_path / "nvml.new"
        new.write_text(json.dumps({"cards": [CARD], "processes_named": [f"--alias {NAME}", GIB], **told}))
        new.replace(tmp_path / "nvml.json")

    return write


@pytest.fixture
def ask(tmp_path: Path, tell: Tell) -> Iterator[httpx.Client]:
    tell()
    env = {"FAKE_NVML": str(tmp_path / "nvml.json"), "PYTHONPATH": str(FAKE)}
    text = config(model(NAME), model("other")) + SETTINGS
    with Program(tmp_path, text, env=env) as program, caller(program) as client:
        yield client


def until(look: Callable[[], bool]) -> None:
    """Every look is a question to the program."""
    while not look():
        pass


def of_model(client: httpx.Client) -> object:
    return client.get("/api/processes").json()["models"].get(NAME, {}).get("gpu_memory_bytes")


def component(client: httpx.Client) -> dict[str, Any]:
    told: dict[str, Any] = client.get("/health", params={"full": ""}).json()["components"]["gpus"]
    return told


@pytest.mark.fault("F28", "F33")
def test_figures_are_where_they_are_looked_for_and_memory_is_waited_for(ask: httpx.Client, tell: Tell) -> None:
    """The server is gone for its callers when the card has its memory back, and not before."""
    until(lambda: component(ask) == {"status": "ok", "visible": 1})
    ask.post(CHAT, json=chat_body(NAME, "one")).raise_for_status()
    until(lambda: of_model(ask) == GIB)
    (card,) = ask.get("/api/hardware").json()["accelerators"]
    assert card == {
        "index": 0, "kind": "gpu", "vendor": "NVIDIA", "model": "Fake", "architecture": None,
        "memory": {"kind": "dedicated", "capacity_bytes": 8 * GIB}, "power_limit_watts": 300.0,
        "driver": {"name": "nvidia", "version": "550.54.15"},
    }  # fmt: skip
    stats = ask.get("/api/performance").json()["gpu_stats"]
    assert {stat["mem_used_mb"] for stat in stats} == {2048}
    families = list(text_string_to_metric_families(ask.get("/metrics").text))
    told = {(each.name, each.labels.get("uuid")): each.value for family in families for each in family.samples}
    assert told["llamaswap_gpu_temperature_celsius", "GPU-1"] == 44
    assert told["llamaswap_gpu_memory_free_bytes", "GPU-1"] == 6 * GIB
    assert told["llamaswap_model_gpu_memory_bytes", None] == GIB

    tell(linger=True)
    with_it = threading.Thread(target=ask.get, args=("/unload",))
    with_it.start()
    with httpx.Client(base_url=ask.base_url, trust_env=False, timeout=LONG) as other:
        until(lambda: of_model(other) is None)  # its processes are gone
        assert [row["state"] for row in other.get("/running").json()["running"]] == ["stopping"]
        tell()
        with_it.join()
        assert other.get("/running").json()["running"] == []


@pytest.mark.fault("F35")
def test_a_driver_that_hangs_costs_nobody_anything(ask: httpx.Client, tell: Tell) -> None:
    """Swaps and answers go on; what was known of the card is stale, and says since when."""
    ask.post(CHAT, json=chat_body(NAME, "one")).raise_for_status()
    until(lambda: of_model(ask) == GIB)
    tell(hang=True)
    for name in ("other", NAME) * 3:
        ask.post(CHAT, json=chat_body(name, "one")).raise_for_status()
    until(lambda: component(ask)["status"] == "degraded")
    told = component(ask)
    assert (told["visible"], told["stale"]) == (1, 1)
    assert told["stale_since"].endswith("Z")
    assert of_model(ask) is None
    metrics = ask.get("/metrics").text
    assert "llamaswap_gpu_data_age_seconds{" in metrics
    assert "llamaswap_gpu_temperature_celsius" not in metrics
    assert len(ask.get("/api/hardware").json()["accelerators"]) == 1
