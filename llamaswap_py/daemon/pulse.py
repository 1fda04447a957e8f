"""Feels the loop's pulse from a thread: what holds it up is logged with its stack, a standstill of us all is told."""

from __future__ import annotations

import asyncio
import sys
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable
from types import FrameType

import structlog

log = structlog.get_logger("pulse")

EVERY_SECONDS = 0.1
HELD_UP_SECONDS = 0.25  # people notice; callers' tokens come in lumps
STANDSTILL_SECONDS = 3.0  # a busy machine does not keep a thread waiting so long; sleep and SIGSTOP do
REMEMBERED = 150  # beats: whoever looks every 15 seconds misses none
DEEPEST = 12  # calls of a stack that are shown, the innermost

# Where the loop's thread stands while it has nothing to do.
WAITING = ("runners.py", "base_events.py", "selectors.py")


def steady() -> float:
    """A clock that runs on while the machine sleeps, and that nobody sets."""
    if sys.platform == "linux":
        return time.clock_gettime(time.CLOCK_BOOTTIME)
    if sys.platform == "darwin":
        return time.clock_gettime(time.CLOCK_MONOTONIC)
    return time.monotonic()


class Pulse:
    """`woke` is called on the loop, with the seconds for which nothing ran."""

    def __init__(self, woke: Callable[[float], None], clock: Callable[[], float] = steady) -> None:
        self.loop = asyncio.get_running_loop()
        self.loop_thread = threading.get_ident()
        self.woke = woke
        self.clock = clock
        self.looked = clock()
        self.asked: float | None = None  # when the loop was asked for a beat that it still owes
        self.stack = ""  # what it was seen doing since
        self.lags = deque[float](maxlen=REMEMBERED)  # of the last beats, seconds
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.feel, name="pulse", daemon=True)

    def start(self) -> None:
        self.thread.start()

    def close(self) -> None:
        self.over.set()
        self.thread.join()

    # -- the thread's side

    def feel(self) -> None:
        while not self.over.wait(EVERY_SECONDS):
            self.look(self.clock())

    def look(self, now: float) -> None:
        gap = now - self.looked - EVERY_SECONDS
        self.looked = now
        if gap > STANDSTILL_SECONDS:
            self.asked = now  # the loop stood still because everything did
            self.loop.call_soon_threadsafe(self.woke, gap)
            self.loop.call_soon_threadsafe(self.beat)
        elif self.asked is None:
            self.asked, self.stack = now, ""
            self.loop.call_soon_threadsafe(self.beat)
        else:
            self.stack = self.stack or stack_of(sys._current_frames().get(self.loop_thread))  # noqa: SLF001 - documented

    # -- the loop's side

    def beat(self) -> None:
        asked, self.asked = self.asked, None
        held = self.clock() - asked if asked is not None else 0.0
        self.lags.append(held)
        if held >= HELD_UP_SECONDS - EVERY_SECONDS and self.stack:
            log.warning(f"the loop was held up for about {held + EVERY_SECONDS / 2:.2f} s by\n{self.stack}")

    # -- whoever asks

    def longest(self) -> float:
        """That the loop was late, of the beats that are remembered; with the one that it still owes."""
        owed = self.clock() - self.asked if self.asked is not None else 0.0
        return max(owed, max(self.lags, default=0.0))


def stack_of(frame: FrameType | None) -> str:
    """Empty where the loop only waits, or waits for a processor."""
    if frame is None or frame.f_code.co_filename.endswith(WAITING):
        return ""
    return "".join(traceback.format_stack(frame)[-DEEPEST:]).rstrip()
