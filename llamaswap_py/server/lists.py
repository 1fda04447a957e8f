"""The list of models, as OpenAI's clients read it and llama-swap's expect it."""

from __future__ import annotations

import json
import time
from collections.abc import Collection

from aiohttp import web

from llamaswap_py.config.values import Config, Model
from llamaswap_py.runtime.conductor import Conductor
from llamaswap_py.server.control import UP
from llamaswap_py.server.doors import ANY_ORIGIN, Door, Kind


def row(model: Model, name: str, loaded: bool, created: int) -> dict[str, object]:
    texts = {"name": model.name.strip(), "description": model.description.strip()}
    if name == model.id:
        about: dict[str, object] = {"type": "model", **({"aliases": list(model.aliases)} if model.aliases else {})}
    else:
        about = {"type": "alias", "modelID": model.id}
    return {
        "id": name,
        "object": "model",
        "created": created,
        "owned_by": "llama-swap",
        **{key: text for key, text in texts.items() if text},
        "meta": {"llamaswap": about},
        "status": {"value": "loaded" if loaded else "unloaded"},
    }


def listing(config: Config, loaded: Collection[str], created: int) -> list[dict[str, object]]:
    rows = []
    for model in config.models.values():
        if model.unlisted:
            continue
        aliases = model.aliases if config.include_aliases_in_list else ()
        names = (model.id, *(alias for alias in aliases if alias.strip() and alias not in config.models))
        rows += [row(model, name, model.id in loaded, created) for name in names]
    return sorted(rows, key=lambda entry: str(entry["id"]).encode())


class Lists:
    def __init__(self, conductor: Conductor) -> None:
        self.conductor = conductor

    def doors(self) -> list[Door]:
        return [Door("GET", path, Kind.MODEL, self.models) for path in ("/v1/models", "/models")]

    async def models(self, request: web.Request) -> web.Response:
        loaded = {standing.model.id for standing in self.conductor.standings() if standing.phase in UP}
        data = listing(self.conductor.config, loaded, int(time.time()))
        body = json.dumps({"data": data, "object": "list"}, ensure_ascii=False, separators=(",", ":")) + "\n"
        return web.Response(text=body, content_type="application/json", headers=[ANY_ORIGIN])
