"""How models are spread over the cards, and other ways to do it, written into the configuration as any save of it is:
tried first, kept in its history, taken up by a reload."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import msgspec
from aiohttp import web

from llamaswap_py.config.flags import NotEditable, with_flags
from llamaswap_py.config.insert import NotInsertable
from llamaswap_py.errors import BadRequest, UnknownModel
from llamaswap_py.observe.gpu.card import Card
from llamaswap_py.server.bodies import read_body
from llamaswap_py.server.configuration import disk
from llamaswap_py.server.configuration.saving import Saving, Wanted
from llamaswap_py.server.configuration.trying import text_of
from llamaswap_py.server.doors import Door, Kind
from llamaswap_py.server.overview.glance import Overview
from llamaswap_py.server.overview.models import KnownModel
from llamaswap_py.server.overview.presets import PRESETS, Settings, flags_of, preset, settings_of

LARGEST = 64 * 1024  # bytes of an order
SPLIT = re.compile(r"\d+(\.\d+)?(,\d+(\.\d+)?)*")


class Configure(msgspec.Struct, forbid_unknown_fields=True):
    """Without `model_name`: every model whose command names a model's file. With `preview` nothing is saved."""

    tensor_split: str | list[float] | None = None
    gpu_layers: int | None = None
    context_size: int | None = None
    batch_size: int | None = None
    model_name: str = ""
    preview: bool = False


class Choose(msgspec.Struct, forbid_unknown_fields=True):
    preset: str
    model_name: str = ""
    preview: bool = False


class Edit(NamedTuple):
    """One file, as it is and as it shall be."""

    path: Path
    content: disk.Content
    text: str
    models: Sequence[str]


Chosen = Mapping[str, Settings]  # by model
A = TypeVar("A", Configure, Choose)


class Distribution:
    def __init__(self, overview: Overview, saving: Saving) -> None:
        self.overview = overview
        self.saving = saving
        self.trying = saving.trying

    def doors(self) -> list[Door]:
        return [
            Door("GET", "/api/dashboard/weight-distribution", Kind.CONTROL, self.show),
            Door("POST", "/api/dashboard/weight-distribution", Kind.CONTROL, self.choose),
            Door("POST", "/api/dashboard/configure", Kind.CONTROL, self.configure),
        ]

    async def show(self, request: web.Request) -> web.Response:
        cards, models = self.cards(), await self.overview.known_models()
        return web.json_response(
            {
                "models": [row(each, cards) for each in models],
                "gpus": [shares(card, cards) for card in cards],
                "present": bool(cards),
                "reason": self.overview.absence(),
                "presets": PRESETS,
            }
        )

    async def choose(self, request: web.Request) -> web.Response:
        asked = decoded(await read_body(request, LARGEST), Choose)
        if asked.preset not in PRESETS:
            raise BadRequest(f"there is no preset {asked.preset}; take one of {', '.join(PRESETS)}")
        cards = self.cards()
        chosen = {each.model.id: preset(asked.preset, each, cards) for each in await self.meant(asked.model_name)}
        return await self.answer(chosen, asked)

    async def configure(self, request: web.Request) -> web.Response:
        asked = decoded(await read_body(request, LARGEST), Configure)
        settings = settings_in(asked, len(self.cards()))
        return await self.answer({each.model.id: settings for each in await self.meant(asked.model_name)}, asked)

    def cards(self) -> list[Card]:
        return self.overview.glances.gpus.fresh()

    async def meant(self, name: str) -> list[KnownModel]:
        models = await self.overview.known_models()
        if not name:
            return [each for each in models if each.said.file]
        found = [each for each in models if name in (each.model.id, *each.model.aliases)]
        if not found:
            raise UnknownModel(f"there is no model {name!r}")
        return found

    async def answer(self, chosen: Chosen, asked: Configure | Choose) -> web.Response:
        before = {each.model.id: settings_of(each) for each in await self.overview.known_models()}
        edits, skipped = await asyncio.to_thread(self.edits, chosen)
        if asked.model_name and skipped:
            raise BadRequest(next(iter(skipped.values())))
        files = [await self.carried_out(edit, preview=asked.preview) for edit in edits]
        changed = [model for edit in edits for model in edit.models]
        return web.json_response(
            {
                "applied": bool(files) and not asked.preview,
                "changes": [{"model": each, "before": before[each], "after": chosen[each]} for each in changed],
                "unchanged": [each for each in chosen if each not in changed and each not in skipped],
                "skipped": skipped,
                "files": files,
            }
        )

    def edits(self, chosen: Chosen) -> tuple[list[Edit], dict[str, str]]:
        """Blocks. And of each model that is written nowhere so that it could be changed, why."""
        edits, left = [], dict.fromkeys(chosen, "it is written in no file of the configuration")
        for path in self.trying.files.paths():
            content = disk.read(path)
            if content is None:
                continue
            before = text = text_of(content.raw)
            models = []
            for model in tuple(left):
                try:
                    made = with_flags(text, model, flags_of(chosen[model]))
                except (NotEditable, NotInsertable) as reason:
                    left[model] = str(reason)
                    continue
                del left[model]
                models += [model] if made != text else []
                text = made
            if text != before:
                edits.append(Edit(path, content, text, models))
        return edits, left

    async def carried_out(self, edit: Edit, *, preview: bool) -> dict[str, Any]:
        if preview:
            told = await self.trying.preview(edit.text, edit.path)
            return {"file": str(edit.path), "text": edit.text, **told}
        mark = b"\xef\xbb\xbf" if edit.content.raw.startswith(b"\xef\xbb\xbf") else b""
        return await self.saving.save(Wanted(edit.path, mark + edit.text.encode(), frozenset({edit.content.tag})))


def decoded(body: bytes, kind: type[A]) -> A:
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadRequest(f"send JSON such as {EXAMPLES[kind]} ({error})") from error


EXAMPLES = {
    Configure: '{"model_name": "a", "gpu_layers": 999, "context_size": 8192, "batch_size": 512}',
    Choose: '{"model_name": "a", "preset": "balanced"}',
}


def settings_in(asked: Configure, cards: int) -> Settings:
    """As the command will say them. `cards`: how many are known."""
    split = asked.tensor_split
    words = ",".join(f"{part:g}" for part in split) if isinstance(split, list) else split
    if words is not None and SPLIT.fullmatch(words) is None:
        raise BadRequest("`tensor_split` is the part of each card, as in 0.5,0.5")
    if words is not None and cards and len(words.split(",")) > cards:
        raise BadRequest(f"`tensor_split` has {len(words.split(','))} parts, and there are {cards} cards")
    numbers = {"gpu_layers": asked.gpu_layers, "context_size": asked.context_size, "batch_size": asked.batch_size}
    for name, value in numbers.items():
        if value is not None and value < (1 if name == "batch_size" else 0):
            raise BadRequest(f"`{name}` cannot be {value}")
    found = {name: value for name, value in {"tensor_split": words, **numbers}.items() if value is not None}
    if not found:
        raise BadRequest(f"nothing is to be set: send JSON such as {EXAMPLES[Configure]}")
    return found


def row(known: KnownModel, cards: Sequence[Card]) -> dict[str, Any]:
    return {
        "model_name": known.model.id,
        **settings_of(known),
        "size_bytes": known.described.size or None,
        "layers": known.described.layers or None,
        "trained_context": known.described.trained_context or None,
        "presets": {name: preset(name, known, cards) for name in PRESETS},
    }


def shares(card: Card, cards: Sequence[Card]) -> dict[str, Any]:
    sizes = [each.memory_total for each in cards]
    whole = sum(size for size in sizes if size is not None)
    share = None if card.memory_total is None or None in sizes else round(100 * card.memory_total / whole, 1)
    return {
        "index": card.number,
        "name": card.name,
        "memory_total_bytes": card.memory_total,
        "memory_free_bytes": card.memory_free,
        "share_percent": share,
    }
