"""A stand-in for NVIDIA's library, in the shape of `pynvml`. What it says stands in the file that $FAKE_NVML names.

{"hang": true}, {"error": 9}, {"cards": [{"name": …, "lost": true, "errors": {"nvmlDeviceGetFanSpeed": 3}, …}]}
"""

# ruff: noqa: N802, N816 - the library's own names
from __future__ import annotations

import contextlib
import json
import os
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

NVML_ERROR_UNINITIALIZED = 1
NVML_ERROR_NOT_SUPPORTED = 3
NVML_ERROR_DRIVER_NOT_LOADED = 9
NVML_ERROR_TIMEOUT = 10
NVML_ERROR_IRQ_ISSUE = 11
NVML_ERROR_GPU_IS_LOST = 15
NVML_ERROR_RESET_REQUIRED = 16
NVML_ERROR_UNKNOWN = 999
nvmlMemory_v2 = 0x2000028


SEEN: dict[str, int] = {}


class NVMLError(Exception):
    def __init__(self, value: int) -> None:
        super().__init__(f"NVML error {value}")
        self.value = value


def told() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(Path(os.environ["FAKE_NVML"]).read_text("utf-8"))
    if found.get("hang"):
        threading.Event().wait()
    if "error" in found:
        raise NVMLError(found["error"])
    return found


def nvmlInit() -> None:
    told()


def nvmlSystemGetDriverVersion() -> Any:
    return told().get("driver", "550.54.15")


def nvmlSystemGetCudaDriverVersion_v2() -> Any:
    return told().get("cuda", 12040)


def nvmlDeviceGetCount() -> int:
    return len(told().get("cards", []))


def nvmlDeviceGetHandleByIndex(index: int) -> int:
    asked(index, "nvmlDeviceGetHandleByIndex", None)
    return index


def asked(index: int, question: str, key: str | None, default: Any = None) -> Any:
    card = told()["cards"][index]
    if card.get("lost"):
        raise NVMLError(NVML_ERROR_GPU_IS_LOST)
    if question in card.get("errors", {}):
        raise NVMLError(card["errors"][question])
    if key is None:
        return None
    if key not in card and default is None:
        raise NVMLError(NVML_ERROR_NOT_SUPPORTED)
    return card.get(key, default)


def nvmlDeviceGetName(handle: int) -> Any:
    return asked(handle, "nvmlDeviceGetName", "name")


def nvmlDeviceGetUUID(handle: int) -> Any:
    return asked(handle, "nvmlDeviceGetUUID", "uuid")


def nvmlDeviceGetArchitecture(handle: int) -> Any:
    return asked(handle, "nvmlDeviceGetArchitecture", "architecture")


def nvmlDeviceGetUtilizationRates(handle: int) -> Any:
    return SimpleNamespace(gpu=asked(handle, "nvmlDeviceGetUtilizationRates", "utilisation"), memory=1)


def nvmlDeviceGetTemperature(handle: int, sensor: int) -> Any:
    return asked(handle, "nvmlDeviceGetTemperature", "temperature")


def nvmlDeviceGetFieldValues(handle: int, fields: list[int]) -> Any:
    value = asked(handle, "nvmlDeviceGetFieldValues", "vram_temperature")
    return [SimpleNamespace(nvmlReturn=0, value=SimpleNamespace(uiVal=value))]


def nvmlDeviceGetPowerUsage(handle: int) -> Any:
    return asked(handle, "nvmlDeviceGetPowerUsage", "power_mw")


def nvmlDeviceGetEnforcedPowerLimit(handle: int) -> Any:
    return asked(handle, "nvmlDeviceGetEnforcedPowerLimit", "power_limit_mw")


def nvmlDeviceGetFanSpeed(handle: int) -> Any:
    return asked(handle, "nvmlDeviceGetFanSpeed", "fan")


def nvmlDeviceGetMemoryInfo(handle: int, version: int | None = None) -> Any:
    used, total = asked(handle, "nvmlDeviceGetMemoryInfo", "memory")
    return SimpleNamespace(used=used, total=total, free=total - used)


def named(words: str, size: int) -> dict[str, int]:
    """Those whose command contains the words. With `linger` they are listed on when they have ended."""
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            if words in path.read_bytes().replace(b"\0", b" ").decode("utf-8", "replace"):
                SEEN[path.parent.name] = size
    return {pid: size for pid, size in SEEN.items() if told().get("linger") or Path(f"/proc/{pid}").exists()}


def nvmlDeviceGetComputeRunningProcesses(handle: int) -> Any:
    found = asked(handle, "nvmlDeviceGetComputeRunningProcesses", "processes", {})
    if "processes_named" in told():
        found = named(*told()["processes_named"])
    return [SimpleNamespace(pid=int(pid), usedGpuMemory=size) for pid, size in found.items()]


def nvmlDeviceGetGraphicsRunningProcesses(handle: int) -> Any:
    return []
