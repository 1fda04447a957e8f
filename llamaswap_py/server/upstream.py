"""A model's server by its own paths: `/upstream/<model>/…`, any method, bodies untouched.

What leads to a model route is that route; everything else there is the operator's, as the control routes are."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import unquote

import msgspec
from aiohttp import hdrs, web
from msgspec import structs

from llamaswap_py.config.filters import Edits
from llamaswap_py.config.names import SwitchedOff
from llamaswap_py.config.values import Remote
from llamaswap_py.dialects import openai
from llamaswap_py.dialects.dialect import Dialect, Parts, Route
from llamaswap_py.errors import BadRequest, NotLoaded, Refusal, UnknownModel
from llamaswap_py.runtime.peers import addressed
from llamaswap_py.schedule.plan import Phase
from llamaswap_py.server.bodies import passed_on, receive
from llamaswap_py.server.doors import Door, Kind
from llamaswap_py.server.proxy import Errand, Proxy, is_quiet, sent_on, title_of
from llamaswap_py.server.recording import Recording
from llamaswap_py.server.tunnels import tunnel, wants_tunnel
from llamaswap_py.wire.headers import UpstreamRequest

PREFIX = "/upstream/"


class Place(msgspec.Struct, frozen=True):
    """A model, and what is meant at its server: a path as it was sent, or empty where not even a slash follows."""

    model: str
    rest: str
    asked: str = ""  # its name in the path
    remote: Remote | None = None  # where it is a peer's


class Upstream:
    def __init__(self, proxy: Proxy, routes: Mapping[tuple[str, str], Dialect]) -> None:
        self.proxy = proxy
        self.conductor = proxy.conductor
        self.routes = routes  # the model routes by method and path

    def doors(self) -> list[Door]:
        return [
            Door("GET", "/upstream", Kind.OPEN, self.list),
            Door("*", "/upstream/{path:.*}", Kind.CONTROL, self.forward, kind_at=self.kind_at),
        ]

    async def list(self, request: web.Request) -> web.Response:
        return web.Response(status=302, headers={"Location": "/ui/models"})

    def kind_at(self, request: web.Request) -> Kind:
        place = self.place(request)
        asked = request.headers.get("Access-Control-Request-Method", "")
        method = asked if request.method == hdrs.METH_OPTIONS else request.method
        return Kind.MODEL if place is not None and (method, place.rest) in self.routes else Kind.CONTROL

    def place(self, request: web.Request) -> Place | None:
        """The longest beginning that is a model's name; ids may hold slashes, sent plain or encoded."""
        segments = request.rel_url.raw_path.removeprefix(PREFIX).split("/")
        for end in range(len(segments), 0, -1):
            name = "/".join(unquote(segment) for segment in segments[:end] if segment)
            choice = self.proxy.choosing.by_path(name) if segments[end - 1] else None
            if isinstance(choice, SwitchedOff):
                return None
            if choice is not None:
                remote = choice.target if isinstance(choice.target, Remote) else None
                return Place(title_of(choice), "".join(f"/{segment}" for segment in segments[end:]), name, remote)
        return None

    async def forward(self, request: web.Request) -> web.StreamResponse:
        place = self.place(request)
        if place is None:
            raise UnknownModel(
                f"model not found: {request.path} does not begin with a model's name (GET /v1/models lists the names)"
            )
        if not place.rest:
            return with_slash(request)
        quiet = place.remote is None and is_quiet(self.conductor.config, request.method, place.rest)
        if self.ignored(place) or (quiet and not self.is_up(place.model)):
            rule = "quietPaths" if quiet else "ignorePaths"
            raise NotLoaded(f"model {place.model} is not loaded; path matches upstream.{rule}")
        dialect = self.routes.get((request.method, place.rest))
        if dialect is None:
            return await self.send(request, place, looks=quiet or self.is_static(request, place))
        with self.proxy.recordings.begin(request, place.model, place.rest) as recording:
            if place.remote is not None:
                return await self.to_peer(request, place, place.remote, dialect, recording)
            upstream = self.upstream_request(request, place.rest)
            return await self.proxy.carry(request, Errand(place.model, upstream, dialect, recording, looks=quiet))

    async def to_peer(
        self, request: web.Request, place: Place, remote: Remote, dialect: Dialect, recording: Recording
    ) -> web.StreamResponse:
        """A request that names the model as the path does means the peer's own name for it."""
        config = self.conductor.config
        with await receive(request, config.max_body_bytes) as received:
            if named(dialect, received.parts) == place.asked != remote.model:
                received.change(Edits(remote.model))
            upstream = self.proxy.upstream_request(request, Route("", upstream=place.rest), received)
            peer = config.peers[remote.peer]
            return await self.proxy.carry(
                request, Errand(place.model, addressed(upstream, peer), dialect, recording, peer=peer)
            )

    def ignored(self, place: Place) -> bool:
        """A page left open asks for its files again and again; that must not load the model."""
        return place.remote is None and not self.is_up(place.model) and self.matches(place)

    def is_static(self, request: web.Request, place: Place) -> bool:
        """What a page consists of: nor does asking for it keep the model from its ttl."""
        reads = request.method in (hdrs.METH_GET, hdrs.METH_HEAD) and not wants_tunnel(request)
        return reads and place.remote is None and self.matches(place)

    def matches(self, place: Place) -> bool:
        return any(re.search(pattern, place.rest) for pattern in self.conductor.config.ignore_paths)

    def is_up(self, model: str) -> bool:
        sight = self.conductor.scheduler.sight(model)
        return sight is not None and sight.phase is Phase.READY

    async def send(
        self, request: web.Request, place: Place, wakes: bool = True, looks: bool = False
    ) -> web.StreamResponse:
        upstream = self.upstream_request(request, place.rest)
        errand = Errand(place.model, upstream, openai.DIALECT, open=False, wakes=wakes, looks=looks)
        if place.remote is not None:
            peer = self.conductor.config.peers[place.remote.peer]
            errand = structs.replace(errand, upstream=addressed(upstream, peer), peer=peer)
        if not wants_tunnel(request):
            return await self.proxy.carry(request, errand)
        if place.remote is not None:
            raise BadRequest(f"{place.model} is a peer's model: WebSockets are not passed on to peers")
        model = self.conductor.config.models[place.model]
        ignored = model.ignore_websockets
        if ignored and not self.is_up(place.model):
            raise NotLoaded(f"model {place.model} is not loaded; ignored websocket requests cannot start it")
        return await tunnel(request, errand, self.conductor, model)

    def upstream_request(self, request: web.Request, path: str) -> UpstreamRequest:
        query = request.rel_url.raw_query_string
        target = f"{path}?{query}" if query else path
        return sent_on(request, target, passed_on(request), self.proxy.guard().dropped_headers)


def named(dialect: Dialect, parts: Parts) -> str:
    try:
        return dialect.read(parts).model
    except Refusal:  # it is the peer's to say what it thinks of that
        return ""


def with_slash(request: web.Request) -> web.Response:
    """Pages of the server are written for a folder of their own."""
    query = request.rel_url.raw_query_string
    status = 301 if request.method in (hdrs.METH_GET, hdrs.METH_HEAD) else 308
    place = f"{request.rel_url.raw_path}/{f'?{query}' if query else ''}"
    return web.Response(status=status, headers={"Location": place})
