"""The configuration for pages: what is in force, whether another text would be accepted, and what it would change.

Reading and comparing are those of the reload; nothing here puts anything into force."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from typing import Any

from aiohttp import web

from llamaswap_py.config.change import Change, compare, keys_of_model, keys_of_settings
from llamaswap_py.config.read import Reading
from llamaswap_py.config.secrets import masked, masked_text, secrets_of
from llamaswap_py.config.show import values
from llamaswap_py.config.values import Config
from llamaswap_py.errors import BadRequest, ConfigError, Mistake
from llamaswap_py.runtime.conductor import Conductor
from llamaswap_py.server.bodies import read_body
from llamaswap_py.server.doors import Door, Kind

VARIABLE = re.compile(r"\$\{env\.([^}]+)\}")

Read = Callable[[str | None], Reading]  # a text in the place of the file, or what is on disk; raises ConfigError


class Configs:
    def __init__(self, conductor: Conductor, read: Read, env: Mapping[str, str]) -> None:
        self.conductor = conductor
        self.read = read
        self.env = env

    def doors(self) -> list[Door]:
        return [
            Door("GET", "/api/config", Kind.CONTROL, self.show),
            Door("POST", "/api/config/check", Kind.CONTROL, self.check),
            Door("POST", "/api/config/diff", Kind.CONTROL, self.diff),
        ]

    async def show(self, request: web.Request) -> web.Response:
        config, disabled = self.conductor.config, self.conductor.disabled
        return web.json_response(masked(values(config) | {"disabled": dict(disabled)}, secrets_of(config)))

    async def check(self, request: web.Request) -> web.Response:
        told, _ = await self.verdict(request)
        return web.json_response(told)

    async def diff(self, request: web.Request) -> web.Response:
        told, reading = await self.verdict(request)
        if reading is not None:
            told |= changes(self.conductor.config, reading.config)
        return web.json_response(told)

    async def verdict(self, request: web.Request) -> tuple[dict[str, Any], Reading | None]:
        """What a reload would say of the text in the body; of the files, where there is none."""
        try:
            text = (await read_body(request, self.conductor.config.max_body_bytes)).decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise BadRequest("the request body is not UTF-8: send the text of a configuration") from error
        secrets = {self.env.get(name, "") for name in VARIABLE.findall(text)} - {""}
        try:
            reading = await asyncio.to_thread(self.read, text if text.strip() else None)
        except ConfigError as error:
            return verdict_of(error.mistakes, error.warnings, {}, secrets), None
        return verdict_of((), reading.warnings, reading.disabled, secrets), reading


def verdict_of(
    mistakes: Iterable[Mistake],
    warnings: Iterable[Mistake],
    disabled: Mapping[str, Iterable[Mistake]],
    secrets: set[str],
) -> dict[str, Any]:
    """Who asks may see the file, but not what the environment holds."""

    def rows(told: Iterable[Mistake]) -> list[dict[str, Any]]:
        return [
            asdict(each) | {"message": masked_text(each.message, secrets), "remedy": masked_text(each.remedy, secrets)}
            for each in told
        ]

    wrong = rows(mistakes)
    return {
        "accepted": not wrong,
        "mistakes": wrong,
        "warnings": rows(warnings),
        "disabled": {model: rows(each) for model, each in disabled.items()},
    }


def changes(old: Config, new: Config) -> dict[str, Any]:
    """By model, with the keys that do not say the same."""
    change: Change = compare(old, new)
    return {
        "added": list(change.added),
        "removed": list(change.removed),
        "restarted": {name: keys_of_model(old, new, name) for name in change.relaunch},
        "retuned": {name: keys_of_model(old, new, name) for name in change.touched},
        "settings": keys_of_settings(old, new),
    }
