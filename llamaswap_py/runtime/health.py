"""When is a model's server ready, and is it still there: probing with a deadline per probe.

The pauses are functions over elapsed time; the loop takes its clock and its sleep from outside.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from llamaswap_py.errors import Refusal
from llamaswap_py.runtime.progress import Patience

Probe = Callable[[float], Awaitable[int]]  # one GET with this deadline -> status; raises where there is no answer
Sleep = Callable[[float], Awaitable[None]]
Clock = Callable[[], float]

# A detached server is given up after this many failed looks in a row, a second apart.
LOST_AFTER = 3


def pause(elapsed: float) -> float:
    """From 2 ms upward, a twenty-fifth of the time already waited: a probe never adds more than 4 % to a load."""
    return min(0.25, max(0.002, elapsed / 25))


def least_pause(elapsed: float) -> float:
    """Between a probe and one that the server's output calls for: much output does not keep it from its work."""
    return max(0.0003, elapsed / 100)


def probe_deadline(elapsed: float) -> float:
    """A server that is busy loading may take its time to answer, one that hangs must not hold the load for ever."""
    return min(30.0, max(2.0, elapsed / 4))


async def status_of(probe: Probe, deadline: float) -> int:
    """0 where there is no answer."""
    try:
        return await probe(deadline)
    except (OSError, TimeoutError, asyncio.IncompleteReadError, Refusal):
        return 0


async def answers(probe: Probe, deadline: float) -> bool:
    return 200 <= await status_of(probe, deadline) < 300


async def until_ready(probe: Probe, patience: Patience, clock: Clock, sleep: Sleep) -> Refusal | None:
    """None once the server is ready; the refusal where patience has ended first."""
    began = clock()
    while True:
        now = clock()
        refusal = patience.over(now)
        if refusal is not None:
            return refusal
        if await answers(probe, min(probe_deadline(now - began), patience.due() - now)):
            return None
        await sleep(pause(clock() - began))


async def until_lost(probe: Probe, sleep: Sleep) -> None:
    """Returns when a server that we cannot watch as a process has stopped answering."""
    missed = 0
    while missed < LOST_AFTER:
        await sleep(1.0)
        missed = 0 if await answers(probe, probe_deadline(0.0)) else missed + 1


async def still_answers(probe: Probe, sleep: Sleep) -> bool:
    """One answer is enough, of two looks."""
    if await answers(probe, probe_deadline(0.0)):
        return True
    await sleep(1.0)
    return await answers(probe, probe_deadline(0.0))
