"""The running program: build the rooms, wire them, serve, drain, stop."""

from __future__ import annotations

import asyncio
import os
import secrets
import signal
import socket
import sys
from collections.abc import Callable
from pathlib import Path

import structlog

from llamaswap_py.config.values import Config
from llamaswap_py.daemon import voice
from llamaswap_py.daemon.descriptors import raise_limit
from llamaswap_py.daemon.leftovers import clear
from llamaswap_py.daemon.observing import Observing
from llamaswap_py.daemon.options import Options
from llamaswap_py.daemon.reload import Reload, tell_warnings
from llamaswap_py.daemon.sources import Sources
from llamaswap_py.daemon.state import InUse, State, default_directory
from llamaswap_py.daemon.version import version
from llamaswap_py.daemon.watch import Watch
from llamaswap_py.errors import ConfigError, Refusal
from llamaswap_py.launchers.keeper_link import KeeperLink
from llamaswap_py.runtime.conductor import Conductor
from llamaswap_py.runtime.feed import Feed
from llamaswap_py.runtime.logs import Logs
from llamaswap_py.runtime.runs import Ground
from llamaswap_py.runtime.tasks import Tasks
from llamaswap_py.server import listen
from llamaswap_py.server.events import Events
from llamaswap_py.server.face import Face, doors
from llamaswap_py.server.guard import Guard, guard_of
from llamaswap_py.server.machine import Machine
from llamaswap_py.server.profiles import Profiles
from llamaswap_py.server.tls import Certificate

log = structlog.get_logger("daemon")

# How long answers may go on after the order to stop; llama-swap's figure.
DRAIN_SECONDS = 30.0


class StartRefused(Exception):
    """The program cannot begin; the sentence says why."""


class Program:
    def __init__(self, options: Options) -> None:
        self.options = options
        self.tasks = Tasks()
        self.feed = Feed()
        self.stdout = voice.Stdout()
        self.sources = Sources(options.config, options.config_dir)
        self.serving = asyncio.Event()
        self.stopped = asyncio.Event()

    async def serve(self) -> None:
        seen = self.sources.look()
        reading = self.sources.read(os.environ)
        config = reading.config
        self.logs = Logs(config.log_to_stdout, self.stdout.write)
        voice.speak(config.log_level, self.logs.from_proxy, config.log_time_format)
        tell_warnings(reading)
        self.tls = certificate(self.options)
        address, sockets = self.open_sockets()
        state, before = self.take_state(str(address))
        try:
            if before is not None:
                await clear(before)
            await self.serve_from(config, address, sockets, state)
            if self.options.watch_config:
                Watch(self.sources, seen, self.reload.now).start(self.tasks)
            self.tasks.start("preload", self.preload(config.preload))
            await self.stopped.wait()
            await self.drain()
        finally:
            for opened in sockets:
                opened.close()
            await self.end(state)

    def open_sockets(self) -> tuple[listen.Address, list[socket.socket]]:
        try:
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
        except (InUse, OSError) as error:
            raise StartRefused(f"cannot use the state directory {directory}: {error}") from error

    async def serve_from(
        self, config: Config, address: listen.Address, sockets: list[socket.socket], state: State
    ) -> None:
        token = secrets.token_hex(8)
        state.write({"pid": os.getpid(), "token": token})
        limit = raise_limit()
        self.link = await KeeperLink.start(environ_token=token, nofile=limit, spawn_task=self.tasks.start)
        loop = asyncio.get_running_loop()
        ground = Ground(self.link, self.logs, self.tasks, loop.time)
        self.conductor = Conductor(config, ground, self.feed)
        self.reload = Reload(self.sources, config, self.put_into_force, self.feed)
        self.guard = guard_for(config)
        self.observing = Observing(config, self.feed)
        recordings = self.observing.recordings
        self.events = Events(self.conductor, self.logs, self.feed, recordings.inflight)
        self.profiles = Profiles(self.conductor, self.feed, self.events.tell_profile)
        self.events.profile = lambda: self.profiles.active
        machine = Machine(self.observing.performance, self.observing.hardware, version())
        more = [*self.events.doors(), *self.profiles.doors(), *machine.doors()]
        self.table = doors(self.conductor, self.logs, self.current_guard, recordings, more)
        self.face = Face(self.table, self.current_guard)
        self.heed_signals(loop)
        await self.face.open(sockets, self.tls.context if self.tls else None)
        self.serving.set()
        log.info(f"llamaswap listening on {'https' if self.tls else 'http'}://{address}")
        if not address.loopback:
            log.info(
                f"every machine that reaches this one may use it; --listen localhost:{address.port} keeps it local"
            )

    def current_guard(self) -> Guard:
        return self.guard

    def put_into_force(self, config: Config) -> None:
        voice.speak(config.log_level, self.logs.from_proxy, config.log_time_format)
        self.logs.to_stdout = config.log_to_stdout
        self.guard = guard_for(config)
        self.observing.adopt(config)
        self.conductor.replan(config)

    async def preload(self, models: tuple[str, ...]) -> None:
        """One after the other, in the order written; a failure does not keep the next from loading."""
        for model in models:
            try:
                await self.conductor.load(model)
            except Refusal as refusal:
                log.warning(f"preload of {model} failed: {refusal.message}")

    def heed_signals(self, loop: asyncio.AbstractEventLoop) -> None:
        if sys.platform == "win32":
            return
        loop.add_signal_handler(signal.SIGHUP, self.reload.now)
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self.stop)

    def stop(self) -> None:
        """The first time: drain. The second: now."""
        if self.stopped.is_set():
            self.conductor.hurry()
        self.stopped.set()

    async def drain(self) -> None:
        log.info("shutting down: no new requests, answers in flight may finish")
        await self.face.stop_listening()
        await self.conductor.close(DRAIN_SECONDS)

    async def end(self, state: State) -> None:
        if hasattr(self, "face"):
            self.events.close()
            await self.face.close()
        if hasattr(self, "observing"):
            await self.observing.close()
        if hasattr(self, "link"):
            await self.link.close()
        await self.tasks.close()
        state.release()
        log.info("shutdown complete")
        self.stdout.close()


def certificate(options: Options) -> Certificate | None:
    if not options.tls_cert_file or not options.tls_key_file:
        return None
    try:
        return Certificate(options.tls_cert_file, options.tls_key_file)
    except OSError as error:
        files = f"{options.tls_cert_file} and {options.tls_key_file}"
        raise StartRefused(f"cannot serve https with {files}: {error}") from error


def guard_for(config: Config) -> Guard:
    return guard_of(config.api_keys, config.allowed_hosts, socket.gethostname())


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """uvloop where it exists."""
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop


def run(options: Options) -> int:
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
