"""The logs as text: their history, and history followed by what comes, without gap or repeat."""

from __future__ import annotations

import secrets

from aiohttp import hdrs, web

from llamaswap_py.config.names import resolve
from llamaswap_py.errors import BadRequest
from llamaswap_py.runtime.conductor import Conductor
from llamaswap_py.runtime.logs import Logs
from llamaswap_py.runtime.output import Ring
from llamaswap_py.server.doors import Door, Kind
from llamaswap_py.server.events import HEADERS, HEARTBEAT_SECONDS
from llamaswap_py.server.reading import BEAT, Reader


class LogDoors:
    def __init__(self, conductor: Conductor, logs: Logs) -> None:
        self.conductor = conductor
        self.logs = logs
        self.epoch = secrets.token_hex(4)  # places in the logs of an earlier start mean nothing now

    def doors(self) -> list[Door]:
        return [
            Door("GET", "/logs", Kind.CONTROL, self.history),
            Door("GET", "/logs/stream", Kind.CONTROL, self.stream),
            Door("GET", "/logs/stream/{name:.*}", Kind.CONTROL, self.stream),
        ]

    async def history(self, request: web.Request) -> web.Response:
        if "text/html" in request.headers.get("Accept", ""):
            return web.Response(status=302, headers={"Location": "/ui/"})
        return web.Response(body=self.logs.combined.history(), content_type="text/plain", charset="utf-8")

    def ring(self, name: str) -> Ring:
        ring = self.logs.find(name)
        if ring is not None:
            return ring
        model = resolve(self.conductor.config, name)
        if model is None:
            raise BadRequest(f"there is no log {name!r}: use 'proxy', 'upstream', or a model's id or alias")
        return self.logs.model(model)

    async def stream(self, request: web.Request) -> web.StreamResponse:
        ring = self.ring(request.match_info.get("name", ""))
        if "text/event-stream" in request.headers.get(hdrs.ACCEPT, ""):
            return await self.events(request, ring)
        response = web.StreamResponse(
            headers={
                "Content-Type": "text/plain; charset=utf-8",
                "X-Content-Type-Options": "nosniff",
                "X-Accel-Buffering": "no",
                "Cache-Control": "no-store",
            }
        )
        with ring.subscribe(history="no-history" not in request.query) as live:
            await response.prepare(request)
            if request.method == hdrs.METH_HEAD:
                return response
            if "no-follow" in request.query:
                live.close()  # what was queued is still given
            async for chunk in live:
                await response.write(chunk)
        await response.write_eof()
        return response

    async def events(self, request: web.Request, ring: Ring) -> web.StreamResponse:
        response = web.StreamResponse(headers=HEADERS)
        await response.prepare(request)
        if request.method == hdrs.METH_HEAD:
            return response
        reader = Reader(ring, self.epoch, request.headers.get("Last-Event-ID", ""))
        await response.write(reader.take() or BEAT)
        while not reader.closed and "no-follow" not in request.query:
            if not await reader.news(HEARTBEAT_SECONDS):
                await response.write(BEAT)
            elif data := reader.take():
                await response.write(data)
        await response.write_eof()
        return response
