"""The requests that are being answered right now: their table, and what a page is told of it.

One timer for all of them, and only while somebody listens: a piece of an answer costs nothing here."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from itertools import count
from typing import Any, Protocol

import msgspec

from llamaswap_py.observe.heard import Heard
from llamaswap_py.observe.redaction import redacted, redacted_answer

EVERY = 0.25  # seconds between two words about the same request

Payload = dict[str, Any]
Listener = Callable[[Payload], None]


class Timer(Protocol):
    def cancel(self) -> None: ...


class Loop(Protocol):
    """Of an event loop, what is needed here."""

    def time(self) -> float: ...

    def call_later(self, delay: float, callback: Callable[[], None], /) -> Timer: ...


class Flight(msgspec.Struct, eq=False):
    """One request on its way."""

    model: str
    path: str
    method: str
    headers: Iterable[tuple[str, str]]
    remote: str
    when: float  # unix seconds
    began: float  # loop time
    heard: Heard
    cancel: Callable[[], object]
    metadata: dict[str, str] = msgspec.field(default_factory=dict)
    request: str = ""  # the id it goes by
    asked: bytes | None = None  # its body, where that is held and short
    id: str = ""  # the table gives it
    told: int = -1  # the size that was last told


class Inflight:
    def __init__(self, loop: Loop) -> None:
        self.loop = loop
        self.flights: dict[str, Flight] = {}
        self.listeners: list[Listener] = []
        self.touched: Callable[[Flight], None] | None = None  # one came, went, or its answer has begun
        self.numbers = count(1)
        self.timer: Timer | None = None

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Every payload after the snapshot that is taken now. Returns what ends it; payloads are built only
        while somebody listens, so leave when no page is open."""
        self.listeners.append(listener)
        self.arm()

        def leave() -> None:
            if listener in self.listeners:
                self.listeners.remove(listener)

        return leave

    def snapshot(self) -> Payload:
        rows = [self.row(flight) for flight in self.flights.values()]
        return {"operation": "snapshot", **({"requests": rows} if rows else {})}

    def enter(self, flight: Flight) -> None:
        flight.id = str(next(self.numbers))
        self.flights[flight.id] = flight
        if self.touched is not None:
            self.touched(flight)
        if self.listeners:
            self.tell_of(flight)
            self.arm()

    def leave(self, flight: Flight) -> None:
        del self.flights[flight.id]
        if self.touched is not None:
            self.touched(flight)
        if self.listeners:
            self.publish({"operation": "remove", "id": flight.id})

    def headed(self, flight: Flight) -> None:
        """The head of its answer came."""
        if self.touched is not None:
            self.touched(flight)
        if self.listeners:
            self.tell_of(flight)

    def cancel(self, number: str) -> bool:
        """False where there is no such request any more."""
        flight = self.flights.get(number)
        if flight is None:
            return False
        flight.cancel()
        return True

    # -- telling

    def arm(self) -> None:
        if self.timer is None and self.listeners and self.flights:
            self.timer = self.loop.call_later(EVERY, self.look)

    def look(self) -> None:
        """Tell of those whose answers grew."""
        self.timer = None
        if not self.listeners:
            return
        for flight in self.flights.values():
            if flight.heard.size != flight.told:
                self.tell_of(flight)
        self.arm()

    def tell_of(self, flight: Flight) -> None:
        flight.told = flight.heard.size
        self.publish({"operation": "upsert", "request": self.row(flight)})

    def publish(self, payload: Payload) -> None:
        for listener in tuple(self.listeners):
            listener(payload)

    def row(self, flight: Flight) -> Payload:
        return {
            "id": flight.id,
            "timestamp": stamp(flight.when),
            "model": flight.model,
            "req_path": flight.path,
            "method": flight.method,
            "req_headers": redacted(flight.headers),
            "remote_ip": flight.remote,
            "resp_headers": redacted_answer(flight.heard.answer) if flight.heard.answer else {},
            "resp_bytes": flight.heard.size,
            "elapsed_ms": int((self.loop.time() - flight.began) * 1000),
            **({"metadata": flight.metadata} if flight.metadata else {}),
        }


def stamp(when: float) -> str:
    """Unix seconds, as llama-swap writes a moment."""
    return datetime.fromtimestamp(when, UTC).isoformat().replace("+00:00", "Z")
