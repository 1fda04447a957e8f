"""Requests in flight as our own pages are told them: each when it comes, then only how far its answer is; all together
a few times a second at most, how far they are once a second, on a busy day both more seldom, and not a step for a piece
of an answer."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from llamaswap_py.observe.inflight import Flight, Inflight, stamp
from llamaswap_py.observe.redaction import redacted, redacted_answer
from llamaswap_py.server import messages
from llamaswap_py.server.audience import Message, Tell
from llamaswap_py.server.turns import Turn, pause

if TYPE_CHECKING:
    from llamaswap_py.server.shapes.requests import Flying

GROWN = 1.0  # seconds between two looks at how far the answers are: that is asked of each of them


class Flights:
    def __init__(self, inflight: Inflight, tell: Tell) -> None:
        self.inflight = inflight
        self.tell = tell
        self.told: dict[str, int] = {}  # how many bytes of each
        self.touched: set[str] = set()  # of those rows are to be told, or that they have gone
        self.turn = Turn(self.refresh)
        self.said_at = self.measured_at = 0.0  # loop time
        self.is_open = False

    def open(self) -> None:
        self.is_open, self.told, self.touched = True, {}, set(self.inflight.flights)
        self.refresh()

    def close(self) -> None:
        self.is_open = False
        self.turn.stop()

    def touch(self, flight: Flight) -> None:
        """It came, has gone, or its answer has begun."""
        if self.is_open:
            self.touched.add(flight.id)
            self.turn.at(self.said_at + pause(len(self.inflight.flights)))

    def refresh(self) -> None:
        """Tells what differs from what was told."""
        self.turn.stop()
        if not self.is_open:
            return
        flights, self.said_at = self.inflight.flights, asyncio.get_running_loop().time()
        new = [row(flights[number]) for number in sorted(self.touched, key=int) if number in flights]
        gone = [number for number in self.touched if number not in flights and self.told.pop(number, None) is not None]
        self.told.update({each["id"]: each["resp_bytes"] for each in new})
        self.touched = set()
        seldom = max(GROWN, pause(len(flights)))
        grown = self.grown() if self.said_at >= self.measured_at + seldom else {}
        if new or grown or gone:
            self.tell(Message(messages.flights(False, new, grown, gone), "flights", self.again))
        if flights:
            self.turn.at(self.measured_at + seldom)

    def grown(self) -> dict[str, int]:
        self.measured_at = self.said_at
        flights = self.inflight.flights
        now = {number: flights[number].heard.size for number in self.told}
        grown = {number: size for number, size in now.items() if self.told[number] != size}
        self.told.update(grown)
        return grown

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
        "resp_headers": redacted_answer(answer) if answer is not None else {},
        "resp_bytes": flight.heard.size,
        "metadata": dict(flight.metadata),
    }
