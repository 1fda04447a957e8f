"""Whether a run's server is ready, whether it is ours, and whether it still lives. Watches one run, decides nothing."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from llamaswap_py.config.values import Model
from llamaswap_py.errors import Refusal, StartFailed, UpstreamFailed
from llamaswap_py.keeper import trees
from llamaswap_py.launchers.local import LocalRun
from llamaswap_py.runtime import health, ports
from llamaswap_py.runtime.pool import Pool
from llamaswap_py.runtime.tasks import Tasks


@dataclass
class Vitals:
    """The refusals that come from here say what happened; the run adds whose and its last words."""

    model: Model  # rendered
    port: int | None  # the one we gave out
    child: LocalRun
    pool: Pool
    stopping: asyncio.Future[str]
    tasks: Tasks
    clock: health.Clock
    sleep: health.Sleep

    @property
    def probed(self) -> bool:
        return self.model.check_endpoint.strip() != "none"

    async def become_ready(self, limit: float) -> Refusal | None:
        """None: it is ready, or a stop came first."""
        if not self.probed:
            return None
        verdict: asyncio.Future[Refusal | None] = asyncio.get_running_loop().create_future()
        probing = self.tasks.start(f"probe {self.model.id}", self.probe_until_ready(limit, verdict))
        try:
            await first_of(verdict, self.child.ended, self.stopping)
        finally:
            probing.cancel()
        if self.child.ended.done():
            return StartFailed(f"its command ended with {self.child.ended.result()} before it was ready")
        return verdict.result() if verdict.done() else None

    async def probe_until_ready(self, limit: float, verdict: asyncio.Future[Refusal | None]) -> None:
        try:
            refusal = await health.until_ready(self.probe, limit, self.clock, self.sleep)
            verdict.set_result(refusal or self.stranger())
        except Exception as mistake:  # noqa: BLE001  # it is the run's, which would wait for ever for a verdict
            verdict.set_exception(mistake)

    async def probe(self, deadline: float) -> int:
        return await self.pool.get(probe_path(self.model.check_endpoint), deadline)

    def stranger(self) -> Refusal | None:
        """Where we gave out the port, somebody else's server on it must not be taken for ours."""
        if self.port is None:
            return None
        other = ports.stranger(self.port, self.child.started, {self.child.pid})
        if other is None or other.pid in trees.members(self.child.pid):
            return None
        return StartFailed(
            f"port {self.port} is answered by {other}, which was there before our start: stop it, or change startPort"
        )

    async def until_over(self) -> Refusal | None:
        """Returns when it ended by itself (why), or is to be stopped (None)."""
        lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        watching = self.tasks.start(f"watch {self.model.id}", self.watch_detached(lost))
        try:
            await first_of(lost, self.child.ended, self.stopping)
        finally:
            watching.cancel()
        if self.child.ended.done():
            return UpstreamFailed(f"its server ended with {self.child.ended.result()}")
        if not lost.done():
            return None
        lost.result()
        return UpstreamFailed("its server has stopped answering")

    async def watch_detached(self, lost: asyncio.Future[None]) -> None:
        """A command that ended well and left its server elsewhere (a container, say) is alive while it answers."""
        await asyncio.shield(self.child.child.exited)
        if self.child.detached:
            try:
                await health.until_lost(self.alive, self.sleep)
                lost.set_result(None)
            except Exception as mistake:  # noqa: BLE001  # it is the run's, which would count as alive unwatched
                lost.set_exception(mistake)

    async def alive(self, deadline: float) -> int:
        """Without a health endpoint any answer at all is a sign of life."""
        if self.probed:
            return await self.probe(deadline)
        await self.pool.get("/", deadline)
        return 200


async def first_of(*futures: asyncio.Future[Any]) -> None:
    await asyncio.wait(futures, return_when=asyncio.FIRST_COMPLETED)


def probe_path(endpoint: str) -> str:
    """Of a full URL only the path and the query count; an empty endpoint is the root."""
    parts = urlsplit(endpoint.strip())
    path = parts.path if parts.path.startswith("/") else f"/{parts.path}"
    return f"{path}?{parts.query}" if parts.query else path
