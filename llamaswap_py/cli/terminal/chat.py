"""A conversation with a model: the question asked, the answer as it comes, and what it cost."""

from __future__ import annotations

import json
import time
from collections.abc import Generator, Iterable, Iterator
from contextlib import closing
from typing import Any, NamedTuple

import msgspec

from llamaswap_py.cli.terminal.client import Failed, Server, message_in
from llamaswap_py.wire.sse import Events

PATH = "/v1/chat/completions"


class Piece(NamedTuple):
    text: str
    is_thought: bool = False


class Cost(msgspec.Struct):
    """What an answer says of itself, else what was seen from here."""

    asked_at: float
    first_at: float = 0.0
    last_at: float = 0.0
    tokens: int = 0
    speed: float = 0.0

    def saw_piece(self, now: float) -> None:
        self.first_at = self.first_at or now
        self.last_at = now

    def read(self, event: dict[str, Any]) -> None:
        """llama-server gives both; others the first only, and their speed is counted from first piece to last."""
        usage, timings = part(event, "usage"), part(event, "timings")
        self.tokens = int(number(timings, "predicted_n") or number(usage, "completion_tokens") or self.tokens)
        self.speed = number(timings, "predicted_per_second") or self.speed

    def __str__(self) -> str:
        seconds = self.last_at - self.first_at
        speed = self.speed or ((self.tokens - 1) / seconds if self.tokens and seconds > 0 else 0.0)
        parts = [f"{self.tokens} tokens"] if self.tokens else []
        parts += [f"{speed:.1f} tokens/s"] if speed else []
        parts += [f"first after {self.first_at - self.asked_at:.2f} s"] if self.first_at else []
        return ", ".join(parts)


class Chat(msgspec.Struct):
    server: Server
    model: str
    messages: list[dict[str, str]] = msgspec.field(default_factory=list)
    cost: Cost = msgspec.field(default_factory=lambda: Cost(0.0))

    def answers(self, question: str) -> Generator[Piece, None, None]:
        """Raises Failed. Of an answer that was stopped the conversation keeps what came, of a failed one nothing."""
        self.messages.append({"role": "user", "content": question})
        self.cost = Cost(time.monotonic())
        said: list[str] = []
        try:
            for piece in self.pieces():
                self.cost.saw_piece(time.monotonic())
                said += [] if piece.is_thought else [piece.text]
                yield piece
        except Failed:
            self.messages.pop()
            raise
        except BaseException:  # Ctrl-C, or whoever reads has enough
            self.remember(said)
            raise
        self.remember(said)

    def remember(self, said: list[str]) -> None:
        self.messages.append({"role": "assistant", "content": "".join(said)})

    def pieces(self) -> Iterator[Piece]:
        body = {
            "model": self.model,
            "messages": self.messages,
            "stream": True,
            "stream_options": {"include_usage": True},
        }
        is_over = False
        with closing(self.server.pieces("POST", PATH, body)) as raw:
            for data in events(raw):
                if data == "[DONE]":
                    return
                event = content_of(data)
                self.cost.read(event)
                choice = first_choice(event)
                is_over = is_over or bool(choice.get("finish_reason"))
                yield from pieces_of(part(choice, "delta"))
        if not is_over:
            raise Failed("The answer ended before it was complete.")


def events(raw: Iterable[bytes]) -> Iterator[str]:
    """The data of each event."""
    whole = Events()
    for data in raw:
        for line in whole.feed(data).decode("utf-8", "replace").splitlines():
            name, colon, text = line.partition(":")
            if colon and name == "data":
                yield text.strip()
            elif colon and name == "error":  # so llama-server says it where it stumbles within a stream
                yield f'{{"error":{text}}}'


def content_of(data: str) -> dict[str, Any]:
    try:
        event = json.loads(data)
    except ValueError as error:
        raise Failed(f"The answer cannot be read: {data[:200]}") from error
    if not isinstance(event, dict):
        raise Failed(f"The answer cannot be read: {data[:200]}")
    trouble = message_in(event) or event.get("error")
    if trouble:
        raise Failed(f"The answer broke off: {trouble}")
    return event


def first_choice(event: dict[str, Any]) -> dict[str, Any]:
    choices = event.get("choices")
    first = choices[0] if isinstance(choices, list) and choices else None
    return first if isinstance(first, dict) else {}


def pieces_of(delta: dict[str, Any]) -> Iterator[Piece]:
    for key, is_thought in (("reasoning_content", True), ("content", False)):
        text = delta.get(key)
        if isinstance(text, str) and text:
            yield Piece(text, is_thought)


def part(event: dict[str, Any], key: str) -> dict[str, Any]:
    value = event.get(key)
    return value if isinstance(value, dict) else {}


def number(numbers: dict[str, Any], key: str) -> float:
    value = numbers.get(key)
    return float(value) if isinstance(value, int | float) else 0.0
