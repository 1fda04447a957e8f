"""ComfyUI, which knows nothing of models: all of it belongs to the one model with this id."""

from __future__ import annotations

from aiohttp import web

from llamaswap_py.config.values import COMFYUI as MODEL
from llamaswap_py.errors import NotLoaded, UnknownModel
from llamaswap_py.server.doors import Door, Kind
from llamaswap_py.server.upstream import Place, Upstream, with_slash

PREFIX = "/comfyui"


class Comfyui:
    def __init__(self, upstream: Upstream) -> None:
        self.upstream = upstream

    def doors(self) -> list[Door]:
        return [
            Door("*", PREFIX, Kind.CONTROL, self.enter),
            Door("*", f"{PREFIX}/{{path:.*}}", Kind.CONTROL, self.forward),
        ]

    def check(self) -> None:
        if MODEL not in self.upstream.conductor.config.models:
            raise UnknownModel(f"local model {MODEL} not found: give the model that runs ComfyUI this id")

    async def enter(self, request: web.Request) -> web.Response:
        self.check()
        return with_slash(request)

    async def forward(self, request: web.Request) -> web.StreamResponse:
        """Only its first page may start it: the rest is asked for by pages that were left open."""
        self.check()
        path = request.rel_url.raw_path.removeprefix(PREFIX)
        wakes = path == "/"
        if not wakes and not self.upstream.is_up(MODEL):
            raise NotLoaded(f"model {MODEL} is not loaded; only {PREFIX}/ can start it")
        return await self.upstream.send(request, Place(MODEL, path), wakes)
