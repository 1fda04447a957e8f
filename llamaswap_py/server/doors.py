"""The route table: every door of the house, who may pass it, and how it refuses."""

from __future__ import annotations

import asyncio
import posixpath
from collections.abc import Awaitable, Callable, Mapping, Sequence
from enum import Enum
from typing import Any

import msgspec
import structlog
from aiohttp import hdrs, web

from llamaswap_py.dialects import openai
from llamaswap_py.dialects.dialect import Dialect
from llamaswap_py.errors import Internal, MethodNotAllowed, NoSuchRoute, Refusal
from llamaswap_py.server.entrance import check_room
from llamaswap_py.server.guard import Guard
from llamaswap_py.server.identity import HEADER, give_id, id_of, put_id

log = structlog.get_logger("server")

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

ANY_ORIGIN = ("Access-Control-Allow-Origin", "*")


class Kind(Enum):
    OPEN = "anybody"
    MODEL = "a key where keys are set; any Host, any Origin"
    CONTROL = "a key where keys are set; our Host and our Origin only"


# Looked at for every request: on Python 3.11 a member of an Enum takes long to look up.
OPEN, MODEL, CONTROL = Kind.OPEN, Kind.MODEL, Kind.CONTROL


class Door(msgspec.Struct, frozen=True):
    method: str
    path: str
    kind: Kind
    handler: Handler
    dialect: Dialect = openai.DIALECT
    kind_at: Callable[[web.Request], Kind] | None = None  # where one path leads to more than one kind of thing
    head: bool = True  # a GET that only looks answers HEAD too
    relays: bool = (
        False  # its answers are refusals, or the relay has written them: nothing of theirs is left to be made
    )

    def kind_for(self, request: web.Request) -> Kind:
        return self.kind_at(request) if self.kind_at else self.kind


def admit(door: Door, guard: Callable[[], Guard]) -> Handler:
    """The handler behind its door: checks first, every refusal in the shape of the door's dialect."""

    async def handle(request: web.Request) -> web.StreamResponse:
        if request.method == hdrs.METH_OPTIONS:
            return preflight(request, door)
        try:
            kind = door.kind if door.kind_at is None else door.kind_at(request)
            if kind is not OPEN:
                current = guard()
                if kind is CONTROL:
                    current.check_origin(request.headers, order_by_get=not door.head)
                current.check_key(request.headers)
                if kind is MODEL:
                    check_room(request)
            return await door.handler(request)
        except Refusal as refusal:
            return refused(refusal, door, request)
        except (web.HTTPException, ConnectionError, asyncio.CancelledError):
            raise
        except Exception:
            log.exception(f"{request.method} {request.path} failed", request=id_of(request))
            return refused(Internal("something went wrong inside the proxy; its log says what"), door, request)

    return handle


def refused(refusal: Refusal, door: Door, request: web.Request) -> web.Response:
    answer = door.dialect.refuse(refusal, id_of(request))
    cors = (ANY_ORIGIN,) if door.kind_for(request) is Kind.MODEL else ()
    named = (HEADER, id_of(request))
    response = web.Response(status=answer.status, body=answer.body, headers=[*answer.headers, *cors, named])
    if answer.status in (408, 413, 415):
        response.force_close()  # the rest of the body is not worth reading
    return response


async def expect_nothing_yet(request: web.Request) -> None:
    """`100 Continue` is sent by whoever reads the body, after auth and limits."""


Server = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]
Straight = Mapping[tuple[str, str], Handler]  # a method and a path, as they stand in the request


def hang(app: web.Application, doors: Sequence[Door], guard: Callable[[], Guard]) -> Straight:
    """Put the doors into the application, and behind them all the one that says there is none. Returns those which
    can be found without it."""
    app.on_response_prepare.append(put_id)
    places: list[tuple[web.AbstractResource, Door]] = []
    straight: dict[tuple[str, str], Handler] = {}
    for door in doors:
        handler = admit(door, guard)
        route = app.router.add_route(door.method, door.path, handler, expect_handler=expect_nothing_yet)
        if route.resource is not None:
            places.append((route.resource, door))
        if door.relays and "{" not in door.path:
            straight.setdefault((door.method, door.path), handler)
        if door.method == hdrs.METH_GET and door.head:
            app.router.add_route(hdrs.METH_HEAD, door.path, handler, expect_handler=expect_nothing_yet)
    app.router.add_route("*", "/{path:.*}", no_door(places), expect_handler=expect_nothing_yet)
    return straight


def straight(doors: Straight, others: Server) -> Server:
    """What serves a request: its door where that is known by the bare path, else the application with all it can."""

    def serve(request: Any) -> Awaitable[web.StreamResponse]:
        give_id(request)
        handler = doors.get((request.method, request.rel_url.raw_path))
        return others(request) if handler is None else handler(request)

    return serve


def is_at(path: str, resource: web.AbstractResource) -> bool:
    place = resource.get_info()
    pattern = place.get("pattern")
    return place.get("path") == path if pattern is None else pattern.fullmatch(path) is not None


def cleaned(path: str) -> str:
    """Without empty segments and dots: a base address that ends in a slash makes `//v1/models`."""
    return posixpath.normpath("/" + path.lstrip("/")) + ("/" if path.endswith("/") and path.strip("/") else "")


def no_door(places: Sequence[tuple[web.AbstractResource, Door]]) -> Handler:
    def doors_at(request: web.Request) -> list[Door]:
        return [door for resource, door in places if is_at(request.rel_url.raw_path, resource)]

    async def handle(request: web.Request) -> web.StreamResponse:
        found = doors_at(request)
        if request.method == hdrs.METH_OPTIONS:
            return preflight(request, found[0] if found else None)
        clean = cleaned(request.rel_url.raw_path)
        if not found and any(is_at(clean, resource) for resource, _ in places):
            raise web.HTTPTemporaryRedirect(request.rel_url.with_path(clean, encoded=True, keep_query=True))
        if not found:
            refusal: Refusal = NoSuchRoute(f"there is no {request.path} here")
            return refused(refusal, Door("", "", Kind.MODEL, handle), request)
        allowed = sorted({door.method for door in found})
        refusal = MethodNotAllowed(f"{request.path} takes {' or '.join(allowed)}, not {request.method}")
        response = refused(refusal, found[0], request)
        response.headers["Allow"] = ", ".join(allowed)
        return response

    return handle


def preflight(request: web.Request, door: Door | None) -> web.Response:
    """A browser's question before a cross-origin request: model doors open to every origin, control doors to none."""
    if door is not None and door.kind_for(request) is Kind.CONTROL:
        return web.Response(status=204)
    wanted = request.headers.get("Access-Control-Request-Headers", "")
    names = [name.strip() for name in wanted.split(",")]
    tokens = [name for name in names if name and all(c.isalnum() or c in "!#$%&'*+-.^_`|~" for c in name)]
    headers = [
        ANY_ORIGIN,
        ("Access-Control-Allow-Methods", "GET, POST, PUT, PATCH, DELETE, OPTIONS"),
        (
            "Access-Control-Allow-Headers",
            ", ".join(tokens) or "Content-Type, Authorization, Accept, X-Requested-With",
        ),
        ("Access-Control-Max-Age", "86400"),
    ]
    return web.Response(status=204, headers=headers)
