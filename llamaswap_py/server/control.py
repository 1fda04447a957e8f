"""What operators and pages order: what runs, load, unload, restart, reset."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp import web

from llamaswap_py.config.names import resolve
from llamaswap_py.config.secrets import masked_text, secrets_of_model
from llamaswap_py.config.values import Config
from llamaswap_py.runtime.conductor import Conductor
from llamaswap_py.runtime.estimate import Progress
from llamaswap_py.runtime.standings import Standing
from llamaswap_py.schedule.explain import explained
from llamaswap_py.schedule.facts import PinAsked
from llamaswap_py.schedule.line import places
from llamaswap_py.schedule.plan import FALLEN, Phase
from llamaswap_py.server.choosing import unknown
from llamaswap_py.server.doors import Door, Kind

if TYPE_CHECKING:
    from llamaswap_py.server.shapes.models import Loading

UP = (Phase.STARTING, Phase.READY, Phase.STOPPING)


def known(config: Config, name: str) -> str:
    """The model here that an order means by this name."""
    model = resolve(config, name)
    if model is None:
        raise unknown(config, name)
    return model


def load_row(progress: Progress) -> Loading:
    """`percent` and `left` are null where no earlier load tells."""
    percent = None if progress.fraction is None else int(100 * progress.fraction)
    left = None if progress.left is None else round(progress.left, 1)
    return {"seconds": round(progress.seconds, 1), "percent": percent, "left": left}


def running_row(standing: Standing) -> dict[str, object]:
    model = standing.model
    return {
        "model": model.id,
        "state": "disabled" if standing.disabled else "leaked" if standing.leaked else standing.phase.value,
        "cmd": masked_text(model.cmd, secrets_of_model(model)),
        "proxy": "" if standing.disabled else model.proxy,
        "ttl": int(model.ttl) if model.ttl == int(model.ttl) else model.ttl,
        "name": model.name,
        "description": model.description,
        "pid": standing.pid,
        "seated": standing.seated,
        "waiting": standing.waiting,
        **({"pinned": True} if standing.pinned else {}),
        **({"loading": load_row(standing.loading)} if standing.loading else {}),
        **({"why": standing.why} if standing.why else {}),
        **({"leaked": list(standing.leaked)} if standing.leaked else {}),
    }


def unusable(standing: Standing) -> bool:
    return standing.disabled or bool(standing.leaked)


class Control:
    def __init__(self, conductor: Conductor) -> None:
        self.conductor = conductor

    def doors(self) -> list[Door]:
        return [
            Door("GET", "/running", Kind.CONTROL, self.running),
            Door("GET", "/unload", Kind.CONTROL, self.unload_all_ok, head=False),
            Door("POST", "/models/unload", Kind.CONTROL, self.unload_all),
            Door("POST", "/api/models/unload", Kind.CONTROL, self.unload_all),
            Door("POST", "/api/models/unload/{model:.+}", Kind.CONTROL, self.unload),
            Door("POST", "/api/models/load/{model:.+}", Kind.CONTROL, self.load),
            Door("POST", "/api/models/restart/{model:.+}", Kind.CONTROL, self.restart),
            Door("POST", "/api/models/reset/{model:.+}", Kind.CONTROL, self.reset),
            Door("POST", "/api/models/pin/{model:.+}", Kind.CONTROL, self.pin),
            Door("POST", "/api/models/unpin/{model:.+}", Kind.CONTROL, self.unpin),
        ]

    def named(self, request: web.Request) -> str:
        return known(self.conductor.config, request.match_info["model"])

    async def running(self, request: web.Request) -> web.Response:
        """What is up, what failed lately and why, and for what callers wait."""
        shown = (*UP, *FALLEN)
        standings = self.conductor.standings(everything=False)
        rows = [running_row(standing) for standing in standings if standing.phase in shown or unusable(standing)]
        waiting = {standing.model.id: standing.waiting for standing in standings if standing.waiting}
        conductor = self.conductor
        queue = [
            {"model": place.model, "position": place.position, "caller": place.caller, "waited": round(place.waited, 3)}
            for place in places(conductor.scheduler.state, conductor.ground.clock())
        ]
        evicted = {standing.model.id: explained(standing.evicted) for standing in standings if standing.evicted}
        return web.json_response(
            {
                "running": rows,
                "waiting": waiting,
                **({"queue": queue} if queue else {}),
                **({"evicted": evicted} if evicted else {}),
            }
        )

    async def unload_all_ok(self, request: web.Request) -> web.Response:
        await self.conductor.unload()
        return web.Response(text="OK")

    async def unload_all(self, request: web.Request) -> web.Response:
        await self.conductor.unload()
        return web.json_response({"msg": "ok"})

    async def unload(self, request: web.Request) -> web.Response:
        await self.conductor.unload((self.named(request),))
        return web.Response(text="OK")

    async def load(self, request: web.Request) -> web.Response:
        model = self.named(request)
        await self.conductor.load(model)
        return web.json_response({"msg": "ok", "model": model, "state": "ready"})

    async def restart(self, request: web.Request) -> web.Response:
        model = self.named(request)
        await self.conductor.restart(model)
        return web.json_response({"msg": "ok", "model": model, "state": "ready"})

    async def reset(self, request: web.Request) -> web.Response:
        model = self.named(request)
        self.conductor.reset(model)
        return web.json_response({"msg": "ok", "model": model})

    async def pin(self, request: web.Request) -> web.Response:
        return self.pinned(request, True)

    async def unpin(self, request: web.Request) -> web.Response:
        return self.pinned(request, False)

    def pinned(self, request: web.Request, pinned: bool) -> web.Response:
        model = self.named(request)
        self.conductor.tell(PinAsked(model, pinned))
        return web.json_response({"msg": "ok", "model": model, "pinned": pinned})
