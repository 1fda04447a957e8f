"""A sign of life for the service manager, given only while loop, scheduler and keeper all do their work."""

from __future__ import annotations

import asyncio

import structlog

from llamaswap_py.daemon.notify import Notify
from llamaswap_py.launchers.keeper_link import KeeperLink
from llamaswap_py.runtime.conductor import Conductor

log = structlog.get_logger("watchdog")

OVERDUE_SECONDS = 5.0  # so late may nothing be that the scheduler waits for


class Watchdog:
    """Looks twice in the time that the manager allows. That it looks at all shows that the loop turns."""

    def __init__(self, notify: Notify, conductor: Conductor, link: KeeperLink) -> None:
        self.notify = notify
        self.conductor = conductor
        self.link = link
        self.loop = asyncio.get_running_loop()
        self.timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        if self.notify.watchdog:
            self.look()

    def look(self) -> None:
        self.timer = self.loop.call_later(self.notify.watchdog / 2, self.look)
        due = self.conductor.timer.when() if self.conductor.timer is not None else self.loop.time()
        if self.loop.time() - due > OVERDUE_SECONDS:
            log.error("the scheduler does not do what is due: the service manager gets no sign of life")
        else:
            self.ask_keeper()

    def ask_keeper(self) -> None:
        """Where there is none just now, the next order starts one."""
        if self.link.channel.open:
            self.link.pings.append(self.notify.alive)
            self.link.tell({"do": "ping"})
        else:
            self.notify.alive()

    def close(self) -> None:
        if self.timer is not None:
            self.timer.cancel()
