"""What is said of the whole at a glance. Null is not known."""

from __future__ import annotations

from typing import Any, Literal, NotRequired, TypedDict


class Part(TypedDict):
    score: float | None
    value: float | None
    weight: float


class Score(TypedDict):
    status: Literal["healthy", "warning", "critical", "unknown"]
    timestamp: str
    score: float | None
    components: dict[str, Part]
    alerts: int
    alert_penalty: float


class Gpu(TypedDict):
    """Memory in MiB."""

    index: int
    name: str
    vendor: str
    uuid: str | None
    temperature: float | None
    vram_temperature: float | None
    utilization_percent: float | None
    memory_used: int | None
    memory_total: int | None
    memory_free: int | None
    memory_percent: float | None
    power_draw: float | None
    power_limit: float | None
    fan_speed: float | None
    driver: str | None
    driver_version: str | None
    asleep: bool
    stale: bool
    seen: str
    disbelieved: list[str]
    why: NotRequired[str]


class Gpus(TypedDict):
    """`GET /api/metrics/gpu`."""

    timestamp: str
    gpus: list[Gpu]
    total_memory_used: int | None
    total_memory_available: int | None
    average_temperature: float | None
    average_utilization: float | None
    thermal_status: Literal["good", "warning", "critical", "emergency", "unknown"]
    models: dict[str, int | None]
    driver_version: str | None
    cuda_version: str | None
    present: bool
    troubles: dict[str, str]
    reason: str | None


class Glance(TypedDict):
    """The event `glance`; null until it was looked at."""

    health: Score | None
    gpus: Gpus | None


class RequestProgress(TypedDict):
    """`GET /api/progress/{id}`."""

    request_id: str
    id: str | None
    status: Literal["queued", "loading", "processing", "completed", "failed", "dismissed"]
    model: str
    path: str
    progress: int | None
    total: int | None
    queue_position: int | None
    loading_percent: float | None
    bytes: int
    elapsed_ms: int
    error: NotRequired[str]


class ModelAtAGlance(TypedDict):
    name: str
    id: str
    state: str
    family: str | None
    parameter_size: str | None
    quantization: str | None
    context_size: int | None
    size_bytes: int | None
    created: str | None


class Dashboard(TypedDict):
    """`GET /api/metrics/dashboard`."""

    status: Score
    requests: list[RequestProgress]
    models: list[ModelAtAGlance]
    gpu_metrics: Gpus


class Family(TypedDict):
    """Of APIs."""

    endpoint: str
    api: str
    path: str | None
    paths: list[str]
    total_requests: int
    successful_requests: int
    failed_requests: int
    refused_requests: int
    average_response_time: float | None
    success_rate: float | None
    last_request_time: str | None
    status: Literal["healthy", "warning", "critical", "unused"]


class Families(TypedDict):
    """`GET /api/metrics/apis`."""

    endpoints: list[Family]
    timestamp: str
    since: str
    overallHealth: Literal["healthy", "warning", "critical", "unused"]


class Recommendation(TypedDict):
    id: str
    priority: Literal["high", "medium", "low"]
    category: Literal["performance", "stability", "cost", "scaling"]
    title: str
    recommendation: str
    figures: dict[str, Any]
    model: NotRequired[str]


class SystemAtAGlance(TypedDict):
    requests: int
    models: int
    gpus: int
    memory_used_bytes: int | None
    memory_total_bytes: int | None


class Optimization(TypedDict):
    """`GET /api/metrics/optimization`."""

    timestamp: str
    since: str
    score: int
    recommendations: list[Recommendation]
    system: SystemAtAGlance


class Settings(TypedDict, total=False):
    tensor_split: int | str | None
    gpu_layers: int | str | None
    context_size: int | str | None
    batch_size: int | str | None


class ModelSpread(TypedDict):
    """Of one model."""

    model_name: str
    tensor_split: int | str | None
    gpu_layers: int | str | None
    context_size: int | str | None
    batch_size: int | str | None
    size_bytes: int | None
    layers: int | None
    trained_context: int | None
    presets: dict[str, Settings]


class Share(TypedDict):
    """Of one card."""

    index: int
    name: str
    memory_total_bytes: int | None
    memory_free_bytes: int | None
    share_percent: float | None


class Distribution(TypedDict):
    """`GET /api/dashboard/weight-distribution`."""

    models: list[ModelSpread]
    gpus: list[Share]
    present: bool
    reason: str | None
    presets: dict[str, str]


class ServerStatus(TypedDict):
    """`GET /api/status`."""

    status: Literal["ok", "starting", "stopping"]
    timestamp: str
    version: str
    uptime_seconds: float
    models: dict[str, int]
    active_requests: int


class Endpoint(TypedDict):
    method: str
    path: str


class Info(TypedDict):
    """`GET /api/info`."""

    name: str
    version: str
    description: str
    apis: dict[str, list[str]]
    endpoints: list[Endpoint]
