"""Whether a run's server is ready, and whether it still lives. Watches one run, decides nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import msgspec

from llamaswap_py.config.values import Model
from llamaswap_py.errors import Refusal, StartFailed, UpstreamFailed, UpstreamTimeout
from llamaswap_py.launchers.local import LocalRun
from llamaswap_py.runtime import health, measure
from llamaswap_py.runtime.fetching import status
from llamaswap_py.runtime.pool import Pool
from llamaswap_py.runtime.probing import Probing, probe_path
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
    probing: Probing | None = None

    def __post_init__(self) -> None:
        path = probe_path(self.model.check_endpoint)
        self.echo = (path if len(path) > 1 else f"GET {path} ").encode()

    @property
    def robbed(self) -> bool:
        """Another program answered on our port."""
        return self.probing is not None and self.probing.robbed

    @property
    def probed(self) -> bool:
        return self.model.check_endpoint.strip() != "none"

    def said(self, data: bytes) -> None:
        """Its output, while it loads: a sign of progress, unless it only tells of our probes."""
        if self.patience is not None and says_something(data, self.echo):
            self.patience.sign(self.clock())
            if self.probing is not None:
                self.probing.stir()

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
        self.probing = Probing(self.model, self.port, self.child, self.pool, (self.clock, self.sleep))
        probing = self.tasks.start(f"probe {self.model.id}", judge(self.probing, patience, verdict))
        try:
            await first_of(verdict, self.child.ended, self.stopping)
        finally:
            probing.cancel()
        if self.child.ended.done():
            return StartFailed(f"its command ended with {self.child.ended.result()} before it was ready")
        return verdict.result() if verdict.done() else None

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
        path = probe_path(self.model.check_endpoint) if self.probed else "/"
        answer = await status(self.pool, path, deadline)
        return answer if self.probed else 200


async def judge(probing: Probing, patience: Patience, verdict: asyncio.Future[Refusal | None]) -> None:
    try:
        verdict.set_result(await probing.until_ready(patience))
    except Exception as mistake:  # noqa: BLE001  # it is the run's, which would wait for ever for a verdict
        verdict.set_exception(mistake)


def stalled(limit: float) -> Refusal:
    return UpstreamTimeout(
        f"its server was asked, and for {limit:g} s it neither sent a byte nor used the processor (stallTimeout): it"
        " was taken for hung and ended; the next request starts it anew"
    )


async def first_of(*futures: asyncio.Future[Any], within: float | None = None) -> None:
    await asyncio.wait(futures, timeout=within, return_when=asyncio.FIRST_COMPLETED)
