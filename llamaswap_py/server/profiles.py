"""Profiles: which there are, and which is active. Chosen at run time, for everybody; names go by it from then on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import structlog
from aiohttp import web

from llamaswap_py.config.values import Profile
from llamaswap_py.errors import BadRequest, NoSuchRecord
from llamaswap_py.runtime.conductor import Conductor
from llamaswap_py.runtime.feed import ConfigLoaded, Event, Feed
from llamaswap_py.server.bodies import read_body
from llamaswap_py.server.doors import Door, Kind

log = structlog.get_logger("profiles")


class Profiles:
    """`changed` hears of every change of `active`."""

    def __init__(self, conductor: Conductor, feed: Feed, changed: Callable[[], None]) -> None:
        self.conductor = conductor
        self.changed = changed
        self.active: str | None = None
        feed.subscribe(self.hear)

    def doors(self) -> list[Door]:
        return [
            Door("GET", "/api/profiles", Kind.CONTROL, self.show),
            Door("PUT", "/api/profiles/active", Kind.CONTROL, self.choose),
        ]

    def hear(self, event: Event) -> None:
        """A reload keeps the choice where the profile is still there."""
        if isinstance(event, ConfigLoaded) and self.active not in self.conductor.config.profiles:
            self.activate(None)

    def activate(self, name: str | None) -> None:
        if name == self.active:
            return
        self.active = name
        log.info(f"profile {name} is active" if name else "no profile is active")
        self.changed()

    async def show(self, request: web.Request) -> web.Response:
        profiles = self.conductor.config.profiles
        rows = [row(profiles[name]) for name in sorted(profiles)]
        return web.json_response({"active": self.active, "profiles": rows})

    async def choose(self, request: web.Request) -> web.Response:
        name = wanted(await read_body(request, self.conductor.config.max_body_bytes))
        if name and name not in self.conductor.config.profiles:
            raise NoSuchRecord(f'profile "{name}" not found')
        self.activate(name)
        return web.json_response({"active": self.active})


def row(profile: Profile) -> dict[str, Any]:
    return {"id": profile.id, "description": profile.description, "pins": dict(profile.pins)}


def wanted(body: bytes) -> str | None:
    """The name in `{"name": …}`; None, which null and an empty text mean, for no profile."""
    try:
        asked = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        asked = None
    if not isinstance(asked, dict):
        raise BadRequest("invalid profile request")
    if "name" not in asked:
        raise BadRequest("profile name is required")
    name = asked["name"]
    if not isinstance(name, str | None):
        raise BadRequest("profile name must be a string or null")
    return name or None
