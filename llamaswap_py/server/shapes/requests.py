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
