"""What pages and dashboards ask of the machine and the program, and the few small doors of the house."""

from __future__ import annotations

import re
from datetime import datetime

from aiohttp import web

from llamaswap_py.errors import BadRequest, NoSuchRoute, NotKnown
from llamaswap_py.observe.gpu.gpus import Gpus
from llamaswap_py.observe.gpu.shown import accelerators
from llamaswap_py.observe.hardware import Hardware
from llamaswap_py.observe.performance import Performance
from llamaswap_py.server.doors import Door, Kind

RFC3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")


class Machine:
    def __init__(self, performance: Performance, hardware: Hardware, gpus: Gpus, version: str) -> None:
        self.performance = performance
        self.hardware = hardware
        self.gpus = gpus
        self.version = version

    def doors(self) -> list[Door]:
        return [
            Door("GET", "/api/performance", Kind.CONTROL, self.measured),
            Door("GET", "/api/hardware", Kind.CONTROL, self.described),
            Door("GET", "/api/version", Kind.CONTROL, self.named),
            Door("GET", "/wol-health", Kind.OPEN, alive),
            Door("GET", "/", Kind.OPEN, to_the_page),
            Door("GET", "/favicon.ico", Kind.OPEN, no_icon),
        ]

    async def measured(self, request: web.Request) -> web.Response:
        if not self.performance.enabled:
            return web.json_response({"enabled": False}, status=503)
        after = request.query.get("after", "")
        since = moment(after) if after else None
        samples, cards = self.performance.since(since), self.gpus.since(since)
        # llama-swap's page knows the difference: null where nothing was measured, [] where nothing is new.
        nothing: list[object] | None = [] if after else None
        told = {"enabled": True, "gpu_stats": cards or nothing, "sys_stats": samples or nothing}
        return web.json_response(told)

    async def described(self, request: web.Request) -> web.Response:
        facts = self.hardware.facts
        if facts is None:
            raise NotKnown("hardware detection unavailable")
        cards = [each.card for each in self.gpus.known()]
        return web.json_response({**facts, "accelerators": accelerators(cards)})

    async def named(self, request: web.Request) -> web.Response:
        return web.json_response({"build_date": "unknown", "commit": "unknown", "version": self.version})


async def alive(request: web.Request) -> web.Response:
    return web.Response(text="OK")


async def to_the_page(request: web.Request) -> web.Response:
    return web.Response(status=302, headers={"Location": "/ui"})


async def no_icon(request: web.Request) -> web.Response:
    raise NoSuchRoute("there is no /favicon.ico here")


def moment(text: str) -> datetime:
    try:
        # A plus sign in a query is a space to whoever reads it by the rules of forms.
        found = RFC3339.fullmatch(text.replace(" ", "+"))
        return datetime.fromisoformat(found[0] if found else "")
    except ValueError as error:
        raise BadRequest("invalid 'after' timestamp, use RFC3339 format") from error
