"""Models that nobody wrote down, put beside those of the file. What the file says of a name is stronger."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from types import MappingProxyType

import msgspec
from msgspec.structs import replace

from llamaswap_py.config.macros import Macros, common_macros
from llamaswap_py.config.models import prepare
from llamaswap_py.config.report import Report
from llamaswap_py.config.tree import List, Map, Node, Place, Scalar, at
from llamaswap_py.config.values import NOTHING, Json

SECTION = "models"


class Discovered(msgspec.Struct, frozen=True):
    """One model: its id, the file that it was found in, and its keys as the configuration would have them."""

    id: str
    file: str
    keys: Mapping[str, Json]


def joined(
    document: Map, discovered: Sequence[Discovered], builtin: Macros, report: Report
) -> tuple[Map, Mapping[str, str]]:
    """The document with the models whose names are free, and the file of each of them by its id."""
    models = at(document, SECTION)
    if not discovered or not (models is None or isinstance(models, Map) or blank(models)):
        return document, NOTHING
    written = models if isinstance(models, Map) else Map({}, {}, document.place)
    taken = names_of_models(written, common_macros(document, builtin, report.again()), report) | names_beside(document)
    found = {each.id: each for each in discovered if each.id not in taken}
    taken |= found.keys()
    nodes = {each.id: node_of(each, taken) for each in found.values()}
    places = {name: entry.place for name, entry in nodes.items()}
    together = replace(written, entries={**written.entries, **nodes}, keys={**written.keys, **places})
    entries, keys = {**document.entries, SECTION: together}, {**document.keys}
    keys.setdefault(SECTION, document.place)
    files = MappingProxyType({each.id: each.file for each in found.values()})
    return replace(document, entries=entries, keys=keys), files


def blank(node: Node) -> bool:
    return isinstance(node, Scalar) and node.value is None


def names_of_models(models: Map, common: Macros, report: Report) -> set[str]:
    """Their ids, aliases and further names, macros filled in. What is wrong with them is told elsewhere."""
    names = set(models.entries)
    for model_id, entry in models.entries.items():
        draft = prepare(model_id, models.keys[model_id], entry, common, report.again())
        names |= {*texts(draft.fields.get("aliases")), *draft.extra_names}
    return names


def names_beside(document: Map) -> set[str]:
    """Every name that the file gives to something else than a model of ours."""
    selectors, peers = at(document, "selectors"), at(document, "peers")
    names = set(selectors.entries) if isinstance(selectors, Map) else set()
    for peer, entry in peers.entries.items() if isinstance(peers, Map) else ():
        models = texts(at(entry, "models"))
        names |= {*models, *(f"{peer}/{model}" for model in models)}
    return names


def texts(node: Node | None) -> list[str]:
    return [each.text for each in node.items if isinstance(each, Scalar)] if isinstance(node, List) else []


def node_of(model: Discovered, taken: Collection[str]) -> Map:
    made = node(model.keys, Place(model.file, 0, 0))
    assert isinstance(made, Map)
    aliases = made.entries.get("aliases")
    if not isinstance(aliases, List):
        return made
    items = tuple(each for each in aliases.items if isinstance(each, Scalar) and each.text not in taken)
    return replace(made, entries={**made.entries, "aliases": replace(aliases, items=items)})


def node(value: Json, place: Place) -> Node:
    """A plain value as if it had been written."""
    if isinstance(value, Mapping):
        entries = {name: node(each, place) for name, each in value.items()}
        return Map(entries, dict.fromkeys(entries, place), place)
    if isinstance(value, tuple):
        return List(tuple(node(each, place) for each in value), place)
    return Scalar(value, "" if value is None else str(value), place)
