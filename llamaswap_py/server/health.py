"""`GET /health` and `/ready`: plain OK for whoever balances, how each part is for whoever asks for more.

The door is open to anybody, so it tells numbers and no names."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from typing import Any

from aiohttp import web

from llamaswap_py.observe.activity import Recorder
from llamaswap_py.observe.gpu.shown import moment
from llamaswap_py.runtime.conductor import Conductor
from llamaswap_py.schedule.plan import FALLEN
from llamaswap_py.server.doors import Door, Kind

OK, DEGRADED = "ok", "degraded"


class Health:
    """Says OK until the program is to stop: whoever balances sends nobody here then."""

    def __init__(self, conductor: Conductor, recorder: Recorder) -> None:
        self.conductor = conductor
        self.recorder = recorder
        self.more: dict[str, Callable[[], dict[str, Any]]] = {}  # parts that others answer for
        self.starting: Callable[[], bool] = lambda: False  # it listens, and does not know all its models yet

    def doors(self) -> list[Door]:
        return [
            Door("GET", "/health", Kind.OPEN, self.answer),
            Door("GET", "/ready", Kind.OPEN, self.ready),
        ]

    async def answer(self, request: web.Request) -> web.Response:
        if "full" in request.query or "application/json" in request.headers.get("Accept", ""):
            return self.full(request)
        return await self.ready(request) if "ready" in request.query else self.told("OK", live=True)

    async def ready(self, request: web.Request) -> web.Response:
        return self.told("starting" if self.starting() else "OK", live=not self.starting())

    def told(self, text: str, *, live: bool) -> web.Response:
        if not self.conductor.closed:
            return web.Response(text=text, status=200 if live else 503)
        leaving = web.Response(status=503, text="shutting down")
        leaving.force_close()
        return leaving

    def full(self, request: web.Request) -> web.Response:
        stopping, starting = self.conductor.closed, self.starting()
        parts = {"models": self.models(), "records": self.records()}
        parts |= {name: told() for name, told in self.more.items()}
        state = OK if all(part["status"] == OK for part in parts.values()) else DEGRADED
        status = "stopping" if stopping else "starting" if starting else state
        ready = not stopping and not starting
        body = {"status": status, "timestamp": moment(time.time()), "ready": ready, "components": parts}
        answer = web.json_response(body, status=503 if stopping or (starting and "ready" in request.query) else 200)
        if stopping:
            answer.force_close()
        return answer

    def models(self) -> dict[str, Any]:
        standings = self.conductor.standings()
        bad = [one for one in standings if one.disabled or one.leaked or one.phase in FALLEN]
        phases = Counter(one.phase.value for one in standings)
        return {
            "status": DEGRADED if bad else OK,
            "known": len(standings),
            **phases,
            "unusable": len(bad),
            "in_flight": sum(one.seated for one in standings),
            "waiting": sum(one.waiting for one in standings),
        }

    def records(self) -> dict[str, Any]:
        recorder = self.recorder
        writer = recorder.writer
        lost_file = bool(writer.place[0]) and writer.store is not None and not writer.store.path
        return {"status": DEGRADED if writer.broken or lost_file else OK, "lost": recorder.lost}
