"""What is made of NVML's answers, by a stand-in in its shape."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from llamaswap_py.observe.gpu.nvidia import Nvidia
from tests.fakes.nvml import pynvml

GIB = 2**30
CARD = {
    "name": b"NVIDIA A100",
    "uuid": "GPU-1",
    "architecture": 7,
    "utilisation": 71,
    "temperature": 55,
    "vram_temperature": 60,
    "power_mw": 250_500,
    "power_limit_mw": 400_000,
    "fan": 30,
    "memory": [10 * GIB, 80 * GIB],
    "processes": {"42": 9 * GIB},
}
Tell = Callable[..., None]


@pytest.fixture
def tell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tell:
    path = tmp_path / "nvml.json"
    monkeypatch.setenv("FAKE_NVML", str(path))

    def write(*cards: dict[str, Any], **more: Any) -> None:
        text = json.dumps({"cards": cards, **more}, default=bytes.decode)
        path.write_text(text)

    return write


def test_a_card_that_tells_everything(tell: Tell) -> None:
    tell(CARD)
    told = Nvidia(pynvml).look()
    assert (told["driver_version"], told["cuda_version"], told["lost"]) == ("550.54.15", "12.4", [])
    assert told["cards"] == [
        {
            "index": 0, "name": "NVIDIA A100", "vendor": "NVIDIA", "uuid": "GPU-1", "architecture": "ampere",
            "utilisation": 71, "temperature": 55, "vram_temperature": 60, "power": 250.5, "power_limit": 400.0,
            "fan": 30, "memory_used": 10 * GIB, "memory_total": 80 * GIB, "memory_free": 70 * GIB,
            "memory_kind": "dedicated", "processes": {42: 9 * GIB}, "driver": "nvidia", "driver_version": "550.54.15",
        }
    ]  # fmt: skip


def test_what_a_card_does_not_support_is_not_known(tell: Tell) -> None:
    """Nobody's fan, nobody's memory, nobody's processes: the rest is told."""
    tell({"name": "Small", "uuid": "GPU-2", "errors": {"nvmlDeviceGetComputeRunningProcesses": 4}})
    (card,) = Nvidia(pynvml).look()["cards"]
    assert card["name"] == "Small"
    assert {card[each] for each in ("utilisation", "fan", "power", "temperature", "processes", "architecture")} == {
        None
    }
    assert "memory_total" not in card


def test_a_card_that_is_lost_does_not_take_the_others_with_it(tell: Tell) -> None:
    tell(CARD, {"lost": True}, {**CARD, "uuid": "GPU-3", "errors": {"nvmlDeviceGetTemperature": 15}})
    told = Nvidia(pynvml).look()
    assert [card["uuid"] for card in told["cards"]] == ["GPU-1"]
    assert told["lost"] == [{"index": 1, "why": "NVML error 15"}, {"index": 2, "why": "NVML error 15"}]


def test_no_driver_is_an_error_of_the_whole(tell: Tell) -> None:
    tell(error=pynvml.NVML_ERROR_DRIVER_NOT_LOADED)
    with pytest.raises(pynvml.NVMLError):
        Nvidia(pynvml)


def test_processes_whose_memory_the_driver_hides_are_not_told(tell: Tell) -> None:
    tell({**CARD, "processes": {"42": None}})
    assert Nvidia(pynvml).look()["cards"][0]["processes"] is None


def test_the_real_library_has_this_shape() -> None:
    """Where there is no driver, it says so by the exception that is expected."""
    real = pytest.importorskip("pynvml")
    asked = {name for name in dir(pynvml) if name.startswith("nvml") and callable(getattr(pynvml, name))}
    assert asked <= set(dir(real))
    assert all(getattr(real, name) == getattr(pynvml, name) for name in dir(pynvml) if name.startswith("NVML_ERROR_"))
    assert real.NVML_FI_DEV_MEMORY_TEMP == 82
    told: dict[str, Any] = {}
    with contextlib.suppress(real.NVMLError):
        told = Nvidia(real).look()
    assert all(card["uuid"] for card in told.get("cards", ()))
