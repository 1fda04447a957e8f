"""One life of a model's server, from the order to start it until nothing of it is left."""

from __future__ import annotations

import asyncio
import math
import os
from collections.abc import Callable
from typing import Protocol

import msgspec
import structlog

from llamaswap_py.config.change import launch_key
from llamaswap_py.config.command import render
from llamaswap_py.config.secrets import masked_text, secrets_of_model
from llamaswap_py.config.values import Config, Model
from llamaswap_py.errors import Refusal, ShuttingDown, StartFailed, Unloaded, UpstreamFailed, UpstreamTimeout
from llamaswap_py.launchers.child import Child
from llamaswap_py.launchers.keeper_link import KeeperLink
from llamaswap_py.launchers.local import LocalRun
from llamaswap_py.launchers.records import Records
from llamaswap_py.runtime import health, ports
from llamaswap_py.runtime.causes import cause, port_taken, starved
from llamaswap_py.runtime.estimate import Progress
from llamaswap_py.runtime.express import Express
from llamaswap_py.runtime.following import Ordered
from llamaswap_py.runtime.heartbeat import Heart
from llamaswap_py.runtime.history import History, Load
from llamaswap_py.runtime.leaks import Leaks
from llamaswap_py.runtime.logs import Logs
from llamaswap_py.runtime.output import Ring
from llamaswap_py.runtime.pool import Pool, listens
from llamaswap_py.runtime.tasks import Tasks
from llamaswap_py.runtime.vitals import Vitals, first_of, nothing
from llamaswap_py.wire.address import Address

log = structlog.get_logger("runs")

# How much of a failed command's output its callers are shown.
TAIL_LINES = 12
TAIL_BYTES = 8 * 1024
LAST_OUTPUT = ". Its last output:\n"  # between why it failed and that output

# What is left of a grace where somebody insists: enough for a server that heeds the signal, or a cmdStop.
HURRIED_SECONDS = 2.0

# The broken connection of a server that died is seen some milliseconds before the word of its death arrives.
DEATH_NEWS_SECONDS = 0.25
# Nobody listens in its place any more: then the word will come, however busy the machine is.
DYING_SECONDS = 5.0

# Ports that one start tries: programs that start at the same time and count from the same number rob each other.
PORTS_TRIED = 3

# How long a card may take to show that a dead server's memory is free again; what is still missing then is not its.
MEMORY_SECONDS = 10.0


class Cards(Protocol):
    @property
    def seen(self) -> bool:
        """Whether there are any."""

    async def memory_back(self, leader: int) -> None:
        """Of a tree that is gone: returns when they show that it is."""


class Ground(msgspec.Struct, eq=False, dict=True):
    """What every run stands on."""

    link: KeeperLink
    logs: Logs
    tasks: Tasks
    clock: health.Clock
    sleep: health.Sleep = asyncio.sleep
    taken_ports: set[int] = msgspec.field(default_factory=set)
    records: Records | None = None  # None: nothing outlives us
    history: History = msgspec.field(default_factory=History)
    cards: Cards | None = None  # None: nobody looks for any
    dropped: set[Child] = msgspec.field(default_factory=set)  # ordered ahead, not needed, and not gone yet
    heart: Heart = msgspec.field(default_factory=Heart)
    express: Express = msgspec.field(default_factory=Express)
    environ: dict[str, str] = msgspec.field(default_factory=lambda: dict(os.environ))  # each look at the system's costs

    def __post_init__(self) -> None:
        self.leaks = Leaks(self.taken_ports)

    async def until_dropped_are_gone(self) -> None:
        """Processes that were ordered ahead and not needed: nobody is to run beside one."""
        for child in tuple(self.dropped):
            await child.over()

    async def until_memory_is_back(self, model: str, pid: int) -> None:
        """Whoever is started next must not find the cards still full."""
        if self.cards is None:
            return
        try:
            async with asyncio.timeout(MEMORY_SECONDS):
                await self.cards.memory_back(pid)
        except TimeoutError:
            log.warning(f"model {model}: its memory was not seen to come back within {MEMORY_SECONDS:g} s")


class Times(msgspec.Struct):
    """Of one run, for whoever writes down what its callers waited for. Loop times."""

    number: int
    began: float
    ready: float = math.inf


class Run:
    def __init__(self, number: int, model: Model, config: Config, ground: Ground) -> None:
        self.number = number
        self.times = Times(number, ground.clock())
        self.model = model
        self.rendered = model
        self.preferred_port = config.ports.get(model.id)
        self.ready_limit = model.health_check_timeout
        self.ground = ground
        self.port: int | None = None
        self.pool: Pool | None = None
        self.child: LocalRun | None = None
        self.ordered: Ordered | None = None  # its process, where that was ordered with the stop before
        self.vitals: Vitals | None = None
        self.load: Load | None = None  # while it loads, and somebody can say when it is ready
        self.whose: dict[str, str] = {"model": model.id}  # as fields of log lines
        self.progressed: Callable[[Progress], None] = lambda _: None
        self.last_words = Ring(TAIL_BYTES)
        self.hurried = False
        self.closing = False  # the whole program ends
        self.failed = False
        self.starved = False  # its start ran out of memory
        self.stopping: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.gone: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def __repr__(self) -> str:
        return f"<run {self.number} of {self.model.id} port={self.port} pid={self.child.pid if self.child else None}>"

    @property
    def connections(self) -> Pool:
        assert self.pool is not None, "a run has connections from its start on"
        return self.pool

    @property
    def lost(self) -> bool:
        """Its server ended unasked, or was given up; the scheduler hears of it when nothing of it is left."""
        return (self.failed or (self.child is not None and self.child.ended.done())) and not self.stopping.done()

    async def death(self) -> Refusal | None:
        """Why its server is gone, asked by a caller whose connection broke; None where it lives or was stopped."""
        if self.child is not None and not self.stopping.done():
            news = self.child.ended, self.stopping
            await first_of(*news, within=DEATH_NEWS_SECONDS)
            if not any(each.done() for each in news) and not await listens(self.connections):
                await first_of(*news, within=DYING_SECONDS)
        if not self.lost or self.child is None or not self.child.ended.done():
            return None
        return self.told(UpstreamFailed(f"its server ended with {self.child.ended.result()}"))

    def stop(self, why: str) -> None:
        """At once: whoever is to have its place waits for its end."""
        if not self.stopping.done():
            self.stopping.set_result(why)
            try:
                self.break_off(None)
            except Exception:
                log.exception(f"{self.model.id}: its stop could not begin at once")

    def break_off(self, failure: Refusal | None) -> asyncio.Future[None] | None:
        """Our connections go first, the signal with them: llama-server does not end while a caller is connected.
        What is awaited for its end, where it has begun."""
        try:
            if self.pool is not None:
                why = self.stopping.result() if self.stopping.done() else "the proxy broke it off"
                self.pool.close(cut_off(self, why) if failure is None or self.stopping.done() else failure)
        finally:
            grace = min(self.model.unload_timeout, HURRIED_SECONDS if self.hurried else math.inf)
            over = None if self.child is None else self.child.stop(grace)
        return over

    def hurry(self) -> None:
        """Little grace from now on, for a stop under way as for one to come."""
        self.hurried = True
        if self.child is not None:
            self.child.cut_short(HURRIED_SECONDS)

    def adopt(self, model: Model) -> None:
        """The same command under edited settings: what counts at the stop is what is configured then."""
        self.model = model
        self.rendered = render(model, self.port)
        self.ready_limit = model.health_check_timeout
        if self.pool is not None:
            self.pool.timeouts = model.timeouts
        if self.child is not None:
            self.child.model = self.rendered
        if self.vitals is not None:
            self.vitals.model = self.rendered

    async def live(self, ready: Callable[[], None]) -> Refusal | None:
        """Tells `ready` at most once; returns why it ended, None where that was ordered."""
        failure: Refusal | None = None
        try:
            if self.stopping.done():
                return None
            vitals, failure = await self.come_up()
            load, self.load = self.load, None
            if failure is None and not self.stopping.done():
                ready()
                await asyncio.sleep(0)  # whoever waits for it goes first
                vitals.child.child.hear_in_pauses()
                if load is not None:
                    self.ground.tasks.start(f"remember the load of {self.model.id}", load.remember())
                failure = await vitals.until_over()
                self.failed = failure is not None
                self.hurried = self.hurried or isinstance(failure, UpstreamTimeout)  # a hung server heeds nobody
            failure = failure and self.told(failure)
        except Refusal as refusal:
            failure = refusal.afresh()
        finally:
            await self.finish(failure)
        return None if self.stopping.done() else failure

    async def come_up(self) -> tuple[Vitals, Refusal | None]:
        """Where somebody else got our port between our look at it and our server's own, once more on another."""
        port, left = self.preferred_port, PORTS_TRIED
        while True:
            left -= 1
            vitals = await self.spawn(port)
            failure = await vitals.become_ready(self.ready_limit)
            self.starved = failure is not None and short_of_memory(vitals.child, self.last_words)
            if failure is None or not left or not await self.robbed(vitals):
                return vitals, failure
            log.warning(f"{self.model.id}: {failure.message}; its port is or was taken, trying another")
            self.last_words.clear()
            port = None

    async def robbed(self, vitals: Vitals) -> bool:
        """Asked after a failure. Ends what is left of our own first: then whoever holds our port is a stranger. One
        that has left it since was seen, or our server has said so."""
        port = self.port
        if port is None or self.stopping.done():
            return False
        await self.finish(None)
        seen = vitals.robbed or port_taken(self.last_words.tail(TAIL_LINES))
        return not self.stopping.done() and (seen or not ports.free(port))

    async def spawn(self, preferred_port: int | None) -> Vitals:
        if not self.model.cmd.strip():
            raise StartFailed(f"model {self.model.id} has no command: give it a `cmd` in the configuration")
        ground = self.ground
        ground.leaks.refuse(self.model.id)
        ordered = self.ordered
        if ordered is not None:
            self.port, self.rendered = ordered.port, ordered.rendered
        else:
            await ground.until_dropped_are_gone()
            if "${PORT}" in self.model.cmd:
                self.port = take_port(self.model, preferred_port, ground.taken_ports)
            self.rendered = render(self.model, self.port)
        probed = self.rendered.check_endpoint.strip() != "none"
        patience = 0.0 if probed else self.ready_limit
        self.pool = Pool(address_of(self.rendered), timeouts=self.model.timeouts, patience=patience)
        self.ordered = None
        try:
            self.child = await LocalRun.launch(
                ground.link,
                self.rendered,
                self.output,
                ground.environ,
                records=ground.records,
                ordered=ordered.child if ordered else None,
            )
        except Refusal as refusal:
            raise type(refusal)(f"model {self.model.id}: {refusal.message}") from refusal
        child, pool = self.child, self.pool
        self.load = Load(ground.history, launch_key(self.model), ground.clock, self.progressed) if probed else None
        looked = self.load.looked if self.load else nothing
        given = self.stopping, ground.tasks, ground.clock, ground.sleep, looked
        self.vitals = Vitals(self.rendered, self.port, child, pool, *given)
        return self.vitals

    def output(self, data: bytes) -> None:
        self.last_words.write(data)
        if self.vitals is not None:
            self.vitals.said(data)
        self.ground.logs.from_model(self.model.id, data)

    async def finish(self, failure: Refusal | None) -> None:
        if self.ordered is not None:
            self.ordered.drop()
            self.ordered = self.port = None
            await self.ground.until_dropped_are_gone()
        over = self.break_off(failure)
        if over is not None and self.child is not None:
            await over
            if self.child.leaked:
                self.ground.leaks.hold(self.model.id, self.child, self.port)
                self.port = None
            else:
                await self.ground.until_memory_is_back(self.model.id, self.child.pid)
            self.ground.logs.over(self.model.id)
        if self.port is not None:
            self.ground.taken_ports.discard(self.port)
            self.port = None

    def told(self, what: Refusal) -> Refusal:
        """The same refusal, with whose it is and what was said last."""
        tail = masked_text(self.last_words.tail(TAIL_LINES), secrets_of_model(self.model))
        how = self.child.ended.result() if self.child is not None and self.child.ended.done() else None
        said = ": ".join(filter(None, (f"model {self.model.id}", what.message, cause(tail, how))))
        return type(what)(said + (f"{LAST_OUTPUT}{tail}" if tail else ""))


def short_of_memory(child: LocalRun, last_words: Ring) -> bool:
    return child.ended.done() and starved(last_words.tail(TAIL_LINES), child.ended.result())


def address_of(model: Model) -> Address:
    try:
        return Address.parse(model.proxy)
    except ValueError as error:
        why = f"its proxy cannot be reached: {error}. Write it as http://host:port"
        raise StartFailed(f"model {model.id}: {why}") from error


def take_port(model: Model, preferred: int | None, taken: set[int]) -> int:
    try:
        port = ports.pick(preferred, taken)
    except OSError as error:
        raise StartFailed(f"model {model.id}: {error}: all ports of this machine are in use") from error
    taken.add(port)
    return port


def cut_off(run: Run, why: str) -> Refusal:
    """What a caller hears whose answer is broken off by a stop."""
    if run.closing:
        return ShuttingDown(f"the proxy was stopped while model {run.model.id} answered")
    return Unloaded(f"model {run.model.id} was stopped while it answered: {why}")
