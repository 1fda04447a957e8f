"""One life of a model's server, from the order to start it until nothing of it is left."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from llamaswap_py.config.command import render
from llamaswap_py.config.values import Config, Model
from llamaswap_py.errors import Refusal, StartFailed, StartTimeout, Unloaded, UpstreamFailed
from llamaswap_py.keeper import trees
from llamaswap_py.launchers.keeper_link import KeeperLink
from llamaswap_py.launchers.local import LocalRun
from llamaswap_py.runtime import health, ports
from llamaswap_py.runtime.logs import Logs
from llamaswap_py.runtime.output import Ring
from llamaswap_py.runtime.pool import Pool
from llamaswap_py.runtime.tasks import Tasks
from llamaswap_py.wire.address import Address

# How much of a failed command's output its callers are shown.
TAIL_LINES = 12
TAIL_BYTES = 8 * 1024

# The broken connection of a server that died is seen some milliseconds before the word of its death arrives.
DEATH_NEWS_SECONDS = 0.25


@dataclass
class Ground:
    """What every run stands on."""

    link: KeeperLink
    logs: Logs
    tasks: Tasks
    clock: health.Clock
    sleep: health.Sleep = asyncio.sleep
    taken_ports: set[int] = field(default_factory=set)


class Run:
    def __init__(self, number: int, model: Model, config: Config, ground: Ground) -> None:
        self.number = number
        self.model = model
        self.rendered = model
        self.preferred_port = config.ports.get(model.id)
        self.ready_limit = config.health_check_timeout
        self.ground = ground
        self.port: int | None = None
        self.pool: Pool | None = None
        self.child: LocalRun | None = None
        self.last_words = Ring(TAIL_BYTES)
        self.stopping: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.gone: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def __repr__(self) -> str:
        return f"<run {self.number} of {self.model.id} port={self.port} pid={self.child.pid if self.child else None}>"

    @property
    def connections(self) -> Pool:
        assert self.pool is not None, "a run has connections from its start on"
        return self.pool

    @property
    def lost(self) -> bool:
        """Its server ended unasked; the scheduler hears of it when nothing of it is left."""
        return self.child is not None and self.child.ended.done() and not self.stopping.done()

    async def death(self) -> Refusal | None:
        """Why its server is gone, asked by a caller whose connection broke; None where it lives or was stopped."""
        if self.child is not None:
            await asyncio.wait([self.child.ended], timeout=DEATH_NEWS_SECONDS)
        return self.post_mortem() if self.lost else None

    def post_mortem(self) -> Refusal:
        assert self.child is not None
        return UpstreamFailed(self.told(f"its server ended with {self.child.ended.result()}"))

    def stop(self, why: str) -> None:
        if not self.stopping.done():
            self.stopping.set_result(why)

    def adopt(self, model: Model) -> None:
        """The same command under edited settings: what counts at the stop is what is configured then."""
        self.model = model
        self.rendered = render(model, self.port)
        if self.child is not None:
            self.child.model = self.rendered

    async def live(self, ready: Callable[[], None]) -> Refusal | None:
        """Tells `ready` at most once; returns why it ended, None where that was ordered."""
        if self.stopping.done():
            return None
        failure: Refusal | None = None
        try:
            await self.spawn()
            failure = await self.become_ready()
            if failure is None and not self.stopping.done():
                ready()
                failure = await self.until_over()
        except Refusal as refusal:
            failure = refusal
        finally:
            await self.finish(failure)
        return None if self.stopping.done() else failure

    async def spawn(self) -> None:
        if not self.model.cmd.strip():
            raise StartFailed(f"model {self.model.id} has no command: give it a `cmd` in the configuration")
        if "${PORT}" in self.model.cmd:
            self.port = self.take_port()
        self.rendered = render(self.model, self.port)
        self.pool = Pool(self.address())
        try:
            self.child = await LocalRun.launch(self.ground.link, self.rendered, self.port, self.output, os.environ)
        except StartFailed as refusal:
            raise StartFailed(f"model {self.model.id}: {refusal.message}") from refusal

    def take_port(self) -> int:
        try:
            port = ports.pick(self.preferred_port, self.ground.taken_ports)
        except OSError as error:
            raise StartFailed(f"model {self.model.id}: {error}: all ports of this machine are in use") from error
        self.ground.taken_ports.add(port)
        return port

    def address(self) -> Address:
        try:
            return Address.parse(self.rendered.proxy)
        except ValueError as error:
            why = f"its proxy cannot be reached: {error}. Write it as http://host:port"
            raise StartFailed(f"model {self.model.id}: {why}") from error

    def output(self, data: bytes) -> None:
        self.last_words.write(data)
        self.ground.logs.from_model(self.model.id, data)

    async def become_ready(self) -> Refusal | None:
        assert self.child is not None
        if self.rendered.check_endpoint.strip() == "none":
            return None
        verdict: asyncio.Future[Refusal | None] = asyncio.get_running_loop().create_future()
        probing = self.ground.tasks.start(f"probe {self.model.id}", self.probe_until_ready(verdict))
        try:
            await first_of(verdict, self.child.ended, self.stopping)
        finally:
            probing.cancel()
        if self.child.ended.done():
            how = self.child.ended.result()
            return StartFailed(self.told(f"its command ended with {how} before it was ready"))
        refusal = verdict.result() if verdict.done() else None
        if isinstance(refusal, StartTimeout):
            return StartTimeout(self.told(refusal.message))
        return refusal

    async def probe_until_ready(self, verdict: asyncio.Future[Refusal | None]) -> None:
        refusal = await health.until_ready(self.probe, self.ready_limit, self.ground.clock, self.ground.sleep)
        verdict.set_result(refusal or self.refuse_stranger())

    async def probe(self, deadline: float) -> int:
        return await self.connections.get(probe_path(self.rendered.check_endpoint), deadline)

    def refuse_stranger(self) -> Refusal | None:
        """Where we gave out the port, somebody else's server on it must not be taken for ours."""
        if self.port is None or self.child is None:
            return None
        other = ports.stranger(self.port, self.child.started, {self.child.pid})
        if other is None or other.pid in trees.members(self.child.pid):
            return None
        return StartFailed(
            f"model {self.model.id}: port {self.port} is answered by {other}, which was there before our start:"
            " stop it, or change startPort"
        )

    async def until_over(self) -> Refusal | None:
        assert self.child is not None
        lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        watching = self.ground.tasks.start(f"watch {self.model.id}", self.watch_detached(self.child, lost))
        try:
            await first_of(lost, self.child.ended, self.stopping)
        finally:
            watching.cancel()
        if self.child.ended.done():
            return self.post_mortem()
        return UpstreamFailed(self.told("its server has stopped answering")) if lost.done() else None

    async def watch_detached(self, child: LocalRun, lost: asyncio.Future[None]) -> None:
        """A command that ended well and left its server elsewhere (a container, say) is alive while it answers."""
        await asyncio.shield(child.child.exited)
        if child.detached:
            await health.until_lost(self.alive, self.ground.sleep)
            lost.set_result(None)

    async def alive(self, deadline: float) -> int:
        """Without a health endpoint any answer at all is a sign of life."""
        if self.rendered.check_endpoint.strip() != "none":
            return await self.probe(deadline)
        await self.connections.get("/", deadline)
        return 200

    async def finish(self, failure: Refusal | None) -> None:
        """Our connections first: llama-server does not heed SIGTERM while a caller is connected."""
        if self.pool is not None:
            why = self.stopping.result() if self.stopping.done() else "the proxy broke it off"
            stopped = Unloaded(f"model {self.model.id} was stopped while it answered: {why}")
            self.pool.close(stopped if failure is None or self.stopping.done() else failure)
        if self.child is not None:
            await self.child.stop(self.model.unload_timeout)
        if self.port is not None:
            self.ground.taken_ports.discard(self.port)

    def told(self, what: str) -> str:
        tail = self.last_words.tail(TAIL_LINES)
        return f"model {self.model.id}: {what}" + (f". Its last output:\n{tail}" if tail else "")


async def first_of(*futures: asyncio.Future[Any]) -> None:
    await asyncio.wait(futures, return_when=asyncio.FIRST_COMPLETED)


def probe_path(endpoint: str) -> str:
    """Of a full URL only the path and the query count; an empty endpoint is the root."""
    parts = urlsplit(endpoint.strip())
    path = parts.path if parts.path.startswith("/") else f"/{parts.path}"
    return f"{path}?{parts.query}" if parts.query else path
