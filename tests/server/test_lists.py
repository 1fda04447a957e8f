"""The list of models."""

from __future__ import annotations

from types import MappingProxyType

from llamaswap_py.config.values import Config, Model
from llamaswap_py.server.lists import listing

MODELS = {
    "b": Model("b", "run", name=" Bee ", description=" buzzes ", aliases=("bee", " ", "a")),
    "a": Model("a", "run"),
    "hidden": Model("hidden", "run", unlisted=True, aliases=("h",)),
}


def config(*, aliases: bool) -> Config:
    return Config(MappingProxyType(MODELS), include_aliases_in_list=aliases)


def test_listed_models_come_sorted_with_their_state() -> None:
    first, second = listing(config(aliases=False), {"b"}, 7)
    assert first == {
        "id": "a",
        "object": "model",
        "created": 7,
        "owned_by": "llama-swap",
        "meta": {"llamaswap": {"type": "model"}},
        "status": {"value": "unloaded"},
    }
    assert (second["name"], second["description"], second["status"]) == ("Bee", "buzzes", {"value": "loaded"})


def test_aliases_are_listed_only_if_asked_for_and_never_over_a_model() -> None:
    rows = listing(config(aliases=True), {"b"}, 7)
    assert [row["id"] for row in rows] == ["a", "b", "bee"]
    assert rows[2]["meta"] == {"llamaswap": {"type": "alias", "modelID": "b"}}
    assert rows[2]["status"] == {"value": "loaded"}
