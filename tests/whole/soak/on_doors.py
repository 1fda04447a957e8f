"""Troubles at the doors: crowds, pages that never read, connections that say nothing, orders at bad moments."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from tests.whole.faults.crowd import connect, head
from tests.whole.soak.callers import Caller
from tests.whole.soak.scene import CHATTY
from tests.whole.soak.stage import Stage, Trouble

CROWD = 60  # callers at once, of one model


class OnDoors:
    def __init__(self, stage: Stage) -> None:
        self.stage = stage

    @property
    def kinds(self) -> dict[Trouble, int]:
        return {
            self.crowd: 2,
            self.page_that_never_reads: 2,
            self.idle_connections: 1,
            self.unload_all: 2,
            self.restart: 1,
            self.forgive_all: 2,
        }

    async def crowd(self) -> str:
        stage, model = self.stage, self.stage.random.choice(CHATTY)
        callers = [Caller(1000 + each, stage.seed, stage.session, stage.ledger) for each in range(CROWD)]
        stage.later(self.all_at_once(callers, model))
        return model

    async def all_at_once(self, callers: list[Caller], model: str) -> None:
        await asyncio.gather(*(each.once(each.plain, model) for each in callers))

    async def page_that_never_reads(self) -> str:
        page = connect(self.stage.program, head("GET", "/api/events"), 4096)
        self.stage.later(self.close_after(5, page.close))
        return ""

    async def idle_connections(self) -> str:
        """Half a head each."""
        for _ in range(30):
            idle = connect(self.stage.program, b"GET /health HTTP/1.1\r\nHost: loc")
            self.stage.later(self.close_after(3, idle.close))
        return ""

    async def close_after(self, seconds: float, close: Callable[[], None]) -> None:
        await self.stage.lapse(seconds)
        close()

    async def unload_all(self) -> str:
        self.stage.later(self.order("/api/models/unload"))
        return ""

    async def restart(self) -> str:
        model = self.stage.random.choice(CHATTY)
        self.stage.later(self.order(f"/api/models/restart/{model}"))
        return model

    async def forgive_all(self) -> str:
        """As somebody does who wants to see a model that gave up again."""
        for model in CHATTY:
            self.stage.later(self.order(f"/api/models/reset/{model}"))
        return ""

    async def order(self, path: str) -> None:
        async with self.stage.session.post(path) as answer:
            await answer.read()
            if answer.status == 500:
                self.stage.ledger.breach(f"{path} answered {answer.status}")
