"""All cells of a plan, one after the other, against one model that is ready."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from llamaswap_py.bench.asking import Asker
from llamaswap_py.bench.figures import cell
from llamaswap_py.bench.values import Cell, Plan, Sample

Say = Callable[[str, int, int], object]  # what is done now, how much of it is done, of how much


async def measure(asker: Asker, plan: Plan, say: Say) -> tuple[tuple[Cell, ...], str]:
    """The cells, and why there are none."""
    say("first answer", 0, len(plan.cells))
    trouble = await asker.learn()
    if trouble:
        return (), trouble
    cells = []
    for done, (prompt, callers) in enumerate(plan.cells):
        say(f"prompt of {prompt}, {callers} at once", done, len(plan.cells))
        samples: list[Sample] = []
        for _ in range(plan.repeats):
            samples += await asyncio.gather(*(asker.one(prompt, plan.tokens) for _ in range(callers)))
        cells.append(cell(prompt, callers, samples))
    say("done", len(plan.cells), len(plan.cells))
    return tuple(cells), ""
