"""When pages are told again of what goes on changing: soon where little happens, seldom on a busy day."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

CROWD = 16  # so many requests at once make a busy day
CALM, BUSY = 0.25, 2.0  # seconds between two words about the same
SOON = 0.02  # what happens at one moment is told together


def pause(at_once: int) -> float:
    """Between two words about what so many requests do: each word is a part of what their answers cost."""
    return CALM if at_once < CROWD else BUSY


class Turn:
    """The next word: at the earliest of the moments that were asked for, and once."""

    def __init__(self, tell: Callable[[], None]) -> None:
        self.tell = tell
        self.timer: asyncio.TimerHandle | None = None
        self.due = 0.0  # loop time, of the timer

    def at(self, moment: float) -> None:
        if self.timer is not None and moment >= self.due:
            return
        loop = asyncio.get_running_loop()
        moment = max(loop.time() + SOON, moment)
        if self.timer is None or moment < self.due:
            self.stop()
            self.timer, self.due = loop.call_at(moment, self.tell), moment

    def stop(self) -> None:
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None
