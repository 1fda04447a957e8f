"""What a dead owner's children left running, when even its keeper was killed: found by their mark, and ended."""

from __future__ import annotations

import asyncio
import os
import signal

import structlog

from llamaswap_py.keeper import table, trees

log = structlog.get_logger("leftovers")

# A killed process is gone in milliseconds; one that is not hangs in the kernel, and nothing here can end it.
LOOKS = 40
PAUSE = 0.05


async def clear(token: str) -> None:
    """Kill whoever carries the mark. A keeper that is still at it does the same; two do no harm."""
    for _ in range(LOOKS):
        rows = table.snapshot()
        marked = table.marked(rows, trees.mark(token))
        living = [rows[pid] for pid in marked if rows[pid].alive and pid != os.getpid()]
        if not living:
            return
        log.warning(f"ending {len(living)} processes that an earlier start left running")
        for process in living:
            trees.send(process, signal.SIGKILL)
        await asyncio.sleep(PAUSE)  # no event tells the death of another's child
    log.error("some processes of an earlier start could not be ended")
