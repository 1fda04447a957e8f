"""What a dead owner's children left running, when even its keeper was killed: found by their mark, and ended."""

from __future__ import annotations

import os

import structlog

from llamaswap_py.keeper import table, trees
from llamaswap_py.keeper.process import Process
from llamaswap_py.launchers.sweep import end_all

log = structlog.get_logger("leftovers")


async def clear(token: str) -> None:
    """Kill whoever carries the mark. A keeper that is still at it does the same; two do no harm."""

    def find() -> list[Process]:
        rows = table.snapshot()
        return [rows[pid] for pid in table.marked(rows, trees.mark(token)) if pid != os.getpid()]

    found = [process for process in find() if process.alive]
    if found:
        log.warning(f"ending {len(found)} processes that an earlier start left running")
    if not await end_all(find):
        log.error("some processes of an earlier start could not be ended")
