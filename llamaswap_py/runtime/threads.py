"""What blocks or computes for long is done in a thread of its own, beside the loop."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

T = TypeVar("T")


def in_thread(work: Callable[[], T], name: str) -> asyncio.Future[T | None]:
    """None where it failed, of which the thread's own hook tells. The thread is left behind at the end: a dead
    network folder would keep the program from ending."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T | None] = loop.create_future()

    def done(result: T | None) -> None:
        if not future.done():
            future.set_result(result)

    def run() -> None:
        result = None
        try:
            result = work()
        except Exception:  # noqa: BLE001  # told before whoever waits goes on
            threading.excepthook(threading.ExceptHookArgs((*sys.exc_info(), threading.current_thread())))
        with suppress(RuntimeError):  # the loop has ended meanwhile
            loop.call_soon_threadsafe(done, result)

    threading.Thread(target=run, daemon=True, name=name).start()
    return future
