"""Whether a run's server is ready, whether it is ours, and whether it still lives. Watches one run, decides nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import msgspec

from llamaswap_py.config.values import Model
from llamaswap_py.errors import Refusal, StartFailed, UpstreamFailed, UpstreamTimeout
from llamaswap_py.keeper import trees
from llamaswap_py.launchers.local import LocalRun
from llamaswap_py.runtime import health, measure, ports
from llamaswap_py.runtime.fetching import probe, status
from llamaswap_py.runtime.pool import Pool
from llamaswap_py.runtime.progress import Patience, Stall, says_something
from llamaswap_py.runtime.tasks import Tasks

LOOKS = 10  # in the time of a limit: it is kept to a tenth
LOOK_SECONDS = 1.0  # between two looks at a load, at most: a look costs some milliseconds
SHORTEST_LOOK = 0.2


def nothing(amount: int) -> None:
    """Nobody wants to know."""


class Vitals(msgspec.Struct, eq=False, dict=True):
    """The refusals that come from here say what happened; the run adds whose and its last words."""

    model: Model  # rendered
    port: int | None  # the one we gave out
    child: LocalRun
    pool: Pool
    stopping: asyncio.Future[str]
    tasks: Tasks
    clock: health.Clock
    sleep: health.Sleep
    looked: Callable[[int], None] = nothing  # hears what its processes have read and taken, while it loads
    patience: Patience | None = None
    robbed: bool = False  # another program answered on our port
    resting: asyncio.Timeout | None = None  # between two probes

    def __post_init__(self) -> None:
        path = probe_path(self.model.check_endpoint)
        self.echo = (path if len(path) > 1 else f"GET {path} ").encode()

    @property
    def probed(self) -> bool:
        return self.model.check_endpoint.strip() != "none"

    def said(self, data: bytes) -> None:
        """Its output, while it loads: a sign of progress, unless it only tells of our probes."""
        if self.patience is not None and says_something(data, self.echo):
            self.patience.sign(self.clock())
            self.stir(self.patience)

    async def become_ready(self, limit: float) -> Refusal | None:
        """None: it is ready, or a stop came first. `limit`: so long it may go without a sign of progress."""
        if not self.probed:
            return None
        self.patience = Patience(limit, self.model.load_limit, self.clock())
        watching = self.tasks.start(f"watch the load of {self.model.id}", self.watch_load(self.patience))
        try:
            return await self.probed_ready(self.patience)
        finally:
            watching.cancel()
            self.patience = None

    async def watch_load(self, patience: Patience) -> None:
        pause = min(LOOK_SECONDS, patience.limit / LOOKS)
        while True:
            await self.sleep(pause)
            signs = await asyncio.to_thread(measure.signs, self.child.pid)
            patience.seen(signs, self.clock())
            self.looked(signs.amount)

    async def probed_ready(self, patience: Patience) -> Refusal | None:
        verdict: asyncio.Future[Refusal | None] = asyncio.get_running_loop().create_future()
        probing = self.tasks.start(f"probe {self.model.id}", self.probe_until_ready(patience, verdict))
        try:
            await first_of(verdict, self.child.ended, self.stopping)
        finally:
            probing.cancel()
        if self.child.ended.done():
            return StartFailed(f"its command ended with {self.child.ended.result()} before it was ready")
        return verdict.result() if verdict.done() else None

    async def probe_until_ready(self, patience: Patience, verdict: asyncio.Future[Refusal | None]) -> None:
        try:
            while True:
                refusal = await health.until_ready(self.probe, patience, self.clock, self.rest)
                if refusal is not None or self.port is None or ports.is_held(self.port, self.child.pid):
                    break
                refusal = self.stranger(self.port)
                if refusal is not None or await self.answers_again():
                    break
            verdict.set_result(refusal)
        except Exception as mistake:  # noqa: BLE001  # it is the run's, which would wait for ever for a verdict
            verdict.set_exception(mistake)

    async def rest(self, seconds: float) -> None:
        """Between two probes."""
        self.rested = self.clock()
        try:
            async with asyncio.timeout(None) as self.resting:
                await self.sleep(seconds)
        except TimeoutError:
            pass  # stirred
        finally:
            self.resting = None

    def stir(self, patience: Patience) -> None:
        """It may have said that it is ready."""
        if self.resting is not None and not self.resting.expired():
            spared = health.least_pause(self.clock() - patience.began)
            self.resting.reschedule(self.rested + spared)

    async def probe(self, deadline: float) -> int:
        """The connection stays for the first caller."""
        return await probe(self.pool, probe_path(self.model.check_endpoint), deadline)

    async def answers_again(self) -> bool:
        """A stranger may have answered and left the port before it was looked for. Ours is there to stay, whatever it
        says the second time."""
        self.pool.drop_idle()
        return await health.status_of(self.probe, health.probe_deadline(0.0)) > 0

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

    async def until_over(self) -> Refusal | None:
        """Returns when it ended by itself (why), or is to be stopped (None)."""
        lost: asyncio.Future[Refusal] = asyncio.get_running_loop().create_future()
        watching = self.tasks.start(f"watch {self.model.id}", self.watch_detached(lost))
        working = self.tasks.start(f"watch the work of {self.model.id}", self.watch_work(lost))
        try:
            await first_of(lost, self.child.ended, self.stopping)
        finally:
            watching.cancel()
            working.cancel()
        if self.child.ended.done():
            return UpstreamFailed(f"its server ended with {self.child.ended.result()}")
        return lost.result() if lost.done() else None

    async def watch_work(self, lost: asyncio.Future[Refusal]) -> None:
        """Alive, perhaps healthy, and yet dead to its callers: found by what it does, never by the clock alone."""
        limit = self.model.stall_timeout
        if not limit or self.port is None:
            return
        stall = Stall(limit, self.clock())
        while not lost.done():
            await self.sleep(max(limit / LOOKS, SHORTEST_LOOK))
            asked, signs = self.pool.asked, None
            if asked and not self.child.detached:
                signs = await asyncio.to_thread(measure.signs_of_server, self.child.pid, self.port)
            if stall.look(self.clock(), asked and self.pool.asked, self.pool.heard, signs) and not lost.done():
                lost.set_result(stalled(limit))

    async def watch_detached(self, lost: asyncio.Future[Refusal]) -> None:
        """A command that ended well and left its server elsewhere (a container, say) is alive while it answers."""
        await asyncio.shield(self.child.child.exited)
        if self.child.detached:
            try:
                await health.until_lost(self.alive, self.sleep)
                lost.set_result(UpstreamFailed("its server has stopped answering"))
            except Exception as mistake:  # noqa: BLE001  # it is the run's, which would count as alive unwatched
                lost.set_exception(mistake)

    async def alive(self, deadline: float) -> int:
        """Without a health endpoint any answer at all is a sign of life."""
        if self.probed:
            return await self.probe(deadline)
        await status(self.pool, "/", deadline)
        return 200


def stalled(limit: float) -> Refusal:
    return UpstreamTimeout(
        f"its server was asked, and for {limit:g} s it neither sent a byte nor used the processor (stallTimeout): it"
        " was taken for hung and ended; the next request starts it anew"
    )


async def first_of(*futures: asyncio.Future[Any], within: float | None = None) -> None:
    await asyncio.wait(futures, timeout=within, return_when=asyncio.FIRST_COMPLETED)


def probe_path(endpoint: str) -> str:
    """Of a full URL only the path and the query count; an empty endpoint is the root."""
    parts = urlsplit(endpoint.strip())
    path = parts.path if parts.path.startswith("/") else f"/{parts.path}"
    return f"{path}?{parts.query}" if parts.query else path
