"""After a standstill, when the machine slept: each server without a caller must show once more that it answers.

One that has a caller may be too busy to answer; whether that one gets on is judged elsewhere."""

from __future__ import annotations

import structlog

from llamaswap_py.runtime import health
from llamaswap_py.runtime.conductor import Conductor
from llamaswap_py.runtime.runs import Run
from llamaswap_py.runtime.vitals import Vitals
from llamaswap_py.schedule.plan import Phase

log = structlog.get_logger("runs")


def doubt(conductor: Conductor) -> None:
    for run in conductor.runs.values():
        if stands(conductor, run):
            conductor.ground.tasks.start(f"probe {run.model.id} anew", prove(conductor, run))


def stands(conductor: Conductor, run: Run) -> bool:
    """Ready, and without a caller."""
    sight = conductor.scheduler.sight(run.model.id)
    return sight is not None and (sight.run, sight.phase, sight.seated) == (run.number, Phase.READY, 0)


async def prove(conductor: Conductor, run: Run) -> None:
    """What slept may have lost its device. It is killed then, which is a death like any other."""
    child, ground = run.child, run.ground
    assert child is not None, "only who is ready is asked"
    pool = run.connections
    vitals = Vitals(run.rendered, run.port, child, pool, run.stopping, ground.tasks, ground.clock, ground.sleep)
    if await health.still_answers(vitals.alive, ground.sleep) or not stands(conductor, run):
        return
    log.warning(f"{run.model.id}: it does not answer any more after the standstill, so it is killed")
    child.child.kill_tree()
