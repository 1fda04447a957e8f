"""Apple's GPUs, by what its tools write."""

from __future__ import annotations

import plistlib
from collections.abc import Sequence
from typing import Any

import pytest

from llamaswap_py.observe.gpu.apple import IOREG, Apple, power_of

GIB = 2**30
AGX = {
    "IOClass": "AGXAcceleratorG13X",
    "CFBundleIdentifier": "com.apple.AGXG13X",
    "model": "Apple M1 Max",
    "gpu-core-count": 32,
    "PerformanceStatistics": {
        "Device Utilization %": 12,
        "Renderer Utilization %": 11,
        "In use system memory": 9 * GIB,
        "Alloc system memory": 11 * GIB,
    },
}
RADEON = {
    "IOClass": "AMDRadeonX6000_AMDNavi21GraphicsAccelerator",
    "model": b"AMD Radeon Pro W6800X\0",
    "VRAM,totalMB": 32768,
    "PerformanceStatistics": {
        "Device Utilization %": 3, "vramUsedBytes": GIB, "Temperature(C)": 40, "Total Power(W)": 21, "Fan Speed(%)": 9,
    },
}  # fmt: skip


def tools(accelerators: Any, power: Any = None) -> Any:
    def run(command: Sequence[str]) -> bytes:
        return plistlib.dumps(accelerators) if command == IOREG else plistlib.dumps(power) + b"\0"

    return run


def test_the_processor_s_own() -> None:
    """Its memory is the machine's. Its temperature and its fans are not told to anybody."""
    (card,) = Apple(tools([AGX]), lambda: 64 * GIB, root=False).look()["cards"]
    assert card == {
        "index": 0, "name": "Apple M1 Max", "vendor": "Apple", "driver": "com.apple.AGXG13X", "utilisation": 12,
        "temperature": None, "power": None, "fan": None, "memory_total": 64 * GIB, "memory_kind": "unified",
        "memory_used": 9 * GIB, "architecture": "32 cores",
    }  # fmt: skip


def test_its_power_is_told_to_the_superuser() -> None:
    (card,) = Apple(tools([AGX], {"processor": {"gpu_power": 4321.0}}), lambda: 1, root=True).look()["cards"]
    assert card["power"] == 4.321


def test_a_card_in_an_older_mac() -> None:
    (card,) = Apple(tools([RADEON]), lambda: 64 * GIB, root=True).look()["cards"]
    assert (card["name"], card["vendor"], card["memory_kind"]) == ("AMD Radeon Pro W6800X", "AMD", "dedicated")
    assert (card["memory_used"], card["memory_total"]) == (GIB, 32 * GIB)
    assert (card["temperature"], card["power"], card["fan"]) == (40, 21, 9)


@pytest.mark.parametrize("output", [b"", b"not a list", b"<plist><dict>"])
def test_nonsense_is_no_card(output: bytes) -> None:
    assert Apple(lambda _: output, root=False).look()["cards"] == []


def test_a_machine_without_any() -> None:
    assert Apple(tools([]), root=True).look()["cards"] == []


@pytest.mark.parametrize(
    ("told", "power"),
    [
        (None, None),
        ({}, None),
        ({"processor": {"gpu_energy": 500}, "elapsed_ns": 250_000_000}, 2.0),
        ({"processor": {"gpu_energy": 500}}, None),
    ],
)
def test_power(told: Any, power: float | None) -> None:
    assert power_of(told) == power
