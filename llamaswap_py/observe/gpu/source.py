"""One tool that is asked again and again, by a thread of its own: it may hang, lie or end, and nobody waits for it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

from llamaswap_py.observe.gpu.link import Failed, Link

FIRST_SECONDS = 15.0  # to begin: a driver that slept needs some
ENDING_SECONDS = 5.0
LONGEST_PAUSE = 300.0  # between two tries of a tool that fails

Told = Callable[[str, "dict[str, Any] | Failed"], None]


class Source:
    """`told` hears every answer and every failure, in the thread. A look has half of the interval, so that data is
    known to be stale before two have gone by."""

    def __init__(self, kind: str, command: Sequence[str], every: float, told: Told) -> None:
        self.kind = kind
        self.command = command
        self.every = every
        self.told = told
        self.link: Link | None = None
        self.failures = 0  # in a row
        self.waiting: list[Callable[[], None]] = []
        self.lock = threading.Lock()
        self.wake = threading.Event()
        self.closed = False
        self.looking_since: float | None = None

    def begin(self) -> None:
        threading.Thread(target=self.look_on, name=f"gpus {self.kind}", daemon=True).start()

    def look_on(self) -> None:
        while not self.closed:
            began = time.monotonic()
            self.once(began)
            pause = min(self.every * 2**self.failures, max(self.every, LONGEST_PAUSE))
            self.wake.wait(max(0.0, began + pause - time.monotonic()))
            self.wake.clear()
        if self.link is not None:
            self.link.end(ENDING_SECONDS)

    def once(self, began: float) -> None:
        with self.lock:
            asked, self.waiting = self.waiting, []
            self.looking_since = began
        try:
            answer: dict[str, Any] | Failed = self.ask()
            self.failures = 0
        except (Failed, OSError) as failure:
            self.failures = min(self.failures + 1, 20)
            if self.link is not None:
                self.link.end(ENDING_SECONDS)
            answer = failure if isinstance(failure, Failed) else Failed(str(failure))
        self.looking_since = None
        if not self.closed:
            self.told(self.kind, answer)
        for each in asked:
            each()

    def ask(self) -> dict[str, Any]:
        """A program that cannot be ended is one too many already: no second one is begun beside it."""
        seconds = self.every / 2
        if self.link is None or self.failures:
            if self.link is not None and not self.link.over:
                raise Failed("the program that asks cannot be ended: the driver holds it")
            self.link, seconds = Link(self.command), max(seconds, FIRST_SECONDS)
        return self.link.ask(seconds)

    def look_now(self, done: Callable[[], None] | None = None) -> bool:
        """`done` is told, in the thread, when a look that begins from now on is over. False: the tool fails, or has not
        answered for a moment, and nobody should wait for it."""
        since = self.looking_since
        if self.failures or self.closed or (since is not None and time.monotonic() - since > 0.25):
            return False
        with self.lock:
            if done is not None:
                self.waiting.append(done)
        self.wake.set()
        return True

    def close(self) -> None:
        self.closed = True
        self.wake.set()
        if self.link is not None:
            self.link.end()  # also while it waits
