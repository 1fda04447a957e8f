"""What pages that follow are told of the whole: alerts with their rules, the health and the cards. Nothing is looked at
while nobody follows."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import Any, Protocol

from llamaswap_py.observe.alerts.alarms import Alarms
from llamaswap_py.server import messages
from llamaswap_py.server.alerts import standing
from llamaswap_py.server.audience import Message, Tell

EVERY = 5.0  # seconds between two looks at the whole
PASSING = frozenset({"timestamp", "seen"})  # what differs between two looks at the same

Told = Mapping[str, Any]


class Work(Protocol):
    def cancel(self) -> bool: ...


class AlertNews:
    """Told after every look and order that changed something."""

    def __init__(self, alarms: Alarms, tell: Tell) -> None:
        self.alarms = alarms
        self.tell = tell
        self.is_open = False
        self.last: Told = {}

    def open(self) -> None:
        self.is_open = True

    def close(self) -> None:
        self.is_open, self.last = False, {}

    def opening(self) -> bytes:
        return messages.alerts(standing(self.alarms))

    def looked(self) -> None:
        if self.is_open and (now := standing(self.alarms)) != self.last:
            self.last = now
            self.tell(Message(messages.alerts(now), "alerts"))


class Watching:
    """`look` says how the whole is; it is asked every few seconds, and `soon` after something happened."""

    def __init__(
        self,
        look: Callable[[], Awaitable[Told]],
        spawn: Callable[[str, Coroutine[Any, Any, None]], Work],
        tell: Tell,
        every: float = EVERY,
    ) -> None:
        self.look = look
        self.spawn = spawn
        self.tell = tell
        self.every = every
        self.is_open = False
        self.last: Told | None = None
        self.woken = asyncio.Event()
        self.work: Work | None = None

    def open(self) -> None:
        self.is_open = True
        self.work = self.spawn("the whole at a glance", self.watch())

    def close(self) -> None:
        self.is_open, self.last = False, None
        if self.work is not None:
            self.work.cancel()

    def opening(self) -> bytes:
        return messages.glance(self.last or {"health": None, "gpus": None})

    def soon(self) -> None:
        self.woken.set()

    async def watch(self) -> None:
        while True:
            self.woken.clear()
            now = await self.look()
            if self.last is None or lasting(now) != lasting(self.last):
                self.last = now
                self.tell(Message(messages.glance(now), "glance"))
            try:
                async with asyncio.timeout(self.every):
                    await self.woken.wait()
            except TimeoutError:
                continue


def lasting(told: Any) -> Any:
    """Without the moments at which it was looked at."""
    if isinstance(told, dict):  # what is told is made here: plain ones
        return {name: lasting(each) for name, each in told.items() if name not in PASSING}
    return [lasting(each) for each in told] if isinstance(told, list) else told
