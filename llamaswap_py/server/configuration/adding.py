"""One more model: what there is to choose from, and the text that it would make. Saving it is the caller's business."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec
from aiohttp import web

from llamaswap_py.config.insert import NotInsertable, with_model
from llamaswap_py.errors import BadRequest, NoSuchRecord
from llamaswap_py.library.entries import entry
from llamaswap_py.library.files import Discovery, Found
from llamaswap_py.server.bodies import read_body
from llamaswap_py.server.configuration.saving import Saving
from llamaswap_py.server.configuration.shown import Shown
from llamaswap_py.server.doors import Door, Kind

NOT_WRITTEN = ("metadata",)  # of what is found; it says where it was found


class Ask(msgspec.Struct, forbid_unknown_fields=True):
    """`found`: the path of one of the candidates, whose keys are taken where `keys` does not say otherwise; a key that
    is null there is left out. `text`: what the file shall be taken to say."""

    id: str
    keys: dict[str, Any] = {}
    found: str = ""
    file: str = ""
    text: str | None = None


class Adding:
    """`look` is given by the program: all models on the shelves and where downloads go. It blocks."""

    def __init__(self, saving: Saving, shown: Shown) -> None:
        self.saving = saving
        self.shown = shown
        self.trying = saving.trying
        self.look: Callable[[], Discovery] = Discovery

    def doors(self) -> list[Door]:
        return [
            Door("GET", "/api/config/candidates", Kind.CONTROL, self.show),
            Door("POST", "/api/config/add", Kind.CONTROL, self.add),
        ]

    async def show(self, request: web.Request) -> web.Response:
        found = await asyncio.to_thread(self.look)
        served = {path: model for model, path in self.trying.conductor.config.discovered.items()}
        left = [{"file": each.path, "why": each.why, "later": each.later} for each in found.left_out]
        return web.json_response({"models": [row_of(each, served) for each in found.models], "left_out": left})

    async def add(self, request: web.Request) -> web.Response:
        asked = decoded(await read_body(request, self.trying.conductor.config.max_body_bytes))
        path = await self.saving.place(asked.file)
        keys = await self.keys(asked)
        before = asked.text
        if before is None:
            before = (await asyncio.to_thread(self.shown.text, path))["text"]
        try:
            made = await asyncio.to_thread(with_model, before, asked.id, keys)
        except NotInsertable as reason:
            raise BadRequest(str(reason)) from reason
        told = await self.trying.preview(made.text, path)
        where = {"file": str(path), "text": made.text, "line": made.line, "count": made.count}
        return web.json_response(told | where)

    async def keys(self, asked: Ask) -> dict[str, Any]:
        keys: Mapping[str, Any] = {}
        if asked.found:
            candidates = (await asyncio.to_thread(self.look)).models
            chosen = next((each for each in candidates if each.path == asked.found), None)
            if chosen is None:
                raise NoSuchRecord(f"{asked.found} is no model that was found; GET /api/config/candidates lists them")
            keys = written(chosen)
        together = {**keys, **asked.keys}
        if isinstance(together.get("cmd"), str) and "\n" in together["cmd"]:
            together["cmd"] = together["cmd"].rstrip("\n") + "\n"  # so that it stands there as people write it
        return {name: value for name, value in together.items() if value is not None}


def decoded(body: bytes) -> Ask:
    try:
        asked = msgspec.json.decode(body, type=Ask)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadRequest(f'say which model: {{"id": "name", "keys": {{"cmd": "…"}}}} ({error})') from error
    if not asked.id.strip() or not asked.id.isprintable():
        raise BadRequest("a model needs an id: what callers write as `model`")
    return asked


def written(model: Found) -> dict[str, Any]:
    """Plain values, as they would stand in the file."""
    keys = {name: value for name, value in entry(model).items() if name not in NOT_WRITTEN}
    plain: dict[str, Any] = msgspec.to_builtins(keys)
    return plain


def row_of(model: Found, served: Mapping[str, str]) -> dict[str, Any]:
    about = model.card.facts
    return {
        "id": model.id,
        "file": model.path,
        "name": Path(model.path).name,
        "size": model.size,
        "architecture": about.architecture,
        "quantisation": about.quantisation,
        "purpose": about.purpose.value,
        "context": model.card.context,
        "trained_context": about.context_length,
        "served": served.get(model.path),
        "keys": written(model),
    }
