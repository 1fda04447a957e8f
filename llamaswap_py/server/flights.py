"""Requests in flight as our own pages are told them: each when it comes, then only how far its answer is; all together
four times a second at most, and not a step for a piece of an answer."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from llamaswap_py.observe.inflight import Flight, Inflight, stamp
from llamaswap_py.observe.redaction import redacted
from llamaswap_py.server import messages
from llamaswap_py.server.audience import Message, Tell

if TYPE_CHECKING:
    from llamaswap_py.server.shapes.requests import Flying

EVERY = 0.25  # seconds between two words
SOON = 0.02  # what happens at one moment is told together


class Flights:
    def __init__(self, inflight: Inflight, tell: Tell) -> None:
        self.inflight = inflight
        self.tell = tell
        self.told: dict[str, tuple[bool, int]] = {}  # whether its head was told, and how many bytes
        self.timer: asyncio.TimerHandle | None = None
        self.said_at = 0.0  # loop time
        self.is_open = False

    def open(self) -> None:
        self.is_open, self.told = True, {}
        self.refresh()

    def close(self) -> None:
        self.is_open = False
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None

    def touch(self) -> None:
        """One came, has gone, or its answer has begun."""
        if self.is_open and self.timer is None:
            loop = asyncio.get_running_loop()
            self.timer = loop.call_later(max(SOON, self.said_at + EVERY - loop.time()), self.refresh)

    def refresh(self) -> None:
        """Tells what differs from what was told."""
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None
        if not self.is_open:
            return
        flights, told = self.inflight.flights, self.told
        self.said_at = asyncio.get_running_loop().time()
        now = {number: (each.heard.answer is not None, each.heard.size) for number, each in flights.items()}
        new = [row(flights[number]) for number, (headed, _) in now.items() if told.get(number, (None,))[0] != headed]
        grown = {number: state[1] for number, state in now.items() if told.get(number, state)[1] != state[1]}
        gone = [number for number in told if number not in now]
        self.told = now
        if new or grown or gone:
            self.tell(Message(messages.flights(False, new, grown, gone), "flights", self.again))
        if now:
            self.touch()

    def whole(self) -> bytes:
        self.refresh()
        return self.again()

    def again(self) -> bytes:
        """All of them, as they were told."""
        flights = self.inflight.flights
        return messages.flights(True, [row(flights[number]) for number in self.told if number in flights], {}, [])


def row(flight: Flight) -> Flying:
    answer = flight.heard.answer
    return {
        "id": flight.id,
        "began": round(flight.when, 3),
        "timestamp": stamp(flight.when),
        "model": flight.model,
        "req_path": flight.path,
        "method": flight.method,
        "req_headers": redacted(flight.headers),
        "remote_ip": flight.remote,
        "status": answer.status if answer is not None else None,
        "resp_headers": redacted(answer.fields()) if answer is not None else {},
        "resp_bytes": flight.heard.size,
        "metadata": dict(flight.metadata),
    }
