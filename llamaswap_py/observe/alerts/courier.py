"""Carries messages to receivers: one task for each that has something to hear, as long as it has."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import msgspec
import structlog

from llamaswap_py.config.mask import without
from llamaswap_py.config.secrets import secrets_in_address, secrets_of_receiver
from llamaswap_py.config.values import Alerts, Receiver
from llamaswap_py.observe.alerts import webhook, wording
from llamaswap_py.observe.alerts.judge import Now
from llamaswap_py.observe.alerts.outbox import Line, Outbox, Parcel, Trouble
from llamaswap_py.observe.alerts.rules import RESOLVED, TEST, Level, News

log = structlog.get_logger("alerts")

CLOSING_SECONDS = 5.0  # for a message that is on its way at the end

Thread = Callable[[Callable[[], tuple[Trouble | None]], str], Awaitable[tuple[Trouble | None] | None]]


async def pause(woken: asyncio.Event, seconds: float) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(max(seconds, 0)):
            await woken.wait()


class Means(msgspec.Struct):
    """What the world lends. A test lends another clock."""

    start: Callable[[str, Coroutine[Any, Any, None]], object]  # a task
    thread: Thread
    host: str
    clock: Callable[[], float]
    wall: Callable[[], float] = time.time
    pause: Callable[[asyncio.Event, float], Awaitable[None]] = pause

    def now(self) -> Now:
        return Now(self.clock(), self.wall())


class Courier:
    """`save` returns once all that there is to tell is written down."""

    def __init__(self, alerts: Alerts, means: Means, save: Callable[[], Awaitable[None]]) -> None:
        self.alerts = alerts
        self.means = means
        self.save = save
        self.outbox = Outbox()
        self.outbox.adopt(alerts.receivers)
        self.woken: dict[str, asyncio.Event] = {}  # of those whose task runs
        self.trying: set[str] = set()
        self.idle = asyncio.Event()
        self.idle.set()
        self.closed = False
        self.outcomes: Counter[tuple[str, str]] = Counter()  # by receiver and outcome

    # -- what there is to carry

    def send(self, news: News) -> None:
        wall = self.means.wall()
        for receiver in self.alerts.receivers.values():
            if concerns(receiver, news):
                self.put(receiver.id, Parcel(number(news, receiver), news.kind, news.alert, wall))

    def put(self, name: str, parcel: Parcel) -> None:
        if not self.outbox.lines[name].put(parcel):
            self.outcomes[name, "given up"] += 1
            log.warning(f"too many messages wait for the receiver {name}: an old one is given up")
        self.go(name)

    def resume(self, waiting: dict[str, list[Parcel]]) -> None:
        """What an earlier start had not delivered."""
        for name, parcels in waiting.items():
            if name in self.outbox.lines:
                self.outbox.lines[name].parcels.extend(parcels)
                self.go(name)

    def adopt(self, alerts: Alerts) -> None:
        self.alerts = alerts
        self.outbox.adopt(alerts.receivers)
        for name in self.outbox.lines:
            self.go(name)
        for woken in self.woken.values():
            woken.set()

    def go(self, name: str) -> None:
        if name not in self.woken and not self.closed and self.outbox.lines[name].parcels:
            self.woken[name] = asyncio.Event()
            self.means.start(f"alerts to {name}", self.carry(name))

    # -- carrying

    async def carry(self, name: str) -> None:
        try:
            while not self.closed and (line := self.outbox.lines.get(name)) and line.parcels:
                await self.one(name, line)
        finally:
            del self.woken[name]

    async def one(self, name: str, line: Line) -> None:
        """A pause, or a try."""
        left = line.due - self.means.clock()
        if left > 0:
            self.woken[name].clear()
            await self.means.pause(self.woken[name], left)
            return
        await self.save()  # before it is tried: who ends here is not forgotten
        if not line.parcels or self.closed or self.outbox.lines.get(name) is not line:
            return
        parcel = line.parcels[0]
        self.trying.add(name)
        self.idle.clear()
        try:
            trouble = await self.attempt(self.alerts.receivers[name], parcel)
            self.learn(name, line, parcel, trouble)
            await self.save()
        finally:
            self.trying.discard(name)
            if not self.trying:
                self.idle.set()

    def learn(self, name: str, line: Line, parcel: Parcel, trouble: Trouble | None) -> None:
        if trouble is None:
            if line.failures:
                log.info(f"the receiver {name} hears again, after {line.failures} failed tries")
            line.taken(self.means.wall())
            self.outcomes[name, "delivered"] += 1
            return
        self.outcomes[name, "failed"] += 1
        is_first = not line.failures
        if line.failed(trouble, self.means.clock()):
            self.outcomes[name, "given up"] += 1
            log.error(f"the receiver {name} will not take {parcel.id}, which is given up: {trouble.why}")
        elif is_first:
            log.warning(f"the receiver {name} could not be told of {parcel.id}: {trouble.why}; it is tried again")

    async def attempt(self, receiver: Receiver, parcel: Parcel) -> Trouble | None:
        """None where it was taken. What the trouble says holds none of the receiver's secrets."""
        host, wall = self.means.host, self.means.wall()
        if receiver.kind == "email":
            from llamaswap_py.observe.alerts import mail  # a start without mail need not read it

            told = await self.means.thread(lambda: (mail.send(receiver, parcel, host),), f"mail to {receiver.id}")
            trouble = told[0] if told else Trouble("the mail could not be sent: the log says why")
        else:
            trouble = await webhook.post(wording.letter(receiver, parcel, host, wall))
        hidden = secrets_of_receiver(receiver) | secrets_in_address(receiver)
        return trouble and trouble._replace(why=without(trouble.why, hidden))

    async def test(self, name: str) -> Trouble | None:
        """One message, past the line and once."""
        wall = self.means.wall()
        parcel = Parcel(f"test-{int(wall * 1000):x}", TEST, wording.example(wall), wall)
        return await self.attempt(self.alerts.receivers[name], parcel)

    async def close(self) -> None:
        """What is on its way may arrive; what waits is kept for the next start."""
        self.closed = True
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(CLOSING_SECONDS):
                await self.idle.wait()


def number(news: News, receiver: Receiver) -> str:
    """It goes into headers, where a name need not fit."""
    name = hashlib.sha256(receiver.id.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return f"{news.alert.id}-{news.kind}-{name}"


def concerns(receiver: Receiver, news: News) -> bool:
    """A receiver of what is critical hears of an alert from when it is, and of the end only of those."""
    alert = news.alert
    if receiver.least == "warning":
        return True
    return alert.told is Level.CRITICAL if news.kind == RESOLVED else alert.level is Level.CRITICAL
