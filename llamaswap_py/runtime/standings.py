"""How each model stands, for the page, `/running` and the list of models."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec
from msgspec.structs import replace

from llamaswap_py.config.values import Config, Model
from llamaswap_py.runtime.estimate import Progress
from llamaswap_py.runtime.leaks import Leak
from llamaswap_py.runtime.runs import Run
from llamaswap_py.schedule.lives import Life, Sight
from llamaswap_py.schedule.orders import Decision
from llamaswap_py.schedule.plan import Phase


class Standing(msgspec.Struct, frozen=True):
    model: Model  # rendered where it runs
    phase: Phase
    run: int  # 0 where none is alive
    pid: int | None
    seated: int
    waiting: int
    why: str = ""
    pinned: bool = False
    evicted: Decision | None = None  # the last time it had to make room
    disabled: bool = False  # its own part of the configuration is wrong
    loading: Progress | None = None
    leaked: tuple[int, ...] = ()  # processes of its last run that survive SIGKILL


def progress_of(model: str, runs: Iterable[Run]) -> Progress | None:
    """Of its load, where it loads."""
    return next((run.load.progress for run in runs if run.model.id == model and run.load), None)


def notable(life: Life) -> bool:
    """There is more to say of it than that it is down."""
    return life.phase is not Phase.DOWN or bool(life.waiting) or life.evicted is not None


def standings(
    sights: Mapping[str, Sight],
    runs: Iterable[Run],
    config: Config,
    disabled: Mapping[str, str],
    leaks: Mapping[str, Leak],
) -> list[Standing]:
    """Every model of the configuration, and what still runs of one that left it. A disabled one is down."""
    running = {run.model.id: run for run in runs}
    rows = [standing(sight, running.get(name), config) for name, sight in sights.items()]
    out = [(config.models[name], why) for name, why in disabled.items() if name not in sights]
    rows += [Standing(model, Phase.DOWN, 0, None, 0, 0, why, disabled=True) for model, why in out]
    rows = [replace(row, leaked=leaks[row.model.id].pids) if row.model.id in leaks else row for row in rows]
    return sorted(rows, key=lambda row: row.model.id)


def standing(sight: Sight, run: Run | None, config: Config) -> Standing:
    model = run.rendered if run else config.models[sight.model]
    pid = run.child.pid if run and run.child else None
    loading = run.load.progress if run and run.load and sight.phase is Phase.STARTING else None
    counts = sight.seated, sight.waiting, sight.why, sight.pinned, sight.evicted
    return Standing(model, sight.phase, sight.run, pid, *counts, loading=loading)
