"""Downloads by order: begin, look, follow, cancel. What they do is the business of another program."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from aiohttp import hdrs, web

from llamaswap_py.config.values import Config
from llamaswap_py.errors import BadRequest, NoSuchRecord, TooManyRequests
from llamaswap_py.library.pull.names import Wish, wish_of
from llamaswap_py.library.pull.troubles import PullFailed
from llamaswap_py.library.pull.underway import Pulls, Row, Underway
from llamaswap_py.server.bodies import read_body
from llamaswap_py.server.doors import Door, Kind
from llamaswap_py.server.events import HEADERS

MOST = 100  # that are not over: beyond that somebody's script runs wild


class PullDoors:
    def __init__(self, pulls: Pulls, config: Callable[[], Config]) -> None:
        self.pulls = pulls
        self.config = config

    def doors(self) -> list[Door]:
        return [
            Door("GET", "/api/pulls", Kind.CONTROL, self.show_all),
            Door("POST", "/api/pulls", Kind.CONTROL, self.begin),
            Door("GET", "/api/pulls/{id}", Kind.CONTROL, self.show),
            Door("DELETE", "/api/pulls/{id}", Kind.CONTROL, self.cancel),
        ]

    def named(self, request: web.Request) -> Underway:
        name = request.match_info["id"]
        if name not in self.pulls.known:
            raise NoSuchRecord(f"there is no pull {name}")
        return self.pulls.known[name]

    async def show_all(self, request: web.Request) -> web.Response:
        return web.json_response({"pulls": self.pulls.rows()})

    async def begin(self, request: web.Request) -> web.StreamResponse:
        wish = wanted(await read_body(request, self.config().max_body_bytes))
        if len(self.pulls.rows(everything=False)) >= MOST:
            raise TooManyRequests(f"{MOST} pulls are under way; cancel some, or wait")
        pull, is_new = self.pulls.begin(wish)
        return await self.answer(request, pull, 202 if is_new else 200)

    async def show(self, request: web.Request) -> web.StreamResponse:
        return await self.answer(request, self.named(request), 200)

    async def cancel(self, request: web.Request) -> web.Response:
        pull = self.named(request)
        self.pulls.cancel(pull)
        return web.json_response(pull.row())

    async def answer(self, request: web.Request, pull: Underway, status: int) -> web.StreamResponse:
        """Its row; as events until it is over, where the caller takes those."""
        if "text/event-stream" not in request.headers.get(hdrs.ACCEPT, ""):
            return web.json_response(pull.row(), status=status)
        response = web.StreamResponse(status=status, headers=HEADERS)
        await response.prepare(request)
        if request.method != hdrs.METH_HEAD:
            async for row in self.pulls.follow(pull):
                await response.write(event(row))
        await response.write_eof()
        return response


def event(row: Row) -> bytes:
    return b"event: pull\ndata: %b\n\n" % msgspec.json.encode(row)


def wanted(body: bytes) -> Wish:
    try:
        asked = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        asked = None
    if not isinstance(asked, dict) or not isinstance(asked.get("repo"), str):
        raise BadRequest(
            'say which repository: {"repo": "owner/name"}, with include, quant, revision, mmproj as wanted'
        )
    unknown = sorted(asked.keys() - {"repo", "include", "quant", "revision", "mmproj"})
    if unknown:
        raise BadRequest(f"a pull has no {', '.join(unknown)}; it has repo, include, quant, revision and mmproj")
    try:
        return wish_of(
            asked["repo"],
            patterns(asked),
            text(asked, "quant"),
            text(asked, "revision"),
            asked.get("mmproj") is not False,
        )
    except PullFailed as failure:
        raise BadRequest(failure.message) from failure


def text(asked: dict[str, Any], name: str) -> str:
    value = "" if asked.get(name) is None else asked[name]
    if not isinstance(value, str):
        raise BadRequest(f"{name} must be a text")
    return value


def patterns(asked: dict[str, Any]) -> tuple[str, ...]:
    """One, or a list of them."""
    value = [] if asked.get("include") is None else asked["include"]
    listed = [value] if isinstance(value, str) else value
    if not isinstance(listed, list) or not all(isinstance(each, str) and each for each in listed):
        raise BadRequest("include must be a pattern or a list of them")
    return tuple(listed)
