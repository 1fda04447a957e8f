"""A server that loads is asked until it says that it is ready, and whether it is ours that says so."""

from __future__ import annotations

import asyncio
from urllib.parse import urlsplit

from llamaswap_py.config.values import Model
from llamaswap_py.errors import Refusal, StartFailed
from llamaswap_py.keeper import trees
from llamaswap_py.launchers.local import LocalRun
from llamaswap_py.runtime import health, ports
from llamaswap_py.runtime.fetching import probe
from llamaswap_py.runtime.pool import Pool
from llamaswap_py.runtime.progress import Patience


class Probing:
    """Of one load. In a rhythm, and once more where the server's output may say that it is ready."""

    def __init__(
        self, model: Model, port: int | None, child: LocalRun, pool: Pool, time: tuple[health.Clock, health.Sleep]
    ) -> None:
        self.path = probe_path(model.check_endpoint)
        self.port = port
        self.child = child
        self.pool = pool
        self.clock, self.sleep = time
        self.began = self.rested = self.clock()
        self.resting: asyncio.Timeout | None = None  # between two probes
        self.answered = False
        self.known = False  # that it is ours
        self.robbed = False  # another program answered on our port

    async def until_ready(self, patience: Patience) -> Refusal | None:
        while True:
            refusal = await health.until_ready(self.probe, patience, self.clock, self.rest)
            if refusal is not None or self.port is None or self.is_ours(self.port):
                return refusal
            refusal = self.stranger(self.port)
            if refusal is not None or await self.answers_again():
                return refusal

    async def rest(self, seconds: float) -> None:
        self.rested = self.clock()
        try:
            async with asyncio.timeout(None) as self.resting:
                await self.sleep(seconds)
        except TimeoutError:
            pass  # stirred
        finally:
            self.resting = None

    def stir(self) -> None:
        if self.resting is not None and not self.resting.expired():
            self.resting.reschedule(self.rested + health.least_pause(self.clock() - self.began))

    async def probe(self, deadline: float) -> int:
        """The connection stays for the first caller."""
        if self.pool.refuses():
            return 0
        answer = await probe(self.pool, self.path, deadline)
        if not self.answered and self.port is not None:
            self.answered = True
            self.is_ours(self.port)  # most say for a while that they load: nobody waits for this then
        return answer

    def is_ours(self, port: int) -> bool:
        """Certainly: the port is our child's, as long as that lives."""
        self.known = self.known or ports.is_held(port, self.child.pid)
        return self.known

    def stranger(self, port: int) -> Refusal | None:
        """Where we gave out the port, somebody else's server on it must not be taken for ours."""
        mark = trees.mark(self.child.link.token)
        other = ports.stranger(port, self.child.started, {self.child.pid}, mark)
        if other is None or other.pid in trees.members(self.child.pid):
            return None
        self.robbed = True
        return StartFailed(
            f"port {port} is answered by {other}, which is not of this model: stop it, or change startPort"
        )

    async def answers_again(self) -> bool:
        """A stranger may have answered and left the port before it was looked for. Ours is there to stay, whatever it
        says the second time."""
        while (kept := self.pool.warm()) is not None:
            kept.abort()
        return await health.status_of(self.probe, health.probe_deadline(0.0)) > 0


def probe_path(endpoint: str) -> str:
    """Of a full URL only the path and the query count; an empty endpoint is the root."""
    parts = urlsplit(endpoint.strip())
    path = parts.path if parts.path.startswith("/") else f"/{parts.path}"
    return f"{path}?{parts.query}" if parts.query else path
