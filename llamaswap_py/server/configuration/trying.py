"""A text in the place of one file: what a reload would say of it and would change. Nothing comes into force."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from aiohttp import web

from llamaswap_py.config.preview import Told, changes, verdict
from llamaswap_py.config.read import Reading
from llamaswap_py.config.report import Source
from llamaswap_py.errors import BadRequest, ConfigError, NoSuchRecord
from llamaswap_py.runtime.conductor import Conductor
from llamaswap_py.server.bodies import read_body

VARIABLE = re.compile(r"\$\{env\.([^}]+)\}")


class Files(Protocol):
    """The configuration's files."""

    config: Path | None
    config_dir: Path | None

    def paths(self) -> list[Path]: ...  # raises ConfigError

    def place(self, name: str) -> Path | None: ...  # of a file that is one of them, or may become one

    def proposed(self) -> Source: ...  # where no file was named: the one that could be, and what is served without it

    def adopt(self, path: Path) -> None: ...  # it was written where there was none

    def trial(self, env: Mapping[str, str], text: str | None, path: Path | None = None) -> Reading: ...


class Trying:
    def __init__(self, conductor: Conductor, files: Files, env: Mapping[str, str]) -> None:
        self.conductor = conductor
        self.files = files
        self.env = env

    async def body(self, request: web.Request) -> str:
        """As it was sent, but for a mark of its beginning."""
        raw = await read_body(request, self.conductor.config.max_body_bytes)
        return text_of(raw)

    def named(self, name: str) -> Path | None:
        """The file that the caller means; None where it names none. Raises NoSuchRecord."""
        if not name:
            return None
        path = self.files.place(name)
        if path is None:
            raise NoSuchRecord(f"{name} is no file of the configuration, and none that could become one")
        return path

    async def outcome(self, text: str | None, path: Path | None) -> Reading | ConfigError:
        return await asyncio.to_thread(self.read, text, path)

    def read(self, text: str | None, path: Path | None) -> Reading | ConfigError:
        try:
            return self.files.trial(self.env, text, path)
        except ConfigError as error:
            return error

    def told(self, text: str | None, outcome: Reading | ConfigError) -> Told:
        return verdict(outcome, {self.env.get(name, "") for name in VARIABLE.findall(text or "")} - {""})

    async def preview(self, text: str | None, path: Path | None) -> Told:
        """The verdict, and where it is accepted what a reload would change."""
        outcome = await self.outcome(text, path)
        told = self.told(text, outcome)
        if isinstance(outcome, ConfigError):
            return told
        return told | await asyncio.to_thread(changes, self.conductor.config, outcome.config)


def text_of(raw: bytes) -> str:
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadRequest("the request body is not UTF-8: send the text of a configuration") from error
