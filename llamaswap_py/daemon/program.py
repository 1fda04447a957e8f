"""The running program: read, listen, build the house, serve, drain, stop."""

from __future__ import annotations

import asyncio
import gc
import os
import secrets
import signal
import socket
import sys
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path

import structlog

from llamaswap_py.config.read import Reading
from llamaswap_py.daemon import activation, page, voice
from llamaswap_py.daemon.candidates import Candidates
from llamaswap_py.daemon.descriptors import FEW, FEWEST, Descriptors, raise_limit
from llamaswap_py.daemon.filing import Filing
from llamaswap_py.daemon.finder import Finder
from llamaswap_py.daemon.house import Given, House
from llamaswap_py.daemon.leftovers import settle
from llamaswap_py.daemon.notify import Notify
from llamaswap_py.daemon.options import Options
from llamaswap_py.daemon.pulse import Pulse
from llamaswap_py.daemon.reload import Reload, tell_warnings
from llamaswap_py.daemon.sources import Look, Sources
from llamaswap_py.daemon.state import InUse, State, default_directory
from llamaswap_py.daemon.watch import Watch
from llamaswap_py.daemon.watchdog import Watchdog
from llamaswap_py.errors import ConfigError
from llamaswap_py.launchers.records import Records
from llamaswap_py.runtime.feed import Feed
from llamaswap_py.runtime.history import History
from llamaswap_py.runtime.logs import Logs
from llamaswap_py.server import listen
from llamaswap_py.server.configuration.kept import Accepted, Versions
from llamaswap_py.server.configuration.saving import Saving
from llamaswap_py.server.tls import Certificate

log = structlog.get_logger("daemon")


class StartRefused(Exception):
    """The program cannot begin; the sentence says why."""


# Requests leave hardly any garbage that must be searched for, and each search walks through all that they hold. Objects
# of the youngest generation, then searches of a generation before the next: some MiB at most wait for one.
GARBAGE = (5_000, 3, 200)

# So long a thread that computes may keep the loop waiting, at each of its callbacks; Python's own 5 ms, for a hundred
# streams, make half a second.
TURN_SECONDS = 0.0001


class Program:
    def __init__(self, options: Options) -> None:
        self.options = options
        self.feed = Feed()
        self.notify = Notify(os.environ)
        self.stdout = voice.Stdout()
        self.sources = Sources(options.config, options.config_dir, options.models_dirs)
        self.finder = Finder(self.sources)
        self.serving = asyncio.Event()
        self.stopped = asyncio.Event()
        self.filing: Filing
        self.house: House

    async def serve(self) -> None:
        seen = self.sources.look()
        reading = await self.first_reading()
        logs = Logs(reading.config.log_to_stdout, self.stdout.write)
        self.filing = Filing(logs, self.stdout)
        self.filing.adopt(reading.config)
        tell_warnings(reading)
        descriptors = enough(raise_limit())
        tls = certificate(self.options)
        async with AsyncExitStack() as stack:
            stack.callback(self.stdout.close)
            stack.callback(self.filing.close)
            stack.enter_context(voice.hearing_others(asyncio.get_running_loop()))
            address, sockets = self.open_sockets()
            for opened in sockets:
                stack.callback(opened.close)
            state, before = self.take_state(str(address))
            stack.callback(state.release)
            stack.callback(lambda: log.info("shutdown complete"))  # in the form that is configured then
            token = secrets.token_hex(8)
            records = Records(state.records, token)
            stack.push_async_callback(records.close)
            history, versions = History(state.directory / "loads.json"), Versions(state.directory / "configurations")
            given = Given(self.filing, self.feed, self.sources, descriptors, records, history, versions, state)
            self.house = await House.build(reading.config, given, token, stack)
            await settle(before, state.records, self.house.link)
            state.own(token)
            self.live(self.house, reading, seen)
            self.keep_watch(self.house, stack)
            await self.house.open(sockets, tls)
            self.tell_address(address, tls)
            self.house.tasks.start("page", page.keep(self.house.pages, os.environ))
            gc.freeze()  # what is here now stays; only what callers bring is looked through,
            gc.set_threshold(*GARBAGE)  # and that in larger heaps
            gc.enable()
            await self.stopped.wait()
            log.info("shutting down: no new requests, answers in flight may finish")
            self.notify.stopping(self.house.longest_end)
            await self.house.drain()

    async def first_reading(self) -> Reading:
        """Where the file names models that were not found yet, it waits for the whole look before it refuses."""
        await self.finder.begin()
        try:
            return self.sources.read(os.environ)
        except ConfigError:
            if not self.finder.is_late:
                raise
            await self.finder.finish()
            return self.sources.read(os.environ)

    def live(self, house: House, reading: Reading, seen: Look) -> None:
        """From now on signals and edits are heeded."""
        reload = Reload(self.sources, reading, house.prepare, self.feed, self.finder)
        reload.start(house.tasks)
        self.keep_versions(house.saving, reload)
        house.adding.look = Candidates(self.finder, house.models_folder).look
        self.heed_signals(reload)
        if self.options.watch_config:
            Watch(self.sources, seen, reload.now).start(house.tasks)
        house.health.starting = lambda: self.finder.is_late
        self.finder.start(house.tasks, house.in_use, reload.rediscovered)
        house.tasks.start("preload", self.preload(house))

    def keep_versions(self, saving: Saving, reload: Reload) -> None:
        """Of every text that comes into force, the first included."""
        versions = saving.versions
        saving.reload, reload.accepted = reload.ordered, versions.tell
        versions.tell(Accepted(tuple(self.sources.last), None, reload.reading.config, "start"))
        self.house.tasks.start("keep versions of the configuration", versions.keep())

    async def preload(self, house: House) -> None:
        await self.finder.looked.wait()
        await house.preload(house.conductor.config.preload)

    def keep_watch(self, house: House, stack: AsyncExitStack) -> None:
        """Over the loop, a standstill of the machine, and for the service manager over all that must move."""
        pulse = Pulse(house.woke)
        house.metrics.sources.lag = pulse.longest
        watchdog = Watchdog(self.notify, house.conductor, house.link)
        stack.callback(pulse.close)
        stack.callback(watchdog.close)
        pulse.start()
        watchdog.start()

    def tell_address(self, address: listen.Address, tls: Certificate | None) -> None:
        log.info(f"llamaswap listening on {'https' if tls else 'http'}://{address}")
        if not address.loopback:
            log.info(
                f"every machine that reaches this one may use it; --listen localhost:{address.port} keeps it local"
            )
        self.notify.ready(f"serving at {address}")
        self.serving.set()

    def open_sockets(self) -> tuple[listen.Address, list[socket.socket]]:
        try:
            sockets = activation.inherited(os.environ)
            if sockets:
                return listen.Address(*sockets[0].getsockname()[:2]), sockets
            address = listen.parse(self.options.listen)
            sockets = listen.open_sockets(address)
        except ValueError as error:
            raise StartRefused(str(error)) from error
        except OSError as error:
            raise StartRefused(
                f"cannot listen on {self.options.listen}: {error.strerror}; is another server there?"
                " --listen takes another address"
            ) from error
        return listen.Address(address.host, sockets[0].getsockname()[1]), sockets

    def take_state(self, address: str) -> tuple[State, str | None]:
        chosen = self.options.state_dir
        directory = Path(chosen) if chosen else default_directory(dict(os.environ))
        state = State(directory, address)
        try:
            return state, state.take()
        except InUse as error:
            raise StartRefused(f"cannot use the state directory {directory}: {error}") from error
        except OSError as error:
            remedy = "--state-dir or $LLAMASWAP_STATE takes another one"
            raise StartRefused(f"cannot use the state directory {directory}: {error}; {remedy}") from error

    def heed_signals(self, reload: Reload) -> None:
        if sys.platform == "win32":
            return
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGHUP, self.read_again, reload)
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self.stop)
        # Programs that turn log files over send it to everybody; unheeded it would end us.
        loop.add_signal_handler(signal.SIGUSR1, self.filing.reopen)

    def read_again(self, reload: Reload) -> None:
        self.notify.reloading()
        reload.now(self.tell_reloaded)

    def tell_reloaded(self) -> None:
        if not self.stopped.is_set():
            self.notify.ready("serving")

    def stop(self) -> None:
        """The first time: drain. The second: now."""
        if self.stopped.is_set():
            self.house.hurry()
        self.stopped.set()


def enough(descriptors: Descriptors) -> Descriptors:
    if descriptors.now < FEWEST:
        raise StartRefused(f"{descriptors.complaint}: at least {FEWEST} are needed; raise the limit")
    if descriptors.now < FEW:
        log.warning(descriptors.complaint)
    return descriptors


def certificate(options: Options) -> Certificate | None:
    if not options.tls_cert_file or not options.tls_key_file:
        return None
    try:
        return Certificate(options.tls_cert_file, options.tls_key_file)
    except OSError as error:
        files = f"{options.tls_cert_file} and {options.tls_key_file}"
        raise StartRefused(f"cannot serve https with {files}: {error}") from error


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """uvloop where it exists."""
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop


def fill_standard() -> None:
    """Where one of the three standard descriptors is closed, a file or a caller would get its number, and our log."""
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the lowest that is free


def run(options: Options) -> int:
    fill_standard()
    sys.setswitchinterval(TURN_SECONDS)

    async def main() -> None:
        await Program(options).serve()

    try:
        with asyncio.Runner(loop_factory=loop_factory()) as runner:
            runner.run(main())
    except ConfigError as error:
        sys.stderr.writelines(f"llamaswap: {mistake}\n" for mistake in error.mistakes)
        return 1
    except StartRefused as error:
        sys.stderr.write(f"llamaswap: {error}\n")
        return 1
    return 0
