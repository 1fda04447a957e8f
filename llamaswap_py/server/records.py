"""What pages and operators ask of the records: rows, sums, captures, and the end of a request in flight."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from typing import Any

import msgspec
from aiohttp import web

from llamaswap_py.errors import Internal, NoSuchRecord
from llamaswap_py.observe.captures import Captures, found
from llamaswap_py.observe.indexes import COUNTED
from llamaswap_py.observe.rows import Wanted
from llamaswap_py.observe.spreads import count_on, spreads, stats
from llamaswap_py.observe.store import Store
from llamaswap_py.server.doors import Door, Kind
from llamaswap_py.server.exports import export
from llamaswap_py.server.finished import shown
from llamaswap_py.server.questions import integer, range_of, wanted_of
from llamaswap_py.server.recording import Recordings


class Records:
    def __init__(self, recordings: Recordings) -> None:
        self.recorder = recordings.recorder
        self.inflight = recordings.inflight

    def doors(self) -> list[Door]:
        return [
            Door("GET", "/api/metrics/activity", Kind.CONTROL, self.activity),
            Door("GET", "/api/metrics/activity.{form:csv|json}", Kind.CONTROL, self.exported),
            Door("GET", "/api/metrics/stats", Kind.CONTROL, self.stats),
            Door("GET", "/api/metrics/spreads", Kind.CONTROL, self.spread),
            Door("GET", "/api/captures/{id}", Kind.CONTROL, self.capture),
            Door("POST", "/api/inflight/{id}/cancel", Kind.CONTROL, self.cancel),
        ]

    async def activity(self, request: web.Request) -> web.Response:
        wanted = wanted_of(request)
        captures = self.recorder.captures
        return await self.told(lambda store: page(store, wanted, captures), "failed to get activity")

    async def exported(self, request: web.Request) -> web.StreamResponse:
        return await export(request, self.recorder, wanted_of(request), request.match_info["form"])

    async def stats(self, request: web.Request) -> web.Response:
        wanted = range_of(request)
        await self.counted()
        return await self.told(lambda store: stats(store, wanted), "failed to get activity stats")

    async def spread(self, request: web.Request) -> web.Response:
        wanted, now = range_of(request), int(time.time())
        await self.counted()
        return await self.told(lambda store: spreads(store, wanted, now), "failed to get activity spreads")

    async def counted(self) -> None:
        """All rows are, in steps between which others are written down."""
        while await self.recorder.ask(count_on):
            pass

    async def capture(self, request: web.Request) -> web.Response:
        number = integer(request.match_info["id"], "invalid capture ID")
        captures = self.recorder.captures
        return await self.told(lambda store: captured(store, captures, number), "failed to get capture")

    async def cancel(self, request: web.Request) -> web.Response:
        if not self.inflight.cancel(request.match_info["id"]):
            raise NoSuchRecord("inflight request not found")
        return web.json_response({"msg": "ok"})

    async def told(self, question: Callable[[Store], dict[str, Any] | None], failure: str) -> web.Response:
        """Asked, and written out as JSON, in the recorder's thread."""

        def answer(store: Store) -> bytes | None:
            found = question(store)
            return None if found is None else msgspec.json.encode(found)

        try:
            body = await self.recorder.ask(answer)
        except sqlite3.Error as error:
            raise Internal(failure) from error
        if body is None:
            raise NoSuchRecord("capture not found")
        return web.Response(body=body, content_type="application/json")


def page(store: Store, wanted: Wanted, captures: Captures) -> dict[str, Any]:
    rows, total = store.page(wanted)
    stored = store.captured_of([row.id for row in rows])
    return {
        "data": [shown(row, row.id in captures or row.id in stored) for row in rows],
        "page": wanted.page,
        "limit": wanted.limit,
        "total": total,
        "total_pages": -(-total // wanted.limit),
        **({"at_least": True} if wanted.narrow and total == COUNTED else {}),
    }


def captured(store: Store, captures: Captures, number: int) -> dict[str, Any] | None:
    """From memory, else from the file."""
    kept = captures.find(number)
    if kept is None and (data := store.capture(number)) is not None:
        kept = found(number, data)
    return kept
