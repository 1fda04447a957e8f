"""The list of models, as OpenAI's clients read it and llama-swap's expect it."""

from __future__ import annotations

import json
import time
from collections.abc import Collection, Iterator, Mapping

from aiohttp import web

from llamaswap_py.config.values import Capabilities, Config, Model, Profile, Selector
from llamaswap_py.runtime.conductor import Conductor
from llamaswap_py.schedule.plan import FALLEN, Phase
from llamaswap_py.server.abilities import flags
from llamaswap_py.server.choosing import Choosing
from llamaswap_py.server.control import UP
from llamaswap_py.server.doors import ANY_ORIGIN, Door, Kind

Row = dict[str, object]

# What a model's capabilities say stands beside its metadata, and is not said there again.
SAID_BESIDE = frozenset({"architecture", "capabilities", "supported_parameters", "context_length"})
SERVING = (Phase.READY, Phase.STARTING)


class Listing:
    """The rows of one moment. `phases` tells of every model here."""

    def __init__(self, config: Config, phases: Mapping[str, Phase], created: int) -> None:
        self.config = config
        self.phases = phases
        self.created = created

    def rows(self, active: Profile | None) -> list[Row]:
        rows = [*self.models(), *self.remotes(), *self.selectors(), *self.pins(active)]
        return sorted(rows, key=lambda row: str(row["id"]).encode("utf-8", "surrogatepass"))

    def row(self, name: str, about: Row, up: bool, texts: tuple[str, str] = ("", ""), able: Row | None = None) -> Row:
        said = {"name": texts[0].strip(), "description": texts[1].strip()}
        ours: Row = {"llamaswap": about}
        context = (able or {}).get("context_length")
        return {
            "id": name,
            "object": "model",
            "created": self.created,
            "owned_by": "llama-swap",
            **{key: text for key, text in said.items() if text},
            **(able or {}),
            "meta": ours | ({"n_ctx": context} if context else {}),
            "status": {"value": "loaded" if up else "unloaded"},
        }

    def models(self) -> Iterator[Row]:
        for model in self.config.models.values():
            if not model.unlisted:
                own: Row = {"type": "model", **({"aliases": list(model.aliases)} if model.aliases else {})}
                yield self.model(model, model.id, own)
                for alias in self.shown_aliases(model):
                    yield self.model(model, alias, {"type": "alias", "modelID": model.id})

    def shown_aliases(self, model: Model) -> list[str]:
        aliases = model.aliases if self.config.include_aliases_in_list else ()
        return [alias for alias in aliases if alias.strip() and alias not in self.config.models]

    def model(self, model: Model, name: str, own: Row) -> Row:
        able = abilities(model.capabilities)
        hidden = SAID_BESIDE if able else frozenset()
        about = {key: value for key, value in model.metadata.items() if key not in hidden} | own
        phase = self.phases.get(model.id)
        row = self.row(name, about, phase in UP, (model.name, model.description), able)
        if phase in FALLEN:  # llama-server's own list of models says it so
            row["status"] = {"value": "unloaded", "failed": True, "state": phase}
        return row

    def remotes(self) -> Iterator[Row]:
        for peer in self.config.peers.values():
            for model in peer.models:
                about: Row = {"type": "peer", "peerID": peer.id}
                yield self.row(f"{peer.id}/{model}", about, False, (f"{peer.id}: {model}", ""))

    def selectors(self) -> Iterator[Row]:
        for selector in self.config.selectors.values():
            if not selector.unlisted:
                own: Row = {"type": "selector", "strategy": selector.strategy, "targets": list(selector.targets)}
                if selector.strategy == "spillover":
                    own["spillover"] = selector.spillover
                about = dict(selector.metadata) | own
                yield self.row(selector.id, about, self.serves(selector), (selector.name, selector.description))

    def serves(self, selector: Selector) -> bool:
        meant = selector.targets[:1] if selector.strategy == "pin" else selector.targets
        return any(self.phases.get(self.config.names.get(target, "")) in SERVING for target in meant)

    def pins(self, active: Profile | None) -> Iterator[Row]:
        """Names that are nobody's else. What they lead to says whether it is loaded."""
        config = self.config
        for name, target in active.pins.items() if active else ():
            if target and name not in config.names and name not in config.remotes and name not in config.selectors:
                yield self.row(name, {"type": "profile"}, self.loaded(target))

    def loaded(self, target: str) -> bool:
        selector = self.config.selectors.get(target)
        if selector is not None:
            return self.serves(selector)
        return self.phases.get(self.config.names.get(target, "")) in UP


def abilities(able: Capabilities) -> Row:
    said: Row = {}
    if able.inputs and able.outputs:
        modality = f"{'+'.join(able.inputs)}->{'+'.join(able.outputs)}"
        modalities = {"input_modalities": list(able.inputs), "output_modalities": list(able.outputs)}
        said["architecture"] = {**modalities, "modality": modality}
    if flags(able):
        said["capabilities"] = flags(able)
    if able.tools:
        said["supported_parameters"] = ["tools", "tool_choice"]
    if able.context > 0:
        said["context_length"] = able.context
    return said


class Lists:
    def __init__(self, conductor: Conductor, choosing: Choosing) -> None:
        self.conductor = conductor
        self.choosing = choosing

    def doors(self) -> list[Door]:
        return [Door("GET", path, Kind.MODEL, self.models) for path in ("/v1/models", "/models")]

    async def models(self, request: web.Request) -> web.Response:
        config = self.conductor.config
        phases = {name: sight.phase for name, sight in self.conductor.scheduler.snapshot().items()}
        active = config.profiles.get(self.choosing.profile() or "")
        rows = Listing(config, phases, int(time.time())).rows(active)
        body = json.dumps({"data": rows, "object": "list"}, ensure_ascii=False, separators=(",", ":"), default=plain)
        return web.Response(text=body + "\n", content_type="application/json", headers=[ANY_ORIGIN])


def plain(value: object) -> object:
    """Metadata is frozen: its mappings and lists as JSON knows them."""
    assert isinstance(value, Mapping | Collection)
    return dict(value) if isinstance(value, Mapping) else list(value)
