"""The whole at a glance, wired to what is measured and counted."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from llamaswap_py.daemon.observing import Observing
from llamaswap_py.daemon.version import __version__
from llamaswap_py.observe.alerts.alarms import Alarms
from llamaswap_py.observe.processes import members
from llamaswap_py.runtime.tasks import Tasks
from llamaswap_py.server.events import Events
from llamaswap_py.server.face import found_dialects
from llamaswap_py.server.happenings import Happenings
from llamaswap_py.server.metrics import Metrics
from llamaswap_py.server.overview.glance import Glances, Overview
from llamaswap_py.server.overview.progress import ProgressDoors
from llamaswap_py.server.overview.watching import AlertNews, Watching


def paths_of_apis() -> Mapping[str, Sequence[str]]:
    """Those that callers ask models at."""
    return {each.name: tuple(dict.fromkeys(route.path for route in each.routes)) for each in found_dialects()}


def overview(observing: Observing, metrics: Metrics, happenings: Happenings) -> Overview:
    conductor, gpus = metrics.sources.conductor, observing.gpus

    async def taken() -> Mapping[str, int | None]:
        leaders = metrics.leaders()
        if not gpus.known():
            return dict.fromkeys(leaders)
        return await asyncio.to_thread(lambda: gpus.taken(members(leaders)))

    recordings, performance = observing.recordings, observing.performance
    given = conductor, recordings, performance, gpus, observing.tally, happenings
    glances = Glances(*given, version=__version__, paths=paths_of_apis(), taken=taken)
    return Overview(glances, ProgressDoors(conductor, recordings))


def watched(whole: Overview, alarms: Alarms, events: Events, tasks: Tasks) -> None:
    """Alerts count for the health, and pages that follow are told of both."""
    whole.glances.alerts = lambda: len(alarms.judge.firing)
    news = AlertNews(alarms, events.tell)
    watching = Watching(whole.glance, tasks.start, events.tell)

    def looked() -> None:
        news.looked()
        watching.soon()

    alarms.looked = looked
    events.own.parts |= {"alerts": news, "glance": watching}
