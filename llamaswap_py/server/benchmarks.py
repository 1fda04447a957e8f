"""Benchmarks over the API: begun, watched, cancelled; what is kept of them, as values and as a report."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import msgspec
from aiohttp import web

from llamaswap_py.bench.kept import Shelf
from llamaswap_py.bench.underway import OVER, Benchmarks
from llamaswap_py.bench.values import Plan, Session
from llamaswap_py.config.values import Config
from llamaswap_py.errors import BadRequest, NoSuchRecord, TooManyRequests
from llamaswap_py.server.bodies import read_body
from llamaswap_py.server.control import known
from llamaswap_py.server.doors import Door, Kind

LARGEST = 64 * 1024  # bytes of an order
MOST_WAITING = 10
MOST = {"prompt": 1_000_000, "concurrency": 256, "tokens": 100_000, "repeat": 100}
# The report is a page of its own that needs nothing: whatever a model is called, nothing in it runs.
SEALED = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'"}


class BenchmarkDoors:
    def __init__(self, benchmarks: Benchmarks, shelf: Shelf, config: Callable[[], Config]) -> None:
        self.benchmarks = benchmarks
        self.shelf = shelf
        self.config = config

    def doors(self) -> list[Door]:
        return [
            Door("GET", "/api/benchmarks", Kind.CONTROL, self.show_all),
            Door("POST", "/api/benchmarks", Kind.CONTROL, self.begin),
            Door("GET", "/api/benchmarks/{id}", Kind.CONTROL, self.show),
            Door("GET", "/api/benchmarks/{id}/report", Kind.CONTROL, self.report),
            Door("DELETE", "/api/benchmarks/{id}", Kind.CONTROL, self.remove),
        ]

    async def show_all(self, request: web.Request) -> web.Response:
        sessions = await asyncio.to_thread(self.shelf.sessions)
        kept = [summary(each) for each in reversed(sessions)]
        return web.json_response({"orders": self.benchmarks.rows(), "kept": kept})

    async def begin(self, request: web.Request) -> web.Response:
        models, plan = wanted(await read_body(request, LARGEST))
        config = self.config()
        ids = tuple(dict.fromkeys(known(config, name) for name in models))
        if len(self.benchmarks.rows(everything=False)) >= MOST_WAITING:
            raise TooManyRequests(f"{MOST_WAITING} benchmarks are waiting; cancel some, or wait")
        return web.json_response(self.benchmarks.begin(ids, plan).row(), status=202)

    async def kept(self, request: web.Request) -> Session:
        name = request.match_info["id"]
        sessions = await asyncio.to_thread(self.shelf.sessions)
        found = next((each for each in sessions if each.id == name), None)
        if found is None:
            raise NoSuchRecord(f"there is no benchmark {name}")
        return found

    async def show(self, request: web.Request) -> web.Response:
        order = self.benchmarks.known.get(request.match_info["id"])
        if order is not None:
            return web.json_response(order.row())
        return web.Response(body=msgspec.json.encode(await self.kept(request)), content_type="application/json")

    async def report(self, request: web.Request) -> web.Response:
        from llamaswap_py.bench.report import report  # who never asks for one does without

        session = await self.kept(request)
        page = await asyncio.to_thread(lambda: report(session, self.shelf.sessions()))
        return web.Response(text=page, content_type="text/html", headers=SEALED)

    async def remove(self, request: web.Request) -> web.Response:
        """An order is cancelled, or forgotten when it is over; what is kept is deleted."""
        name = request.match_info["id"]
        order = self.benchmarks.known.get(name)
        if order is None:
            session = await self.kept(request)
            await asyncio.to_thread(self.shelf.remove, session)
            return web.json_response({"id": name, "state": "removed"})
        was_over = order.state in OVER
        self.benchmarks.cancel(order)
        return web.json_response({"id": name, "state": "removed" if was_over else order.state})


def summary(session: Session) -> dict[str, Any]:
    models = [
        {"name": each.name, "about": each.about, "speed": max((cell.speed for cell in each.cells), default=None)}
        for each in session.results
    ]
    return {"id": session.id, "began": session.began, "machine": session.machine, "models": models}


def wanted(body: bytes) -> tuple[tuple[str, ...], Plan]:
    try:
        asked = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        asked = None
    models = asked.get("models") if isinstance(asked, dict) else None
    if not isinstance(asked, dict) or not isinstance(models, list) or not models or not all_texts(models):
        raise BadRequest(
            'say which models: {"models": ["a"]}, with prompt, concurrency, tokens, repeat, loads as wanted'
        )
    unknown = sorted(asked.keys() - {"models", "loads", *MOST})
    if unknown:
        raise BadRequest(f"a benchmark has no {', '.join(unknown)}; it has models, loads and {', '.join(MOST)}")
    usual = Plan()
    loads = asked.get("loads", True)
    if not isinstance(loads, bool):
        raise BadRequest("loads must be true or false")
    plan = Plan(
        prompts=several(asked, "prompt", usual.prompts),
        callers=several(asked, "concurrency", usual.callers),
        tokens=several(asked, "tokens", (usual.tokens,))[-1],
        repeats=several(asked, "repeat", (usual.repeats,))[-1],
        loads=loads,
    )
    return tuple(models), plan


def all_texts(values: list[Any]) -> bool:
    return all(isinstance(each, str) and each for each in values)


def several(asked: dict[str, Any], name: str, usual: tuple[int, ...]) -> tuple[int, ...]:
    """One number or a list of them."""
    value = asked.get(name)
    if value is None:
        return usual
    listed = value if isinstance(value, list) else [value]
    good = all(isinstance(each, int) and not isinstance(each, bool) and 0 < each <= MOST[name] for each in listed)
    if not listed or not good or len(listed) > 20:
        raise BadRequest(f"{name} must be whole numbers from 1 to {MOST[name]}")
    return tuple(sorted(set(listed)))
