"""What is said of the machine and the program."""

from __future__ import annotations

from typing import TypedDict


class Taken(TypedDict):
    memory_bytes: int
    cpu_seconds: float
    processes: int


class Processes(TypedDict):
    """`GET /api/processes`."""

    proxy: Taken
    keeper: Taken
    models: dict[str, Taken]


class Version(TypedDict):
    """`GET /api/version`."""

    version: str
    commit: str
    build_date: str
