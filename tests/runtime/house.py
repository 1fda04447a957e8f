"""A conductor on a real keeper, with fake servers behind it: what the tests of runs and leases stand on."""

from __future__ import annotations

import asyncio
import secrets
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import MappingProxyType

from msgspec.structs import replace

from llamaswap_py.config.values import DEFAULT_GROUP, Config, Group, Model
from llamaswap_py.launchers.keeper_link import KeeperLink
from llamaswap_py.runtime.conductor import Conductor
from llamaswap_py.runtime.feed import Event, Feed, ModelChanged
from llamaswap_py.runtime.logs import Logs
from llamaswap_py.runtime.runs import Ground
from llamaswap_py.runtime.tasks import Tasks
from llamaswap_py.schedule.plan import Phase

FAKE = Path(__file__).resolve().parents[1] / "fakes" / "llama_server.py"


def fake(name: str, options: str = "", **more: object) -> Model:
    model = Model(name, f"{sys.executable} -S {FAKE} --port ${{PORT}} --alias {name} {options}")
    return replace(model, **more)


def config_of(*models: Model, **more: object) -> Config:
    by_name = MappingProxyType({model.id: model for model in models})
    config = Config(by_name, (Group(DEFAULT_GROUP, tuple(by_name)),))
    return replace(config, **more)


class House:
    def __init__(self, conductor: Conductor, feed: Feed, link: KeeperLink, logs: Logs) -> None:
        self.conductor = conductor
        self.link = link
        self.logs = logs
        self.events: list[Event] = []
        self.news = asyncio.Event()
        feed.subscribe(self.hear)

    def hear(self, event: Event) -> None:
        self.events.append(event)
        self.news.set()

    async def until(self, name: str, phase: Phase, run: int = 0) -> ModelChanged:
        """The first such change of a model, also one that was before."""
        while True:
            for event in self.events:
                if isinstance(event, ModelChanged) and (event.model, event.phase) == (name, phase) and event.run >= run:
                    return event
            self.news.clear()
            await self.news.wait()

    def pid(self, name: str) -> int | None:
        return next((row.pid for row in self.conductor.standings() if row.model.id == name), None)


@asynccontextmanager
async def house(config: Config) -> AsyncIterator[House]:
    """Everything ends with the block, and the test's clock is the loop's."""
    tasks = Tasks()
    logs = Logs("none", lambda _: None)
    feed = Feed()
    link = await KeeperLink.start(environ_token=secrets.token_hex(8), nofile=None, spawn_task=tasks.start)
    conductor = Conductor(config, Ground(link, logs, tasks, asyncio.get_running_loop().time), feed)
    async with asyncio.timeout(30):
        try:
            yield House(conductor, feed, link, logs)
        finally:
            conductor.hurry()
            await conductor.close(0)
            await link.close()
            await tasks.close()
