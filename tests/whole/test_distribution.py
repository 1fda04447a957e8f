"""Presets and flags written into the configuration of the running program."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from llamaswap_py.server.shapes import overview
from tests.fakes.tiny_gguf import Tiny
from tests.whole.asking import caller, openai_shape, running
from tests.whole.program import Program, config, model
from tests.whole.talk import CHAT, chat_body
from tests.whole.test_gpus import FAKE

GIB = 2**30
CARDS = [
    {"name": "Large", "uuid": "GPU-1", "memory": [GIB, 24 * GIB]},
    {"name": "Small", "uuid": "GPU-2", "memory": [GIB, 8 * GIB]},
]
WEIGHTS, CONFIGURE = "/api/dashboard/weight-distribution", "/api/dashboard/configure"


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Program]:
    file = Tiny().write(tmp_path / "tiny.gguf")
    (tmp_path / "nvml.json").write_text(json.dumps({"cards": CARDS}))
    env = {"FAKE_NVML": str(tmp_path / "nvml.json"), "PYTHONPATH": str(FAKE)}
    text = "# mine\n" + config(model("a", f"-m {file} -c 4096", aliases="[little]"), model("other"))
    with Program(tmp_path, text + "performance: {gpus: nvidia}\n", watch=False, env=env) as started:
        yield started


@pytest.fixture
def ask(program: Program) -> Iterator[httpx.Client]:
    with caller(program) as client:
        while not client.get(WEIGHTS).json()["present"]:
            pass
        yield client


def post(ask: httpx.Client, path: str, **body: Any) -> dict[str, Any]:
    told: dict[str, Any] = ask.post(path, json=body).raise_for_status().json()
    return told


def of_a(ask: httpx.Client) -> dict[str, Any]:
    found: dict[str, Any] = next(row for row in ask.get(WEIGHTS).json()["models"] if row["model_name"] == "a")
    return found


def test_a_preset_is_tried_and_then_written_by_the_cards_there_are(program: Program, ask: httpx.Client) -> None:
    """The model is started anew with it; the version before is in the history."""
    ask.post(CHAT, json=chat_body("a", "one")).raise_for_status()
    first, before = running(program)["a"]["pid"], program.path.read_text()
    shown = ask.get(WEIGHTS).json()
    assert msgspec.convert(shown, overview.Distribution) == shown
    cards = ask.get("/api/metrics/gpu").json()
    assert msgspec.convert(cards, overview.Gpus) == cards
    assert (cards["total_memory_available"], cards["driver_version"], cards["cuda_version"]) == (
        32768,
        "550.54.15",
        "12.4",
    )
    assert [card["share_percent"] for card in shown["gpus"]] == [75.0, 25.0]
    wanted = of_a(ask)["presets"]["balanced"]
    assert wanted == {"tensor_split": "0.75,0.25", "gpu_layers": 999, "batch_size": 1024}

    tried = post(ask, WEIGHTS, preset="balanced", model_name="little", preview=True)
    assert (tried["applied"], tried["files"][0]["accepted"], program.path.read_text()) == (False, True, before)
    assert tried["files"][0]["restarted"] == {"a": ["cmd"]}

    told = post(ask, WEIGHTS, preset="balanced", model_name="little")
    (change,) = told["changes"]
    unset = {"tensor_split": None, "gpu_layers": None, "context_size": 4096, "batch_size": None}
    assert (told["applied"], change) == (True, {"model": "a", "before": unset, "after": wanted})
    assert program.path.read_text() == tried["files"][0]["text"]
    assert told["files"][0]["reload"]["state"] == "loaded"
    assert {name: of_a(ask)[name] for name in wanted} == wanted
    assert len(ask.get("/api/config/history").json()["versions"]) == 2
    ask.post(CHAT, json=chat_body("a", "one")).raise_for_status()
    assert running(program)["a"]["pid"] != first
    again = post(ask, WEIGHTS, preset="balanced", model_name="a")
    assert (again["applied"], again["unchanged"], again["changes"]) == (False, ["a"], [])


def test_flags_are_set_for_all_that_have_a_file_where_none_is_named(program: Program, ask: httpx.Client) -> None:
    told = post(ask, CONFIGURE, tensor_split="0.5,0.5", gpu_layers=20, context_size=2048, batch_size=256)
    assert [change["model"] for change in told["changes"]] == ["a"]
    line = next(line for line in program.path.read_text().splitlines() if "tiny.gguf" in line)
    assert line.endswith("-c 2048 --tensor-split 0.5,0.5 --n-gpu-layers 20 --batch-size 256")
    assert (of_a(ask)["context_size"], of_a(ask)["gpu_layers"]) == (2048, 20)


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        (CONFIGURE, {}, 400),
        (CONFIGURE, {"gpu_layers": -5}, 400),
        (CONFIGURE, {"batch_size": 0}, 400),
        (CONFIGURE, {"tensor_split": "a lot"}, 400),
        (CONFIGURE, {"tensor_split": "1,1,1"}, 400),
        (CONFIGURE, {"layers": 5}, 400),
        (CONFIGURE, {"gpu_layers": 5, "model_name": "nobody"}, 404),
        (WEIGHTS, {"preset": "fast"}, 400),
        (WEIGHTS, {}, 400),
    ],
)
def test_what_cannot_be_meant_is_refused_and_nothing_is_written(
    shared: Program, path: str, body: dict[str, Any], status: int
) -> None:
    before = shared.path.read_text()
    with caller(shared) as client:
        answer = client.post(path, json=body)
    assert answer.status_code == status
    assert openai_shape(answer)[1]
    assert shared.path.read_text() == before


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    folder = tmp_path_factory.mktemp("shared")
    (folder / "nvml.json").write_text(json.dumps({"cards": CARDS}))
    env = {"FAKE_NVML": str(folder / "nvml.json"), "PYTHONPATH": str(FAKE)}
    with Program(folder, config(model("a")) + "performance: {gpus: nvidia}\n", env=env) as started:
        with caller(started) as client:
            while not client.get(WEIGHTS).json()["present"]:
                pass
        yield started
