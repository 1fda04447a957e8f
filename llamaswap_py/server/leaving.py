"""A caller who goes while nothing of it is read: the loop does not look at its connection then, so we do."""

from __future__ import annotations

import asyncio
import select
import sys
from typing import Any

EVERY_SECONDS = 1.0  # a model may take minutes to start; whoever left needs no seat, a second late is soon enough


class Leaving:
    """Ends the connection of a caller who is gone, which cancels its handler; looks until the handler is done."""

    def __init__(self, transport: asyncio.Transport | None, handler: asyncio.Task[Any] | None) -> None:
        self.transport = transport
        self.loop = asyncio.get_running_loop()
        self.timer = self.loop.call_later(EVERY_SECONDS, self.look)
        if handler is not None:
            handler.add_done_callback(lambda _: self.timer.cancel())

    def look(self) -> None:
        transport = self.transport
        if transport is None or transport.is_closing():
            return
        if is_gone(transport.get_extra_info("socket").fileno()):
            transport.abort()
            return
        self.timer = self.loop.call_later(EVERY_SECONDS, self.look)


def is_gone(descriptor: int) -> bool:
    """The other side has closed, whatever still waits to be read."""
    if sys.platform == "win32":
        return False
    hung_up = 0  # elsewhere a hang-up alone is told without being asked for
    if sys.platform == "linux":
        hung_up = select.POLLRDHUP
    watch = select.poll()
    watch.register(descriptor, hung_up)
    return bool(watch.poll(0))
