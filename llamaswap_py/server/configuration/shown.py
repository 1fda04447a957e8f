"""The configuration for pages: what is in force, its files and what may stand in them, and what another text would do.

Reading and comparing are those of the reload; nothing here puts anything into force."""

from __future__ import annotations

import asyncio
from functools import lru_cache
from pathlib import Path
from typing import Any

import msgspec
from aiohttp import web

from llamaswap_py.config.json_schema import schema
from llamaswap_py.config.secrets import masked, secrets_of
from llamaswap_py.config.show import values
from llamaswap_py.errors import ConfigError, NoSuchRecord, NotWritable
from llamaswap_py.server.configuration import disk
from llamaswap_py.server.configuration.trying import Trying
from llamaswap_py.server.doors import Door, Kind


class Shown:
    def __init__(self, trying: Trying, watched: bool = False) -> None:
        self.trying = trying
        self.watched = watched

    def doors(self) -> list[Door]:
        return [
            Door("GET", "/api/config", Kind.CONTROL, self.show),
            Door("GET", "/api/config/schema", Kind.CONTROL, self.schema),
            Door("GET", "/api/config/files", Kind.CONTROL, self.show_files),
            Door("GET", "/api/config/text", Kind.CONTROL, self.show_text),
            Door("POST", "/api/config/check", Kind.CONTROL, self.check),
            Door("POST", "/api/config/diff", Kind.CONTROL, self.diff),
        ]

    async def show(self, request: web.Request) -> web.Response:
        conductor = self.trying.conductor
        config, disabled = conductor.config, conductor.disabled
        return web.json_response(masked(values(config) | {"disabled": dict(disabled)}, secrets_of(config)))

    async def schema(self, request: web.Request) -> web.Response:
        return web.Response(body=schema_bytes(), content_type="application/schema+json")

    async def show_files(self, request: web.Request) -> web.Response:
        return web.json_response(await asyncio.to_thread(self.files))

    def files(self) -> dict[str, Any]:
        """Blocks."""
        files = self.trying.files
        try:
            paths = files.paths()
        except ConfigError as error:
            raise NotWritable(str(error)) from error
        rows = [row for path in paths if (row := row_of(path)) is not None]
        is_without = files.config is None and files.config_dir is None
        return {
            "files": rows,
            "folder": str(files.config_dir) if files.config_dir else None,
            "create": files.proposed().path if is_without else None,
        }

    async def show_text(self, request: web.Request) -> web.Response:
        path = self.trying.named(request.query.get("file", ""))
        told = await asyncio.to_thread(self.text, path)
        return web.json_response(told, headers={"ETag": f'"{told["tag"]}"', "Cache-Control": "no-store"})

    def text(self, path: Path | None) -> dict[str, Any]:
        """Blocks. Without a path: the first file; where there is none, the one that could be made."""
        files = self.trying.files
        proposed = files.proposed()
        path = path or next(iter(files.paths()), Path(proposed.path))
        content = disk.read(path)
        said = {"file": str(path), "writable": disk.is_writable(path)}
        if content is None:
            if files.config is not None or files.config_dir is not None:
                raise NoSuchRecord(f"there is no {path}")
            return said | {"text": proposed.text, "tag": "", "exists": False, "changed": None}
        try:
            text = content.raw.decode()
        except UnicodeDecodeError as error:
            raise NotWritable(f"{path} is not UTF-8 text; save it as UTF-8 first") from error
        return said | {"text": text, "tag": content.tag, "exists": True, "changed": content.changed}

    async def check(self, request: web.Request) -> web.Response:
        path = self.trying.named(request.query.get("file", ""))
        text = meant(await self.trying.body(request))
        return web.json_response(self.trying.told(text, await self.trying.outcome(text, path)))

    async def diff(self, request: web.Request) -> web.Response:
        path = self.trying.named(request.query.get("file", ""))
        return web.json_response(await self.trying.preview(meant(await self.trying.body(request)), path))


def meant(text: str) -> str | None:
    """Without a text, the files as they are."""
    return text if text.strip() else None


def row_of(path: Path) -> dict[str, Any] | None:
    content = disk.read(path)
    if content is None:
        return None
    said = {"file": str(path), "name": path.name, "size": len(content.raw)}
    return said | {"tag": content.tag, "changed": content.changed, "writable": disk.is_writable(path)}


@lru_cache(1)
def schema_bytes() -> bytes:
    return msgspec.json.encode(schema())
