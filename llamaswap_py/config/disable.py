"""Models that are wrong, apart from the rest: whose mistake it is, and what stands in such a model's place."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from msgspec.structs import replace

from llamaswap_py.config.tree import Map, Node, Place, Scalar, at, inside
from llamaswap_py.errors import Mistake

SECTION, BY_ID = "models", "setParamsByID"
NOWHERE = "http://disabled.invalid"  # the stand-in has no command; nothing is ever asked there


def blame(mistakes: Iterable[Mistake], models: Collection[str]) -> tuple[dict[str, list[Mistake]], list[Mistake]]:
    """The mistakes of each model, and those that are nobody's."""
    of_models: dict[str, list[Mistake]] = {}
    nobodys = []
    for mistake in mistakes:
        owner = owner_of(mistake.key, models)
        if owner is None:
            nobodys.append(mistake)
        else:
            of_models.setdefault(owner, []).append(mistake)
    return of_models, nobodys


def owner_of(key: str, models: Collection[str]) -> str | None:
    """An id may hold dots, so the longest that fits is meant."""
    fitting = [each for each in models if key == inside(SECTION, each) or key.startswith(f"{inside(SECTION, each)}.")]
    return max(fitting, key=len, default=None)


def without(document: Map, disabled: dict[str, list[Mistake]]) -> Map:
    """The same document with stand-ins for these models, so that what refers to them still finds them."""
    models = document.entries.get(SECTION)
    if not disabled or not isinstance(models, Map):
        return document
    entries = dict(models.entries)
    for name, mistakes in disabled.items():
        entries[name] = stand_in(entries[name], inside(SECTION, name), mistakes)
    return replace(document, entries={**document.entries, SECTION: replace(models, entries=entries)})


def stand_in(node: Node, path: str, mistakes: Iterable[Mistake]) -> Map:
    """It has the model's names, if they are not what is wrong: who asks for one is told why there is no answer."""
    keys = [mistake.key for mistake in mistakes]
    entries: dict[str, Node] = {"cmd": Scalar("", "", node.place), "proxy": Scalar(NOWHERE, NOWHERE, node.place)}
    aliases, rules = at(node, "aliases"), at(node, "filters", BY_ID)
    if aliases is not None and not any(key.startswith(inside(path, "aliases")) for key in keys):
        entries["aliases"] = aliases
    if isinstance(rules, Map) and not any(key.startswith(inside(path, f"filters.{BY_ID}")) for key in keys):
        empty = replace(rules, entries={name: Map({}, {}, node.place) for name in rules.entries})
        entries["filters"] = mapping({BY_ID: empty}, node.place)
    return mapping(entries, node.place)


def mapping(entries: Mapping[str, Node], place: Place) -> Map:
    return Map(entries, dict.fromkeys(entries, place), place)
