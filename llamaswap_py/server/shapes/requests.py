"""What is said of requests, those in flight and those that are over."""

from __future__ import annotations

from typing import Literal, NotRequired, TypedDict


class Flight(TypedDict):
    """A request in flight."""

    id: str
    timestamp: str
    model: str
    req_path: str
    method: str
    req_headers: dict[str, str]
    remote_ip: str
    resp_headers: dict[str, str]
    resp_bytes: int
    elapsed_ms: int
    metadata: NotRequired[dict[str, str]]


class InflightNews(TypedDict):
    operation: Literal["snapshot", "upsert", "remove"]
    requests: NotRequired[list[Flight]]
    request: NotRequired[Flight]
    id: NotRequired[str]


class Flying(TypedDict):
    """A request in flight. `began`: unix seconds; `status`: null until its answer has begun."""

    id: str
    began: float
    timestamp: str
    model: str
    req_path: str
    method: str
    req_headers: dict[str, str]
    remote_ip: str
    status: int | None
    resp_headers: dict[str, str]
    resp_bytes: int
    metadata: dict[str, str]


class Flights(TypedDict):
    """`whole`: all of them; else those that came or whose answer began, the bytes of those that grew, who is gone."""

    whole: bool
    rows: list[Flying]
    grown: dict[str, int]
    gone: list[str]


class Tokens(TypedDict):
    """-1: not told."""

    cache_tokens: int
    draft_tokens: int
    draft_acc_tokens: int
    input_tokens: int
    output_tokens: int
    prompt_per_second: float
    tokens_per_second: float


class Details(TypedDict):
    api: NotRequired[str]
    caller: NotRequired[str]
    address: NotRequired[str]
    session: NotRequired[str]
    request: NotRequired[str]
    run: NotRequired[int]
    bytes: NotRequired[int]
    phase: NotRequired[str]
    closed_by: NotRequired[str]
    code: NotRequired[str]
    queued_ms: float
    loading_ms: float
    first_byte_ms: float
    mean_gap_ms: float
    longest_gap_ms: float


class Activity(TypedDict):
    """A request that is over."""

    id: int
    timestamp: str
    model: str
    req_path: str
    resp_content_type: str
    resp_status_code: int
    tokens: Tokens
    duration_ms: int
    has_capture: bool
    error_msg: NotRequired[str]
    metadata: NotRequired[dict[str, str]]
    details: NotRequired[Details]


class ActivityPage(TypedDict):
    """`GET /api/metrics/activity`."""

    data: list[Activity]
    page: int
    limit: int
    total: int
    total_pages: int
    at_least: NotRequired[bool]  # there are more than `total`: it was counted no further


class Spread(TypedDict):
    """`counts[i]` of them lie between `edges[i]` and `edges[i + 1]`."""

    count: int
    p50: float
    p90: float
    p95: float
    p99: float
    edges: list[float]
    counts: list[int]


class Together(TypedDict):
    """Many requests. Speeds are tokens a second; null: there is none to tell of."""

    requests: int
    input_tokens: int
    output_tokens: int
    cache_tokens: int
    queued_s: float
    loading_s: float
    prompt_speed: Spread | None
    gen_speed: Spread | None
    first_byte_ms: Spread | None
    duration_ms: Spread | None


class Slot(TypedDict):
    """What was waited for. `at`: unix seconds."""

    at: int
    requests: int
    queued_s: float
    loading_s: float


class Spreads(TypedDict):
    """`GET /api/metrics/spreads`. Slots without requests are left out."""

    total: Together
    models: dict[str, Together]
    slot_seconds: int
    waits: list[Slot]


class Histogram(TypedDict):
    bins: list[int]
    min: float
    max: float
    binSize: float
    p50: float
    p95: float
    p99: float


class Stats(TypedDict):
    """`GET /api/metrics/stats`."""

    total_requests: int
    total_input_tokens: int
    total_output_tokens: int
    total_cache_tokens: int
    prompt_histogram: Histogram | None
    gen_histogram: Histogram | None


class Finished(TypedDict):
    """Requests that were written down. `gap`: some before them are missing here; the list has them."""

    rows: list[Activity]
    gap: bool


class ActivityNews(TypedDict):
    id: int


class Capture(TypedDict):
    """`GET /api/captures/{id}`; bodies in base64."""

    id: int
    req_path: str
    req_headers: dict[str, str]
    req_body: str | None
    resp_headers: dict[str, str]
    resp_body: str | None
