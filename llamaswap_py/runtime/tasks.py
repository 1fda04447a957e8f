"""The one place where tasks are made: each has a name, is kept until it ends, and its crash is reported."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Protocol

import structlog

Report = Callable[[str, BaseException], None]


def log_crash(name: str, crash: BaseException) -> None:
    structlog.get_logger("tasks").error(f"task {name} crashed", exc_info=crash)


class Work(Protocol):
    """A task as its maker may see it: nobody awaits one, ends are told by facts and futures."""

    def cancel(self) -> bool: ...


def own_task(loop: asyncio.AbstractEventLoop, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
    """For who holds it, and whose work tells its crash by itself: one for each request."""
    return loop.create_task(work)


class Tasks:
    def __init__(self, report: Report = log_crash) -> None:
        self.report = report
        self.running: set[asyncio.Task[Any]] = set()

    def start(self, name: str, work: Coroutine[Any, Any, None]) -> Work:
        task = asyncio.get_running_loop().create_task(work, name=name)
        self.running.add(task)
        task.add_done_callback(self.ended)
        return task

    def ended(self, task: asyncio.Task[Any]) -> None:
        self.running.discard(task)
        if task.cancelled():
            return
        crash = task.exception()
        if crash is not None:
            self.report(task.get_name(), crash)

    async def close(self) -> None:
        """Cancel what still runs and wait until all of it has ended."""
        while self.running:
            tasks = list(self.running)
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
