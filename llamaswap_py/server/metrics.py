"""`GET /metrics` and `/api/processes`: everything that can be counted, gathered when somebody asks and not before."""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from aiohttp import web

from llamaswap_py.errors import Refusal
from llamaswap_py.observe.exposed import Exposed, exposed
from llamaswap_py.observe.exposition import exposition
from llamaswap_py.observe.gpu.exposition import gpu_exposition, gpu_scores
from llamaswap_py.observe.gpu.gpus import Gpus
from llamaswap_py.observe.performance import Performance
from llamaswap_py.observe.processes import Taken, members, taken
from llamaswap_py.observe.scores import Score, Scores
from llamaswap_py.observe.tally import Tally
from llamaswap_py.runtime.conductor import Conductor
from llamaswap_py.runtime.fetching import fetch
from llamaswap_py.runtime.runs import Run
from llamaswap_py.schedule.plan import Phase
from llamaswap_py.server.doors import Door, Kind
from llamaswap_py.server.happenings import Happenings
from llamaswap_py.server.recording import Recordings

# A scrape waits so long, at most, for the rows of requests that have just ended,
ROWS_SECONDS = 0.5
# and so long for the models' own metrics: a server in the middle of a long prompt answers after it.
CHILD_SECONDS = 1.0
LARGEST = 4 * 1024 * 1024  # bytes of one model's metrics


class Sources(msgspec.Struct, eq=False):
    """Who is asked."""

    conductor: Conductor
    recordings: Recordings
    performance: Performance
    tally: Tally
    happenings: Happenings
    gpus: Gpus
    keeper: Callable[[], int]  # its process id
    lag: Callable[[], float] = msgspec.field(default=lambda: 0.0)  # of the loop, seconds
    more: list[Callable[[], list[Score]]] = msgspec.field(default_factory=list)


class Metrics:
    def __init__(self, sources: Sources) -> None:
        self.sources = sources
        self.began = time.time()
        self.mute: set[int] = set()  # runs whose servers have no metrics
        self.one_at_a_time = asyncio.Lock()

    def doors(self) -> list[Door]:
        return [
            Door("GET", "/metrics", Kind.CONTROL, self.scraped),
            Door("GET", "/api/processes", Kind.CONTROL, self.processes),
        ]

    async def scraped(self, request: web.Request) -> web.Response:
        if not self.sources.performance.enabled:
            return web.Response(status=503, text="# performance monitor not available")
        async with self.one_at_a_time:
            found = await self.gathered(request.headers.get("Accept", ""))
        return web.Response(body=found.body, headers={"Content-Type": found.content_type})

    async def gathered(self, accept: str) -> Exposed:
        sources = self.sources
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(ROWS_SECONDS):
                await sources.recordings.recorder.flush()
        asked = self.askable()
        texts = await asyncio.gather(*(self.told_by(run) for run in asked))
        told = {run.model.id: text for run, text in zip(asked, texts, strict=True) if text}
        scores = [*sources.tally.scores(), *sources.happenings.scores(), *self.standing()]
        scores += [score for told in sources.more for score in told()]
        leaders, keeper, sample = self.leaders(), sources.keeper(), sources.performance.latest()
        up = [run.model.id for run in asked]
        known, gpus = sources.gpus.known(), sources.gpus

        def write() -> Exposed:
            trees = members(leaders)
            cards = gpu_scores(known, gpus.taken(trees), time.time())
            measured = exposition(sample) + gpu_exposition(known)
            return exposed(accept, [*scores, *machine(trees, keeper), *cards], measured, told, up)

        return await asyncio.to_thread(write)

    # -- the models' own metrics

    def askable(self) -> list[Run]:
        """Those that are ready: nobody is woken, no seat is taken, and no time to live begins anew."""
        conductor = self.sources.conductor
        self.mute &= conductor.runs.keys()
        ready = []
        for number, run in conductor.runs.items():
            sight = conductor.scheduler.sight(run.model.id)
            if sight is not None and sight.run == number and sight.phase is Phase.READY and number not in self.mute:
                ready.append(run)
        return ready

    async def told_by(self, run: Run) -> str:
        """Empty where it says nothing that is metrics."""
        try:
            head, body = await fetch(run.connections, "/metrics", CHILD_SECONDS, LARGEST)
        except Refusal:
            return ""  # llamaswap_model_metrics_up tells
        if head.status != 200 or not head.content_type.startswith("text/plain"):
            self.mute.add(run.number)
            return ""
        return body.decode("utf-8", "replace")

    # -- what is so now

    def standing(self) -> list[Score]:
        sources = self.sources
        recorder, flights = sources.recordings.recorder, sources.recordings.inflight.flights
        names = "requests_in_flight", "queue_depth", "model_state", "buffered_bytes", "event_loop_lag_seconds"
        now = Scores(*(f"llamaswap_{name}" for name in (*names, "start_time_seconds", "records_lost_total")))
        for each in sources.conductor.standings():
            model = each.model.id
            state = "disabled" if each.disabled else "leaked" if each.leaked else each.phase.value
            now.put("llamaswap_requests_in_flight", (model,), each.seated)
            now.put("llamaswap_queue_depth", (model,), each.waiting)
            for phase in (*(phase.value for phase in Phase), "disabled", "leaked"):
                now.put("llamaswap_model_state", (model, phase), float(phase == state))
        held = sum(flight.heard.window.held for flight in flights.values())
        now.put("llamaswap_buffered_bytes", ("answers",), held)
        now.put("llamaswap_buffered_bytes", ("records",), recorder.held)
        now.put("llamaswap_buffered_bytes", ("captures",), recorder.captures.size)
        now.put("llamaswap_records_lost_total", (), recorder.lost)
        now.put("llamaswap_event_loop_lag_seconds", (), sources.lag())
        now.put("llamaswap_start_time_seconds", (), self.began)
        return now.scores()

    def leaders(self) -> dict[str, int]:
        runs = self.sources.conductor.runs.values()
        return {run.model.id: run.child.pid for run in runs if run.child is not None and not run.child.ended.done()}

    async def processes(self, request: web.Request) -> web.Response:
        leaders, keeper = self.leaders(), self.sources.keeper()

        gpus = self.sources.gpus

        def look() -> dict[str, Any]:
            trees = members(leaders)
            cards = gpus.taken(trees)
            models = {model: shown(taken(pids)) | {"gpu_memory_bytes": cards[model]} for model, pids in trees.items()}
            return {"proxy": shown(taken([os.getpid()])), "keeper": shown(taken([keeper])), "models": models}

        return web.json_response(await asyncio.to_thread(look))


def shown(each: Taken) -> dict[str, Any]:
    return {"memory_bytes": each.memory, "cpu_seconds": round(each.cpu, 2), "processes": each.processes}


def machine(trees: Mapping[str, set[int]], keeper: int) -> list[Score]:
    """In a thread."""
    names = "model_memory_bytes", "model_cpu_seconds_total", "model_processes"
    scores = Scores(*(f"llamaswap_{n}" for n in (*names, "process_memory_bytes", "process_cpu_seconds_total")))
    for model, pids in trees.items():
        each = taken(pids)
        scores.put("llamaswap_model_memory_bytes", (model,), each.memory)
        scores.put("llamaswap_model_cpu_seconds_total", (model,), each.cpu)
        scores.put("llamaswap_model_processes", (model,), each.processes)
    for name, pid in (("proxy", os.getpid()), ("keeper", keeper)):
        each = taken([pid])
        scores.put("llamaswap_process_memory_bytes", (name,), each.memory)
        scores.put("llamaswap_process_cpu_seconds_total", (name,), each.cpu)
    return scores.scores()
