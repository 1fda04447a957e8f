"""The configuration's earlier versions: listed, shown, and taken again by an ordinary save."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from aiohttp import web
from msgspec.structs import asdict

from llamaswap_py.config.versions import Version
from llamaswap_py.errors import NoSuchRecord
from llamaswap_py.server.configuration.saving import Saving, Wanted, may_disable, seen
from llamaswap_py.server.doors import Door, Kind


class History:
    def __init__(self, saving: Saving) -> None:
        self.saving = saving
        self.versions = saving.versions

    def doors(self) -> list[Door]:
        return [
            Door("GET", "/api/config/history", Kind.CONTROL, self.show),
            Door("GET", "/api/config/history/{id}", Kind.CONTROL, self.show_one),
            Door("POST", "/api/config/history/{id}/restore", Kind.CONTROL, self.restore),
        ]

    async def show(self, request: web.Request) -> web.Response:
        file = request.query.get("file", "")
        await self.versions.settled()
        known = await asyncio.to_thread(self.versions.versions)
        return web.json_response({"versions": [row_of(each) for each in known if file in ("", each.file)]})

    async def show_one(self, request: web.Request) -> web.Response:
        version, text = await self.named(request)
        return web.json_response(row_of(version) | {"text": text}, headers={"Cache-Control": "no-store"})

    async def restore(self, request: web.Request) -> web.Response:
        """Into the file that it is a version of."""
        version, text = await self.named(request)
        path = self.saving.trying.named(version.file)
        assert path is not None
        wanted = Wanted(path, text.encode(), seen(request), may_disable(request), "restore", version.id)
        return await self.saving.answer(request, wanted)

    async def named(self, request: web.Request) -> tuple[Version, str]:
        name = request.match_info["id"]
        found = await asyncio.to_thread(self.versions.text, name)
        if found is None:
            raise NoSuchRecord(f"there is no version {name} of the configuration (any more)")
        return found


def row_of(version: Version) -> dict[str, Any]:
    return asdict(version) | {"name": Path(version.file).name}
