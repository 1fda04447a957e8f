"""The records of the running program: built, told of a new configuration, ended."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

import structlog

from llamaswap_py.config.values import Config
from llamaswap_py.daemon.version import __version__
from llamaswap_py.observe.activity import Recorder
from llamaswap_py.observe.alerts.answers import Answers
from llamaswap_py.observe.alike import alike
from llamaswap_py.observe.captures import Captures
from llamaswap_py.observe.details import knowing
from llamaswap_py.observe.gpu.freed import Freed
from llamaswap_py.observe.gpu.gpus import Gpus
from llamaswap_py.observe.hardware import Hardware
from llamaswap_py.observe.inflight import Inflight
from llamaswap_py.observe.performance import Performance
from llamaswap_py.observe.rows import Row
from llamaswap_py.observe.tally import Tally
from llamaswap_py.observe.written import Bounds
from llamaswap_py.runtime.feed import Event, Feed, ModelChanged, RowsStored
from llamaswap_py.schedule.plan import Phase
from llamaswap_py.server.recording import Recordings
from llamaswap_py.server.sharing import Whose

log = structlog.get_logger("machine")

MIB = 1024 * 1024


def bounds_of(config: Config) -> Bounds:
    kept = config.store
    return Bounds(config.metrics_in_memory, kept.max_age, kept.max_size, kept.captures)


def titles_of(config: Config) -> frozenset[str]:
    """What models are called in rows and labels."""
    return frozenset([*config.models, *config.remotes])


class Observing:
    """`apis`: the dialect of each path of a model's server."""

    def __init__(self, config: Config, feed: Feed, apis: Mapping[str, str]) -> None:
        loop = asyncio.get_running_loop()
        self.feed = feed
        captures = Captures(config.capture_buffer * MIB)
        self.apis = apis
        self.recorder = Recorder(loop, captures, self.stored, config.store.path, bounds_of(config))
        self.recorder.know = knowing(apis, Whose(config))
        self.tally = Tally(titles_of(config))
        self.answers = Answers()
        self.recorder.count = self.count
        self.recordings = Recordings(Inflight(loop), self.recorder)

        def say(text: str) -> None:
            """The log is the loop's; threads speak through it."""
            loop.call_soon_threadsafe(log.warning, text)

        self.performance = Performance(say)
        self.gpus = Gpus(say)
        self.freed = Freed(self.gpus)
        feed.subscribe(self.hear)
        self.hardware = Hardware(__version__, say)
        self.config = config

    def count(self, rows: Sequence[Row]) -> None:
        finished = list(alike(rows))
        self.tally.count(finished)
        self.answers.count(finished)

    def begin(self) -> None:
        """What may wait until the program listens; until it runs, a thread that starts holds the others up."""
        self.hardware.find_out()
        self.measure()

    def stored(self, ids: Sequence[int], rows: Sequence[Row]) -> None:
        self.feed.publish(RowsStored(ids, rows))

    def adopt(self, config: Config) -> None:
        """A reload keeps what was recorded, as far as the new limits reach."""
        self.recorder.settle(config.store.path, bounds_of(config), config.capture_buffer * MIB)
        self.recorder.know = knowing(self.apis, Whose(config))
        self.tally.models = titles_of(config)
        self.config = config
        self.measure()

    def hear(self, event: Event) -> None:
        """Which processes of a model are on which card is looked up when it has loaded: its end is measured by that."""
        if isinstance(event, ModelChanged) and event.phase is Phase.READY:
            self.gpus.look_soon()

    def measure(self) -> None:
        chosen = self.config.performance
        every = 0.0 if chosen.disabled else chosen.every
        self.performance.adopt(every)
        self.gpus.adopt(every, chosen.gpus)

    async def close(self) -> None:
        self.performance.close()
        self.gpus.close()
        await self.recorder.close()
