"""The rooms, built and wired for one configuration, and taken down again in reverse order."""

from __future__ import annotations

import asyncio
import functools
import os
import socket
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from pathlib import Path

import msgspec
import structlog

from llamaswap_py.config.read import Reading
from llamaswap_py.config.values import Config, Limits
from llamaswap_py.daemon.alarming import alarms
from llamaswap_py.daemon.benching import benchmarking, own_url
from llamaswap_py.daemon.descriptors import Descriptors
from llamaswap_py.daemon.downloads import models_folder
from llamaswap_py.daemon.filing import Filing
from llamaswap_py.daemon.observing import Observing
from llamaswap_py.daemon.overlook import overview, watched
from llamaswap_py.daemon.sources import Sources
from llamaswap_py.daemon.state import State
from llamaswap_py.daemon.version import __version__
from llamaswap_py.errors import Refusal
from llamaswap_py.launchers.keeper_link import KeeperLink
from llamaswap_py.launchers.records import Records
from llamaswap_py.library.pull.underway import Pulls
from llamaswap_py.observe.alerts import standing
from llamaswap_py.observe.alerts.wording import row
from llamaswap_py.observe.gpu.shown import component
from llamaswap_py.runtime.conductor import Conductor, plan_of
from llamaswap_py.runtime.doubt import doubt
from llamaswap_py.runtime.feed import Feed, PullChanged
from llamaswap_py.runtime.history import History
from llamaswap_py.runtime.peers import Peers
from llamaswap_py.runtime.runs import Ground
from llamaswap_py.runtime.tasks import Tasks
from llamaswap_py.schedule.plan import Plan
from llamaswap_py.server.alerts import AlertDoors
from llamaswap_py.server.choosing import Choosing
from llamaswap_py.server.configuration.adding import Adding
from llamaswap_py.server.configuration.history import History as ConfigHistory
from llamaswap_py.server.configuration.kept import Versions
from llamaswap_py.server.configuration.saving import Saving
from llamaswap_py.server.configuration.shown import Shown
from llamaswap_py.server.configuration.trying import Trying
from llamaswap_py.server.events import Events
from llamaswap_py.server.face import Face, apis, doors
from llamaswap_py.server.guard import Guard, guard_of
from llamaswap_py.server.happenings import Happenings
from llamaswap_py.server.health import Health
from llamaswap_py.server.machine import Machine
from llamaswap_py.server.metrics import Metrics
from llamaswap_py.server.metrics import Sources as MetricSources
from llamaswap_py.server.overview.distribution import Distribution
from llamaswap_py.server.pages import Pages
from llamaswap_py.server.profiles import Profiles
from llamaswap_py.server.proxy import Proxy
from llamaswap_py.server.pulls import PullDoors
from llamaswap_py.server.sampling import card_use
from llamaswap_py.server.tls import Certificate

log = structlog.get_logger("daemon")

# Of an end, beyond what it waits for: the records' last rows, and the system's own time for a large process.
AFTERMATH_SECONDS = 10.0


class Given(msgspec.Struct, frozen=True):
    """What the program brings along: it was there before the house, and outlives it."""

    filing: Filing
    feed: Feed
    sources: Sources
    descriptors: Descriptors
    records: Records
    history: History
    versions: Versions
    state: State


class House:
    """Made by `build`; everything it holds ends with the stack it was built on."""

    def __init__(self, config: Config, given: Given, tasks: Tasks, link: KeeperLink) -> None:
        self.filing, feed, sources = given.filing, given.feed, given.sources
        logs, self.state, self.own_url = self.filing.logs, given.state, ""
        self.sources, self.tasks, self.link = sources, tasks, link
        ground = Ground(link, logs, tasks, asyncio.get_running_loop().time, records=given.records)
        ground.history = given.history
        self.conductor = Conductor(config, ground, feed)
        self.guard = guard_for(config)
        self.observing = Observing(config, feed, apis())
        recordings = self.observing.recordings
        self.events = Events(self.conductor, logs, feed, recordings, keeper=lambda: link.pid)
        self.events.own.sampling.gpus = lambda: [card_use(each) for each in self.observing.gpus.known()]
        self.profiles = Profiles(self.conductor, feed, self.events.tell_profile)
        self.events.profile = lambda: self.profiles.active
        ground.cards = self.observing.freed
        machine = Machine(self.observing.performance, self.observing.hardware, self.observing.gpus, __version__)
        happenings = Happenings(feed, ground.clock)
        self.metrics = self.metrics_of(self.observing, happenings)
        self.alarms = alarms(self.observing, happenings, tasks, self.places)
        self.metrics.sources.more.append(lambda: standing.scores(self.alarms))
        self.events.alerts = lambda: map(row, self.alarms.judge.firing.values())
        self.overview = overview(self.observing, self.metrics, happenings)
        self.overview.glances.table = lambda: self.table
        watched(self.overview, self.alarms, self.events, tasks)
        trying = Trying(self.conductor, sources, os.environ)
        shown = Shown(trying)
        self.saving = Saving(trying, given.versions)
        self.adding = Adding(self.saving, shown)
        pulls = Pulls(self.models_folder, tasks.start, lambda row: feed.publish(PullChanged(row)))
        self.events.pulls = lambda: pulls.rows(everything=False)
        pulling = PullDoors(pulls, lambda: self.conductor.config)
        self.pages = Pages()
        benches = benchmarking(tasks, feed, lambda: self.conductor.config, self.state, lambda: self.own_url)
        self.events.benchmarks = lambda: benches.benchmarks.rows(everything=False)
        more = [
            *self.events.doors(),
            *self.profiles.doors(),
            *machine.doors(),
            *self.metrics.doors(),
            *self.overview.doors(),
            *Distribution(self.overview, self.saving).doors(),
            *shown.doors(),
            *self.saving.doors(),
            *ConfigHistory(self.saving).doors(),
            *self.adding.doors(),
            *pulling.doors(),
            *self.pages.doors(),
            *AlertDoors(self.alarms).doors(),
            *benches.doors(),
        ]
        self.peers = Peers()
        choosing = Choosing(self.conductor, lambda: self.profiles.active)
        proxy = Proxy(self.conductor, self.peers, self.current_guard, recordings, choosing)
        self.health = Health(self.conductor, recordings.recorder)
        gpus = self.observing.gpus
        self.health.more["gpus"] = lambda: component(gpus.known(), len(gpus.troubles))
        self.health.more["alerts"] = lambda: standing.part(self.alarms)
        self.table = doors(proxy, logs, more, self.health)
        say, room = self.filing.access(), given.descriptors.room
        self.face = Face(self.table, self.current_guard, limits=self.limits, room=room, say=say)

    def metrics_of(self, observing: Observing, happenings: Happenings) -> Metrics:
        recordings, performance = observing.recordings, observing.performance
        link = self.link
        given = self.conductor, recordings, performance, observing.tally, happenings, observing.gpus
        return Metrics(MetricSources(*given, keeper=lambda: link.pid))

    @classmethod
    async def build(cls, config: Config, given: Given, token: str, stack: AsyncExitStack) -> House:
        """`token` marks every child, so that the next start finds what this one should leave behind."""
        tasks = Tasks()
        stack.push_async_callback(tasks.close)
        link = await KeeperLink.start(environ_token=token, nofile=given.descriptors.before, spawn_task=tasks.start)
        stack.push_async_callback(link.close)
        house = cls(config, given, tasks, link)
        stack.push_async_callback(house.observing.close)
        stack.push_async_callback(house.alarms.close)
        stack.push_async_callback(house.face.close)
        stack.callback(house.events.close)
        return house

    async def open(self, sockets: Sequence[socket.socket], tls: Certificate | None) -> None:
        self.own_url = own_url(sockets[0].getsockname(), tls is not None)
        await self.face.open(sockets, tls.context if tls else None)
        self.observing.begin()
        self.alarms.remember(self.state.alerts)
        self.alarms.begin()

    def woke(self, seconds: float) -> None:
        log.warning(f"everything stood still for {seconds:.0f} s: every model's server is probed anew")
        doubt(self.conductor)

    @property
    def longest_end(self) -> float:
        """Seconds from the order to stop to the end, at most."""
        graces = [model.unload_timeout for model in self.conductor.config.models.values()]
        return self.limits().drain + max(graces, default=0.0) + AFTERMATH_SECONDS

    def limits(self) -> Limits:
        return self.conductor.config.limits

    def places(self) -> list[Path]:
        """The folders that we, or what we start, write to."""
        config = self.conductor.config
        files = [config.store.path and str(Path(config.store.path).parent), config.log_files.directory]
        return [self.state.directory, *(Path(each).absolute() for each in files if each), self.models_folder()]

    def models_folder(self) -> Path:
        return models_folder(self.sources, self.conductor.config, os.environ)

    def current_guard(self) -> Guard:
        return self.guard

    def prepare(self, reading: Reading) -> Callable[[], None]:
        """In a thread: all of it that takes long. What it returns puts the configuration into force, on the loop."""
        reasons = {model: "; ".join(map(str, mistakes)) for model, mistakes in reading.disabled.items()}
        plan = plan_of(reading.config, reasons)
        return functools.partial(self.put_into_force, reading.config, reasons, plan, guard_for(reading.config))

    def put_into_force(self, config: Config, disabled: Mapping[str, str], plan: Plan, guard: Guard) -> None:
        self.filing.adopt(config)
        self.face.access.say = self.filing.access()
        self.guard = guard
        self.observing.adopt(config)
        self.alarms.adopt(config.alerts)
        self.conductor.replan(config, disabled, plan)

    def in_use(self) -> set[str]:
        """Models that run, or that somebody waits for."""
        return {life.model for life in self.conductor.scheduler.state.lives.values() if life.up or life.waiting}

    async def preload(self, models: tuple[str, ...]) -> None:
        """One after the other, in the order written; a failure does not keep the next from loading."""
        for model in models:
            try:
                await self.conductor.load(model)
            except Refusal as refusal:
                log.warning(f"preload of {model} failed: {refusal.message}")

    async def drain(self) -> None:
        """No new requests; answers in flight may finish; then every model is stopped."""
        self.face.stop_listening()
        grace = self.limits().drain
        await asyncio.gather(self.conductor.close(grace), self.peers.close(grace), self.face.hear_out())

    def hurry(self) -> None:
        self.conductor.hurry()
        self.peers.hurry()


def guard_for(config: Config) -> Guard:
    return guard_of(config.api_keys, config.allowed_hosts, socket.gethostname())
