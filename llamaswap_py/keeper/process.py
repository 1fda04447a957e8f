"""One process as the table shows it."""

from __future__ import annotations


class Process:
    """One row of the table."""

    __slots__ = ("alive", "parent", "pid", "session", "started")

    def __init__(self, pid: int, parent: int, session: int, started: float, alive: bool) -> None:
        self.pid = pid
        self.parent = parent
        self.session = session
        self.started = started  # seconds on the clock of `now`; exact enough to tell two lives of one number apart
        self.alive = alive  # not waiting to be reaped

    @property
    def identity(self) -> tuple[int, float]:
        return self.pid, self.started
