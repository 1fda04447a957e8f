"""Apple's GPUs, and those in older Macs: what `ioreg` tells anybody, and `powermetrics` the superuser."""

from __future__ import annotations

import os
import plistlib
import subprocess
import sys
from collections.abc import Callable, Sequence
from typing import Any
from xml.parsers.expat import ExpatError

IOREG = ("/usr/sbin/ioreg", "-r", "-d", "1", "-w", "0", "-c", "IOAccelerator", "-a")
POWERMETRICS = ("/usr/bin/powermetrics", "--samplers", "cpu_power,gpu_power", "-n", "1", "-i", "200", "-f", "plist")
MIB = 1024 * 1024

Run = Callable[[Sequence[str]], bytes]


def run(command: Sequence[str]) -> bytes:
    return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=True).stdout


class Apple:
    """`memory`: what the machine has, which is the card's too."""

    def __init__(self, run: Run = run, memory: Callable[[], int | None] | None = None, *, root: bool | None = None):
        self.run = run
        self.memory = memory or physical_memory
        self.root = is_superuser() if root is None else root

    def look(self) -> dict[str, Any]:
        found = parsed(self.run(IOREG)) or []
        cards = [self.card(index, each) for index, each in enumerate(found) if isinstance(each, dict)]
        if self.root and len(cards) == 1 and cards[0]["vendor"] == "Apple":
            cards[0] |= {"power": power_of(parsed(self.run(POWERMETRICS)))}
        return {"driver_version": None, "cards": cards, "lost": []}

    def card(self, index: int, told: dict[str, Any]) -> dict[str, Any]:
        figures = told.get("PerformanceStatistics") or {}
        kind = str(told.get("IOClass") or told.get("IOObjectClass") or "")
        own = kind.startswith("AGX")
        name = told.get("model")
        known = {
            "index": index,
            "name": name.decode("utf-8", "replace").rstrip("\0") if isinstance(name, bytes) else name or kind,
            "vendor": "Apple" if own else vendor_of(kind),
            "driver": str(told.get("CFBundleIdentifier") or kind) or None,
            "utilisation": figures.get("Device Utilization %", figures.get("GPU Activity(%)")),
            "temperature": figures.get("Temperature(C)"),
            "power": figures.get("Total Power(W)"),
            "fan": figures.get("Fan Speed(%)"),
        }
        if own:
            cores = told.get("gpu-core-count")
            shared = {"memory_total": self.memory(), "memory_kind": "unified"}
            architecture = f"{cores} cores" if cores else None
            return known | shared | {"memory_used": figures.get("In use system memory"), "architecture": architecture}
        size = told.get("VRAM,totalMB")
        dedicated = {"memory_total": size * MIB if isinstance(size, int) else None, "memory_kind": "dedicated"}
        return known | dedicated | {"memory_used": figures.get("vramUsedBytes")}


def parsed(text: bytes) -> Any:
    """None where it is no property list."""
    try:
        return plistlib.loads(text.rstrip(b"\0\n"))
    except (ValueError, ExpatError, plistlib.InvalidFileException):
        return None


def power_of(told: Any) -> float | None:
    """Newer systems say it; older ones the energy, and how long that took."""
    if not isinstance(told, dict):
        return None
    figures = told.get("processor") or {}
    power, energy, taken = figures.get("gpu_power"), figures.get("gpu_energy"), told.get("elapsed_ns")
    if power is not None:
        return float(power) / 1000
    return float(energy) / (taken / 1e6) if energy is not None and taken else None


def vendor_of(kind: str) -> str:
    return next((name for name in ("AMD", "Intel", "NVIDIA") if kind.upper().startswith(name.upper())), kind)


def physical_memory() -> int | None:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") if sys.platform != "win32" else None


def is_superuser() -> bool:
    return sys.platform != "win32" and os.geteuid() == 0
