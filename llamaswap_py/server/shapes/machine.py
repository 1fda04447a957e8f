"""What is said of the machine and the program."""

from __future__ import annotations

from typing import Literal, TypedDict


class Taken(TypedDict):
    memory_bytes: int
    cpu_seconds: float
    processes: int


class TakenByModel(Taken):
    gpu_memory_bytes: int | None  # null where no tool tells it


class Processes(TypedDict):
    """`GET /api/processes`."""

    proxy: Taken
    keeper: Taken
    models: dict[str, TakenByModel]


class Use(TypedDict):
    """`cpu`: percent of one core, null until it is known; `memory`: resident bytes."""

    cpu: float | None
    memory: int
    processes: int


class GpuUse(TypedDict):
    """One card; null is not known. Memory in MiB. `stale`: nobody has said so lately."""

    index: int
    name: str
    utilization_percent: float | None
    memory_used: int | None
    memory_total: int | None
    temperature: float | None
    power_draw: float | None
    stale: bool


class Sample(TypedDict):
    """One look. `at`: unix seconds; `cpu`: percent of all cores."""

    at: float
    cores: int
    cpu: float | None
    memory: int
    memory_total: int
    proxy: Use
    keeper: Use
    models: dict[str, Use]
    gpus: list[GpuUse]


class Machine(TypedDict):
    """At the start the last ten minutes, as far as somebody followed; then one by one."""

    samples: list[Sample]


class Version(TypedDict):
    """`GET /api/version`."""

    version: str
    commit: str
    build_date: str


class GpuStat(TypedDict):
    """One card at one moment; null is not known."""

    timestamp: str
    id: int
    name: str
    uuid: str
    temp_c: float | None
    vram_temp_c: float | None
    gpu_util_pct: float | None
    mem_util_pct: float | None
    mem_used_mb: int | None
    mem_total_mb: int | None
    fan_speed_pct: float | None
    power_draw_w: float | None


class AcceleratorMemory(TypedDict):
    kind: Literal["dedicated", "unified", "shared_system", "unknown"]
    capacity_bytes: int | None


class Driver(TypedDict):
    name: str
    version: str | None


class Accelerator(TypedDict):
    """Of `GET /api/hardware`."""

    index: int
    kind: Literal["gpu"]
    vendor: str
    model: str
    architecture: str | None
    memory: AcceleratorMemory
    driver: Driver | None
    power_limit_watts: float | None
