"""A page that is subscribed to `/api/events`, for as long as a test needs one."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import httpx

from tests.whole.asking import caller
from tests.whole.program import LONG, Program

Test = Callable[[Any], bool]


@dataclass(frozen=True)
class Message:
    kind: str
    data: Any


def blocks(lines: Iterable[str]) -> Iterator[list[str]]:
    """The lines of each event, comments left out."""
    block: list[str] = []
    for line in lines:
        if line:
            block += [] if line.startswith(":") else [line]
        elif block:
            yield block
            block = []


def message(block: list[str]) -> Message:
    """One event of the feed; its data is JSON in a text in JSON."""
    line = next(line for line in block if line.startswith("data:"))
    told = json.loads(line.removeprefix("data:"))
    return Message(told["type"], json.loads(told["data"]))


class Feed:
    """`with Feed(program) as feed:` hears everything; `wait` returns the first message that fits."""

    def __init__(self, program: Program, key: str = "") -> None:
        self.client = caller(program, key)
        self.heard: list[Message] = []
        self.news = threading.Condition()
        self.over = False

    def __enter__(self) -> Self:
        client = self.client.__enter__()
        self.stream = client.stream("GET", "/api/events", timeout=httpx.Timeout(LONG, read=None))
        response = self.stream.__enter__()
        assert response.status_code == 200
        self.socket = response.extensions["network_stream"].get_extra_info("socket")
        self.reader = threading.Thread(target=self.read_on, args=(response,), daemon=True)
        self.reader.start()
        self.wait("inflight")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)  # which wakes the reader
        self.reader.join(LONG)
        self.stream.__exit__(None, None, None)
        self.client.__exit__(None, None, None)
        if error is not None:
            error.add_note("\n".join(["The feed said:", *(repr(each)[:300] for each in self.heard[-30:])]))

    def read_on(self, response: httpx.Response) -> None:
        try:
            for block in blocks(response.iter_lines()):
                with self.news:
                    self.heard.append(message(block))
                    self.news.notify_all()
        except httpx.HTTPError:
            pass
        with self.news:
            self.over = True
            self.news.notify_all()

    @property
    def said(self) -> int:
        """How much was heard: hand it to `wait` to wait for something new."""
        with self.news:
            return len(self.heard)

    def wait(self, kind: str, fits: Test = lambda _: True, after: int = 0) -> Any:
        """The data of the first message of this kind that fits."""
        deadline = time.monotonic() + LONG
        with self.news:
            while not (found := [each.data for each in self.heard[after:] if each.kind == kind and fits(each.data)]):
                left = deadline - time.monotonic()
                if self.over or left <= 0 or not self.news.wait(left):
                    raise AssertionError(f"no {kind} that fits among {[each.kind for each in self.heard[after:]]}")
            return found[0]

    def kinds(self, after: int = 0) -> list[str]:
        with self.news:
            return [each.kind for each in self.heard[after:]]


def recorded(feed: Feed, ask: httpx.Client, request: Callable[[], object]) -> dict[str, Any]:
    """The one row that this request leaves in the activity."""
    before = feed.said
    request()
    number = feed.wait("activity", after=before)["id"]
    page = ask.get("/api/metrics/activity", params={"min_id": number, "max_id": number}).raise_for_status().json()
    assert [row["id"] for row in page["data"]] == [number]
    row: dict[str, Any] = page["data"][0]
    return row
