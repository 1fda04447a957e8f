"""The alarms over everything that they look at, all of which a test can make so, by a clock that it moves."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from llamaswap_py.config.values import Alerts, Receiver
from llamaswap_py.observe.alerts.alarms import Alarms
from llamaswap_py.observe.alerts.answers import Answers
from llamaswap_py.observe.alerts.courier import Means
from llamaswap_py.observe.alerts.readings import Disk
from llamaswap_py.observe.alerts.sensors import Sensors, Swapping
from llamaswap_py.observe.alike import alike
from llamaswap_py.observe.gpu.card import Card
from llamaswap_py.observe.performance import Performance
from llamaswap_py.observe.rows import Details, Row
from llamaswap_py.runtime.feed import Feed, ModelChanged
from llamaswap_py.runtime.tasks import Tasks
from llamaswap_py.runtime.threads import in_thread
from llamaswap_py.schedule.orders import Decision
from llamaswap_py.schedule.plan import Phase
from llamaswap_py.server.happenings import Happenings

EPOCH = 1_767_268_800.0
EVERY = 15.0


class Scene:
    """The alarms over everything that they look at, all of which the test can make so."""

    def __init__(self, alerts: Alerts, path: Path | None) -> None:
        self.time = 0.0
        self.tasks = Tasks()
        self.performance = Performance(print)
        self.performance.every = 5.0
        self.answers = Answers()
        self.feed = Feed()
        self.happenings = Happenings(self.feed, lambda: self.time)
        self.told: list[Any] = []

        def swapping() -> Swapping:
            return Swapping(self.happenings.swapping_seconds(), self.happenings.restarts())

        self.sensors = Sensors(self.performance, self.answers, swapping, list)
        means = Means(self.tasks.start, in_thread, "box", lambda: self.time, lambda: EPOCH + self.time, self.pause)
        self.alarms = Alarms(alerts, self.sensors, means, self.told.append)
        if path is not None:
            self.alarms.remember(path)
        self.cpu, self.memory, self.gpu, self.disk = 1.0, 1.0, 40.0, 1.0
        self.sensors.cards = lambda: [Card("nvidia", 0, temperature=self.gpu)]
        self.each: Callable[[], None] = lambda: None

    async def pause(self, woken: asyncio.Event, seconds: float) -> None:
        """A pause of the courier's moves the clock on: nobody waits for it."""
        self.time += seconds

    def look(self) -> None:
        stamp = datetime.fromtimestamp(EPOCH + self.time, UTC).isoformat()
        used = round(100 * self.memory)
        self.performance.samples.append(
            {"timestamp": stamp, "cpu_util_per_core": [self.cpu], "mem_used_mb": used, "mem_total_mb": 10_000}
        )
        self.sensors.disks = self.time, [Disk("/srv", self.disk)]
        self.alarms.looking = True  # the disks are the test's
        self.each()
        self.alarms.look()

    def looks(self, count: int) -> None:
        """One after the other, whatever is on its way."""
        for _ in range(count):
            self.time += EVERY
            self.look()

    async def hold(self, seconds: float) -> None:
        """Time goes by, and what is on its way arrives."""
        end = self.time + seconds
        while self.time < end:
            self.time += EVERY
            self.look()
            await self.settled()

    async def settled(self) -> None:
        """Nothing is left to carry or to write."""
        while self.tasks.running:
            await asyncio.wait(list(self.tasks.running))

    # -- what befalls

    def requests(self, count: int, failed: int = 0, seconds: float = 0.1) -> None:
        good, bad = (Row(0, "m", "/", "", status, details=Details(first_byte=seconds)) for status in (200, 502))
        self.answers.count(alike([good] * (count - failed) + [bad] * failed))

    def swap(self, seconds: float) -> None:
        """It ends now."""
        now, self.time = self.time, self.time - seconds
        decision = Decision(0.0, "b", "", 1, 0.0, (), ("a",), "groups")
        self.feed.publish(ModelChanged("a", 1, Phase.STOPPING, "evicted for b", decision=decision))
        self.time = now
        self.feed.publish(ModelChanged("b", 2, Phase.READY))

    def crash(self) -> None:
        self.feed.publish(ModelChanged("a", 1, Phase.FAILED, "it died", over=True, code="upstream_failed"))
        self.feed.publish(ModelChanged("a", 2, Phase.STARTING))


@asynccontextmanager
async def scene(*receivers: Receiver, path: Path | None = None, **more: Any) -> AsyncIterator[Scene]:
    alerts = Alerts(receivers={each.id: each for each in receivers}, **more)
    made = Scene(alerts, path)
    async with asyncio.timeout(60):
        try:
            yield made
        finally:
            await made.alarms.close()
            await made.tasks.close()
