"""The whole at a glance, for dashboards: health, cards, APIs, models, advice. Nothing here is counted for it alone, and
what is not known is null."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import msgspec
from aiohttp import web

from llamaswap_py.library.described import Descriptions
from llamaswap_py.observe.gpu.gpus import Gpus
from llamaswap_py.observe.gpu.present import NONE
from llamaswap_py.observe.gpu.shown import figures, moment
from llamaswap_py.observe.insight import advice, health
from llamaswap_py.observe.insight.families import families, overall
from llamaswap_py.observe.performance import Performance, Sample
from llamaswap_py.observe.scores import Score
from llamaswap_py.observe.tally import Tally
from llamaswap_py.runtime.conductor import Conductor
from llamaswap_py.server.control import UP
from llamaswap_py.server.doors import Door, Kind
from llamaswap_py.server.happenings import Happenings
from llamaswap_py.server.overview.evidence import Counted, current, evidence, of_card, vitals
from llamaswap_py.server.overview.models import KnownModel, known, row
from llamaswap_py.server.overview.progress import ProgressDoors
from llamaswap_py.server.recording import Recordings

# The views of the page that show what these pages of other dashboards do.
VIEWS = {
    "": "overview",
    "gpu": "overview",
    "models": "models",
    "apis": "overview",
    "config": "configuration",
    "optimization": "overview",
    "production": "overview",
}


class Glances(msgspec.Struct, eq=False):
    """Who is asked."""

    conductor: Conductor
    recordings: Recordings
    performance: Performance
    gpus: Gpus
    tally: Tally
    happenings: Happenings
    version: str
    paths: Mapping[str, Sequence[str]]  # of each API
    taken: Callable[[], Awaitable[Mapping[str, int | None]]]  # the cards' memory of each model
    alerts: Callable[[], int] = msgspec.field(default=lambda: 0)  # that fire
    table: Callable[[], Sequence[Door]] = msgspec.field(default=tuple)
    starting: Callable[[], bool] = msgspec.field(default=lambda: False)


class Overview:
    def __init__(self, glances: Glances, progress: ProgressDoors) -> None:
        self.glances = glances
        self.progress = progress
        self.descriptions = Descriptions()
        self.began = time.time()
        self.one_at_a_time = asyncio.Lock()  # headers of files are read once

    def doors(self) -> list[Door]:
        return [
            Door("GET", "/api/metrics/dashboard", Kind.CONTROL, self.dashboard),
            Door("GET", "/api/metrics/gpu", Kind.CONTROL, self.gpu),
            Door("GET", "/api/metrics/apis", Kind.CONTROL, self.apis),
            Door("GET", "/api/metrics/optimization", Kind.CONTROL, self.optimization),
            Door("GET", "/api/status", Kind.CONTROL, self.status),
            Door("GET", "/api/info", Kind.CONTROL, self.info),
            Door("GET", "/dashboard", Kind.OPEN, to_the_view),
            Door("GET", "/dashboard/{view}", Kind.OPEN, to_the_view),
            *self.progress.doors(),
        ]

    # -- the doors

    async def dashboard(self, request: web.Request) -> web.Response:
        standing, models, cards = self.health(), await self.models(), await self.cards()
        return web.json_response(
            {"status": standing, "requests": self.progress.rows(), "models": models, "gpu_metrics": cards}
        )

    async def gpu(self, request: web.Request) -> web.Response:
        return web.json_response(await self.cards())

    async def apis(self, request: web.Request) -> web.Response:
        await self.glances.recordings.recorder.flush()
        tally = self.glances.tally
        rows = families(tally.scores(), tally.last, self.glances.paths)
        since = {"timestamp": moment(time.time()), "since": moment(self.began)}
        return web.json_response({"endpoints": rows, **since, "overallHealth": overall(rows)})

    async def optimization(self, request: web.Request) -> web.Response:
        glances = self.glances
        await glances.recordings.recorder.flush()
        models = await self.known_models()
        seconds = time.time() - self.began
        samples = glances.gpus.since(None)
        cards = [of_card(card, samples) for card in glances.gpus.fresh()]
        at = evidence(seconds, Counted(self.scores()), models, cards, self.sample())
        found = advice.advice(at)
        return web.json_response(
            {
                "timestamp": moment(time.time()),
                "since": moment(self.began),
                "score": advice.score(found),
                "recommendations": [each.row() for each in found],
                "system": {
                    "requests": at.requests,
                    "models": len(at.models),
                    "gpus": len(at.cards),
                    "memory_used_bytes": at.memory_used,
                    "memory_total_bytes": at.memory_total,
                },
            }
        )

    async def status(self, request: web.Request) -> web.Response:
        glances = self.glances
        state = "stopping" if glances.conductor.closed else "starting" if glances.starting() else "ok"
        standings = glances.conductor.standings()
        return web.json_response(
            {
                "status": state,
                "timestamp": moment(time.time()),
                "version": glances.version,
                "uptime_seconds": round(time.time() - self.began, 1),
                "models": {"known": len(standings), "running": sum(one.phase in UP for one in standings)},
                "active_requests": len(glances.recordings.inflight.flights),
            }
        )

    async def info(self, request: web.Request) -> web.Response:
        endpoints = sorted({(door.path, door.method) for door in self.glances.table()})
        return web.json_response(
            {
                "name": "llamaswap_py",
                "version": self.glances.version,
                "description": "Many local AI models behind one address",
                "apis": {name: list(paths) for name, paths in self.glances.paths.items()},
                "endpoints": [{"method": method, "path": path} for path, method in endpoints],
            }
        )

    # -- what they say

    async def glance(self) -> dict[str, Any]:
        return {"health": self.health(), "gpus": await self.cards()}

    def health(self) -> dict[str, Any]:
        glances = self.glances
        found = glances.tally.ended.lately(time.time())
        told = health.told(vitals(found, self.sample(), glances.gpus.fresh(), glances.alerts()))
        return {"status": told["status"], "timestamp": moment(time.time()), **told}

    async def cards(self) -> dict[str, Any]:
        gpus = self.glances.gpus
        told = figures(gpus.known(), await self.glances.taken(), time.time())
        versions = gpus.about.get("nvidia", {})
        driver = next((each["driver_version"] for each in gpus.about.values() if each["driver_version"]), None)
        told |= {"driver_version": driver, "cuda_version": versions.get("cuda_version")}
        return told | {"present": bool(told["gpus"]), "troubles": dict(gpus.troubles), "reason": self.absence()}

    def absence(self) -> str | None:
        """Why there is no card; None where there is one."""
        gpus = self.glances.gpus
        if gpus.known():
            return None
        if not gpus.every:
            return "the machine is not measured: `performance.disabled` is set"
        if gpus.choice == NONE:
            return "`performance.gpus` is `none`: no GPU is looked for"
        if gpus.troubles:
            return "; ".join(f"{kind}: {why}" for kind, why in gpus.troubles.items())
        return "no GPU is visible to this server"

    async def known_models(self) -> list[KnownModel]:
        config = self.glances.conductor.config
        async with self.one_at_a_time:
            return await asyncio.to_thread(known, list(config.models.values()), self.descriptions)

    async def models(self) -> list[dict[str, Any]]:
        """Also those that are down."""
        states = {one.model.id: one.phase.value for one in self.glances.conductor.standings()}
        return [row(each, states.get(each.model.id, "disabled")) for each in await self.known_models()]

    def sample(self) -> Sample | None:
        performance = self.glances.performance
        return current(performance.latest(), performance.every, time.time())

    def scores(self) -> list[Score]:
        return [*self.glances.tally.scores(), *self.glances.happenings.scores()]


async def to_the_view(request: web.Request) -> web.Response:
    """Relative, so that it also holds under a sub-path."""
    name = request.match_info.get("view")
    page = "../ui/" if name is not None else "ui/"
    return web.Response(status=302, headers={"Location": f"{page}#/{VIEWS.get(name or '', VIEWS[''])}"})
