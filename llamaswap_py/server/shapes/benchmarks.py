"""What is said of benchmarks. Seconds, bytes, tokens a second."""

from __future__ import annotations

from typing import Literal, TypedDict


class BenchmarkOrder(TypedDict):
    """`done` of `of` combinations of the model that `doing` names; `session` is the id of what is kept of it."""

    id: str
    models: list[str]
    state: Literal["waiting", "running", "done", "failed", "cancelled"]
    doing: str
    done: int
    of: int
    session: str
    error: str


class BenchmarkModel(TypedDict):
    name: str
    about: str
    speed: float | None


class BenchmarkSummary(TypedDict):
    id: str
    began: float
    machine: str
    models: list[BenchmarkModel]


class Benchmarks(TypedDict):
    """`GET /api/benchmarks`."""

    orders: list[BenchmarkOrder]
    kept: list[BenchmarkSummary]


class BenchmarkPlan(TypedDict):
    prompts: list[int]
    callers: list[int]
    tokens: int
    repeats: int
    loads: bool


class BenchmarkCell(TypedDict):
    """One length of prompt and one number of callers; docs/benchmarks.md says what each figure is."""

    wanted: int
    callers: int
    answers: int
    prompt: float
    output: float
    first: float
    first_95: float
    prompt_speed: float
    prompt_by_engine: bool
    speed: float
    engine_speed: float | None
    together: float
    gap: float
    gap_95: float
    gap_most: float
    failed: int
    why: str


class BenchmarkResult(TypedDict):
    name: str
    place: str
    about: str
    size: int
    cold: float | None
    warm: float | None
    memory: int | None
    gpu_memory: int | None
    cells: list[BenchmarkCell]
    trouble: str


class BenchmarkSession(TypedDict):
    """`GET /api/benchmarks/{id}` of one that is kept."""

    id: str
    began: float
    machine: str
    plan: BenchmarkPlan
    results: list[BenchmarkResult]
