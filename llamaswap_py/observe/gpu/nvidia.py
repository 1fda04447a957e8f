"""NVIDIA's cards, by NVML. `nvml` is the module `pynvml`, or whatever has its shape."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

MEMORY_TEMPERATURE = 82  # NVML_FI_DEV_MEMORY_TEMP
CORE = 0  # the sensor
ARCHITECTURES = {
    2: "kepler", 3: "maxwell", 4: "pascal", 5: "volta", 6: "turing", 7: "ampere", 8: "ada", 9: "hopper",
    10: "blackwell",
}  # fmt: skip
# After these a card answers nothing any more; what others say may still be so.
FATAL = ("GPU_IS_LOST", "RESET_REQUIRED", "UNINITIALIZED", "DRIVER_NOT_LOADED", "TIMEOUT", "IRQ_ISSUE", "UNKNOWN")


class Nvidia:
    def __init__(self, nvml: Any) -> None:
        self.nvml = nvml
        self.fatal = tuple(getattr(nvml, f"NVML_ERROR_{name}", -1) for name in FATAL)
        nvml.nvmlInit()

    def look(self) -> dict[str, Any]:
        """Raises what NVML raises where nothing can be said."""
        nvml = self.nvml
        driver, cuda = self.asked("nvmlSystemGetDriverVersion"), self.asked("nvmlSystemGetCudaDriverVersion_v2")
        about = {"driver_version": text(driver), "cuda_version": version_of(cuda)}
        cards: list[dict[str, Any]] = []
        lost: list[dict[str, Any]] = []
        for index in range(nvml.nvmlDeviceGetCount()):
            try:
                cards.append(self.card(index) | {"driver": "nvidia", "driver_version": text(driver)})
            except nvml.NVMLError as error:
                lost.append({"index": index, "why": str(error)})
        return {**about, "cards": cards, "lost": lost}

    def card(self, index: int) -> dict[str, Any]:
        handle = self.nvml.nvmlDeviceGetHandleByIndex(index)

        def ask(name: str, *more: Any) -> Any:
            return self.asked(name, handle, *more)

        return {
            "index": index,
            "name": text(ask("nvmlDeviceGetName")),
            "vendor": "NVIDIA",
            "uuid": text(ask("nvmlDeviceGetUUID")),
            "architecture": ARCHITECTURES.get(ask("nvmlDeviceGetArchitecture") or 0),
            "utilisation": getattr(ask("nvmlDeviceGetUtilizationRates"), "gpu", None),
            "temperature": ask("nvmlDeviceGetTemperature", CORE),
            "vram_temperature": self.memory_temperature(handle),
            "power": scaled(ask("nvmlDeviceGetPowerUsage"), 1000),
            "power_limit": scaled(ask("nvmlDeviceGetEnforcedPowerLimit"), 1000),
            "fan": ask("nvmlDeviceGetFanSpeed"),
            **self.memory(handle),
            "processes": self.processes(handle),
        }

    def memory(self, handle: Any) -> dict[str, Any]:
        """The newer question tells what the driver keeps for itself apart; old drivers do not know it."""
        version = getattr(self.nvml, "nvmlMemory_v2", None)
        told = self.asked("nvmlDeviceGetMemoryInfo", handle, version) if version else None
        told = told or self.asked("nvmlDeviceGetMemoryInfo", handle)
        if told is None:
            return {}
        kind = {"memory_kind": "dedicated"}
        return {"memory_used": told.used, "memory_total": told.total, "memory_free": told.free, **kind}

    def memory_temperature(self, handle: Any) -> Any:
        values = self.asked("nvmlDeviceGetFieldValues", handle, [MEMORY_TEMPERATURE])
        value = values[0] if values is not None else None
        # Cards without that sensor say 0.
        return value.value.uiVal or None if value is not None and value.nvmlReturn == 0 else None

    def processes(self, handle: Any) -> dict[int, int] | None:
        """Those that compute, and those that draw: Vulkan is of the latter."""
        names = "nvmlDeviceGetComputeRunningProcesses", "nvmlDeviceGetGraphicsRunningProcesses"
        lists = [self.asked(name, handle) for name in names]
        if lists[0] is None:
            return None
        told = [each for some in lists for each in some or ()]
        if any(each.usedGpuMemory is None for each in told):
            return None  # so it is under Windows' own driver model
        return {each.pid: each.usedGpuMemory for each in told}

    def asked(self, name: str, *more: Any) -> Any:
        """None where this card, or this driver, does not know the question or its answer."""
        question: Callable[..., Any] | None = getattr(self.nvml, name, None)
        if question is None:
            return None
        try:
            return question(*more)
        except self.nvml.NVMLError as error:
            if getattr(error, "value", None) in self.fatal:
                raise
            return None


def scaled(value: float | None, by: int) -> float | None:
    return None if value is None else value / by


def text(value: Any) -> str | None:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value


def version_of(number: int | None) -> str | None:
    """12040 is 12.4."""
    return f"{number // 1000}.{number % 1000 // 10}" if number else None
