"""Benchmarks by order of a page: each a `llamaswap bench` of its own, one at a time, so that none disturbs another.

A program of its own, because who measures must not share a loop with whom it measures."""

from __future__ import annotations

import asyncio
import json
import os
import re
import secrets
import sys
from collections.abc import Callable, Coroutine, Mapping
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import msgspec
import structlog

from llamaswap_py.bench.values import Plan

COMMAND = (sys.executable, "-m", "llamaswap_py", "bench")
KEPT = 20  # that are over
LONGEST = 64 * 1024 * 1024  # bytes of what one says at its end
HOW_FAR = re.compile(r"\((\d+) of (\d+) done\)")
WAITING, RUNNING, DONE, FAILED, CANCELLED = "waiting", "running", "done", "failed", "cancelled"
OVER = (DONE, FAILED, CANCELLED)

log = structlog.get_logger("bench")


class Work(Protocol):
    def cancel(self) -> bool: ...


class Where(NamedTuple):
    """Of the server that is measured: ourselves."""

    url: str
    key: str
    state: Path


class Order(msgspec.Struct):
    id: str
    models: tuple[str, ...]
    plan: Plan
    state: str = WAITING
    doing: str = ""
    done: int = 0  # of the cells of the model that is measured now
    of: int = 0
    session: str = ""  # what is kept of it
    error: str = ""
    work: Work | None = None

    def row(self) -> dict[str, Any]:
        names = ("id", "state", "doing", "done", "of", "session", "error")
        return {"models": list(self.models), **{name: getattr(self, name) for name in names}}


class Benchmarks:
    """`told` hears of every change."""

    def __init__(
        self,
        spawn: Callable[[str, Coroutine[Any, Any, None]], Work],
        told: Callable[[Mapping[str, Any]], object],
        where: Callable[[], Where],
    ) -> None:
        self.spawn = spawn
        self.told = told
        self.where = where
        self.known: dict[str, Order] = {}
        self.turn = asyncio.Lock()

    def begin(self, models: tuple[str, ...], plan: Plan) -> Order:
        over = [order.id for order in self.known.values() if order.state in OVER]
        for name in over[: max(0, len(over) - KEPT + 1)]:
            del self.known[name]
        order = Order(secrets.token_hex(4), models, plan)
        self.known[order.id] = order
        order.work = self.spawn(f"benchmark {order.id}", self.carry_out(order))
        self.told(order.row())
        return order

    def cancel(self, order: Order) -> None:
        """One that is over is forgotten instead."""
        if order.state in OVER:
            del self.known[order.id]
            return
        self.end(order, CANCELLED)
        if order.work is not None:
            order.work.cancel()

    def rows(self, everything: bool = True) -> list[dict[str, Any]]:
        return [order.row() for order in self.known.values() if everything or order.state not in OVER]

    def end(self, order: Order, state: str, error: str = "") -> None:
        if order.state not in OVER:
            order.state, order.error = state, error
            self.told(order.row())

    async def carry_out(self, order: Order) -> None:
        async with self.turn:
            order.state = RUNNING
            self.told(order.row())
            where = self.where()
            process = await asyncio.create_subprocess_exec(
                *COMMAND, *words(order, where),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                limit=LONGEST,
                env={**os.environ, "LLAMASWAP_API_KEY": where.key},
            )  # fmt: skip
            try:
                assert process.stdout is not None
                answer, last = await asyncio.gather(process.stdout.read(), self.follow(order, process))
                await process.wait()
            finally:
                if process.returncode is None:
                    process.kill()
                    await process.wait()
            self.settle(order, answer, last)

    async def follow(self, order: Order, process: asyncio.subprocess.Process) -> str:
        """Its last words."""
        assert process.stderr is not None
        last = ""
        async for line in process.stderr:
            last = line.decode("utf-8", "replace").strip() or last
            found = HOW_FAR.search(last)
            order.doing = HOW_FAR.sub("", last).strip()
            order.done, order.of = (int(found[1]), int(found[2])) if found else (order.done, order.of)
            self.told(order.row())
        return last

    def settle(self, order: Order, answer: bytes, last: str) -> None:
        try:
            session = json.loads(answer)
            troubles = [f"{each['name']}: {each['trouble']}" for each in session["results"] if each["trouble"]]
            order.session = session["id"] if any(each["cells"] for each in session["results"]) else ""
        except (ValueError, KeyError, TypeError):
            troubles = [last or "it ended without a word"]
        order.doing = ""
        self.end(order, FAILED if troubles else DONE, "; ".join(troubles))
        log.info(f"benchmark of {', '.join(order.models)} is {order.state}{': ' + order.error if order.error else ''}")


def words(order: Order, where: Where) -> list[str]:
    plan = order.plan
    flags = [f"--url={where.url}", f"--state-dir={where.state}", "--json"]
    flags += [f"--prompt={','.join(map(str, plan.prompts))}", f"--concurrency={','.join(map(str, plan.callers))}"]
    flags += [f"--tokens={plan.tokens}", f"--repeat={plan.repeats}", *([] if plan.loads else ["--no-load"])]
    return [*flags, "--", *order.models]
