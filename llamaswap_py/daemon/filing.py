"""Where the running program's log goes and in which form: told again with every configuration."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import structlog

from llamaswap_py.config.values import Config
from llamaswap_py.daemon import voice
from llamaswap_py.daemon.forms import form_of, gap
from llamaswap_py.runtime.logs import Logs
from llamaswap_py.server.face import Say

if TYPE_CHECKING:
    from llamaswap_py.observe.logfiles.writer import Writer

log = structlog.get_logger("logs")


class Filing:
    def __init__(self, logs: Logs, stdout: voice.Stdout) -> None:
        self.logs = logs
        self.stdout = stdout
        self.loop = asyncio.get_running_loop()
        self.writer: Writer | None = None

    def adopt(self, config: Config) -> None:
        self.level, self.form = config.log_level, form_of(config.log_format, config.log_time_format)
        self.logs.to_stdout = config.log_to_stdout
        self.adopt_files(config)
        self.stdout.gap = gap(self.form)
        voice.speak(self.level, self.logs.from_proxy, self.form)

    def adopt_files(self, config: Config) -> None:
        if self.writer is not None:
            self.writer.adopt(config.log_files)
        elif config.log_files.directory:
            from llamaswap_py.observe.logfiles.writer import Writer  # a start without files need not read it

            self.writer = Writer(config.log_files, self.tell)
            self.logs.to_file, self.logs.over = self.writer.write, self.writer.over
        if self.writer is not None:
            self.writer.scribe.gap = gap(self.form)

    def access(self) -> Say:
        """How requests that have ended are told."""
        return voice.access(self.level, self.logs.from_proxy, self.form)

    def tell(self, text: str) -> None:
        """The log is the loop's; threads speak through it."""
        if not self.loop.is_closed():
            self.loop.call_soon_threadsafe(log.warning, text)

    def reopen(self) -> None:
        if self.writer is None:
            log.info("SIGUSR1: the log goes to standard output, nothing to reopen")
            return
        self.writer.reopen()
        log.info("SIGUSR1: the log files are opened anew")

    def close(self) -> None:
        if self.writer is not None:
            self.writer.close()
