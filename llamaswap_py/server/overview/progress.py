"""How far one request is, and its dismissal. It is named by its number or by its id (`X-Request-ID`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from aiohttp import web

from llamaswap_py.errors import Cancelled, NoSuchRecord
from llamaswap_py.observe.inflight import Flight
from llamaswap_py.observe.lately import of_request
from llamaswap_py.observe.rows import FIRST_FAILURE, Row
from llamaswap_py.runtime.conductor import Conductor, Lease
from llamaswap_py.runtime.estimate import Progress
from llamaswap_py.runtime.standings import progress_of
from llamaswap_py.server.doors import Door, Kind
from llamaswap_py.server.recording import Recordings

# By which each API limits the length of an answer.
LIMITS = ("max_completion_tokens", "max_tokens", "max_output_tokens", "n_predict", "max_new_tokens", "num_predict")
INSIDE = ("options", "parameters")
SEPARATORS = {"text/event-stream": b"data:", "application/x-ndjson": b"\n"}


class ProgressDoors:
    def __init__(self, conductor: Conductor, recordings: Recordings) -> None:
        self.conductor = conductor
        self.inflight = recordings.inflight
        self.recorder = recordings.recorder

    def doors(self) -> list[Door]:
        return [
            Door("GET", "/api/progress/{id:.+}", Kind.CONTROL, self.show),
            Door("POST", "/api/dismiss/{id:.+}", Kind.CONTROL, self.dismiss),
        ]

    def find(self, name: str) -> Flight | None:
        """The last of those that go by an id: a caller may give the same to several."""
        named = [each for each in self.inflight.flights.values() if name in (each.request, each.id)]
        return named[-1] if named else None

    async def show(self, request: web.Request) -> web.Response:
        name = request.match_info["id"]
        flight = self.find(name)
        if flight is not None:
            return web.json_response(self.row(flight))
        row = await self.recorder.ask(lambda store: of_request(store, name))
        if row is None:
            raise NoSuchRecord(f"there is no request {name}, neither under way nor among those that ended lately")
        return web.json_response(ended(row))

    async def dismiss(self, request: web.Request) -> web.Response:
        name = request.match_info["id"]
        flight = self.find(name)
        if flight is None:
            raise NoSuchRecord(f"there is no request {name} under way")
        told = self.row(flight)
        self.inflight.cancel(flight.id)
        return web.json_response(told | {"status": "dismissed"})

    def rows(self) -> list[dict[str, Any]]:
        """Of all that are under way."""
        return [self.row(flight) for flight in self.inflight.flights.values()]

    def row(self, flight: Flight) -> dict[str, Any]:
        lease = next((each for each in self.conductor.waiters.values() if each.request == flight.request), None)
        state, position = ("processing", None) if flight.heard.status else waiting(lease)
        loading = progress_of(flight.model, self.conductor.runs.values()) if state == "loading" else None
        return {
            "request_id": flight.request,
            "id": flight.id,
            "status": state,
            "model": flight.model,
            "path": flight.path,
            "progress": generated(flight),
            "total": longest(flight.asked),
            "queue_position": position,
            "loading_percent": percent(loading),
            "bytes": flight.heard.size,
            "elapsed_ms": int((self.inflight.loop.time() - flight.began) * 1000),
        }


def waiting(lease: Lease | None) -> tuple[str, int | None]:
    if lease is None or lease.answer is not None:
        return "processing", None
    position = lease.position
    return ("loading", 0) if position == 0 else ("queued", position)


def percent(loading: Progress | None) -> float | None:
    return None if loading is None or loading.fraction is None else round(100 * loading.fraction, 1)


def generated(flight: Flight) -> int | None:
    """About so many tokens: a stream's events are counted, and where the middle was let go, in proportion."""
    answer, window = flight.heard.answer, flight.heard.window
    separator = SEPARATORS.get(answer.content_type) if answer is not None else None
    if separator is None:
        return None
    pieces = [piece for some in window.pieces() for piece in some]
    counted, held = sum(bytes(piece).count(separator) for piece in pieces), sum(map(len, pieces))
    return counted if window.whole or not held else round(counted * window.size / held)


def longest(body: bytes | None) -> int | None:
    """The number of tokens that was asked for at most; None where nobody said."""
    try:
        asked = msgspec.json.decode(body) if body else None
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    if not isinstance(asked, dict):
        return None
    places: list[Mapping[str, Any]] = [asked, *(asked[name] for name in INSIDE if isinstance(asked.get(name), dict))]
    found = [place[name] for place in places for name in LIMITS if isinstance(place.get(name), int)]
    return next((number for number in found if number > 0), None)


def ended(row: Row) -> dict[str, Any]:
    """Of an answer that broke off nobody has said how many tokens it had."""
    whole = not row.error and row.status < FIRST_FAILURE
    spent = max(0, row.usage.output) or (0 if whole else None)
    return {
        "request_id": row.details.request,
        "id": None,
        "status": "completed" if whole else "dismissed" if row.details.code == Cancelled.code else "failed",
        "model": row.model,
        "path": row.path,
        "progress": spent,
        "total": spent,
        "queue_position": None,
        "loading_percent": None,
        "bytes": row.details.bytes,
        "elapsed_ms": row.duration_ms,
        **({"error": row.error} if row.error else {}),
    }
