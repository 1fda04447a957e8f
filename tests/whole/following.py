"""A page that follows `/api/events` of the running program, as an EventSource reads it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from tests.whole.asking import NO_CERTIFICATES
from tests.whole.program import LONG, Program

OPENING = [
    "logData",
    "logData",
    "modelStatus",
    "uiConfig",
    "profileChanged",
    "inflight",
    "config",
    "beat",
    "flights",
    "machine",
    "standings",
    "alerts",
    "glance",
    "rules",
]


@dataclass(frozen=True)
class Heard:
    event: str
    name: str  # its id
    type: str
    data: Any


class Following:
    """Messages one after the other; `until` returns the first that fits."""

    def __init__(self, response: httpx.Response) -> None:
        self.response = response
        self.lines = response.iter_lines()
        self.heard: list[Heard] = []
        self.deadline = time.monotonic() + LONG

    def next(self) -> Heard:
        fields: dict[str, str] = {}
        for line in self.lines:
            assert time.monotonic() < self.deadline, f"heard only {self.heard}"  # heartbeats keep the stream alive
            if not line and "data" in fields:
                break
            name, _, value = line.partition(":")
            if name:
                fields[name] = value
        outer = json.loads(fields["data"])
        self.heard.append(Heard(fields["event"], fields.get("id", ""), outer["type"], json.loads(outer["data"])))
        return self.heard[-1]

    def until(self, kind: str, fits: Callable[[Any], bool] = lambda _: True) -> Heard:
        while True:
            heard = self.next()
            if heard.type == kind and fits(heard.data):
                return heard

    def opening(self) -> list[Heard]:
        return [self.next() for _ in OPENING]


@contextmanager
def follow(program: Program, query: str = "", **headers: str) -> Iterator[Following]:
    with (
        httpx.Client(base_url=program.url, timeout=LONG, verify=NO_CERTIFICATES, trust_env=False) as client,
        client.stream("GET", f"/api/events{query}", headers=headers) as response,
    ):
        assert response.status_code == 200
        yield Following(response)


def state_of(model: str, state: str) -> Callable[[Any], bool]:
    """Fits a modelStatus in which the model is in that state."""
    return lambda rows: any((row["id"], row["state"]) == (model, state) for row in rows)
