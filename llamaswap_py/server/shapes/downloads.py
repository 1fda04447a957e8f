"""What is said of downloads."""

from __future__ import annotations

from typing import Literal, TypedDict


class PullFile(TypedDict):
    path: str
    size: int
    done: int
    stage: str


class PullError(TypedDict):
    code: str
    message: str
    near: list[str]


class Pull(TypedDict):
    id: str
    repo: str
    include: list[str]
    quant: str
    revision: str
    state: Literal["waiting", "asking", "loading", "done", "failed", "cancelled"]
    folder: str
    commit: str
    files: list[PullFile]
    total: int
    done: int
    speed: float
    left: float | None
    notes: list[str]
    error: PullError | None


class Pulls(TypedDict):
    """`GET /api/pulls`."""

    pulls: list[Pull]
