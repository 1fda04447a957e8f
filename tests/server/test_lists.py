"""The list of models."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import pytest

from llamaswap_py.config.values import Capabilities, Config, Json, Model, Peer, Profile, Remote, Selector
from llamaswap_py.schedule.plan import Phase
from llamaswap_py.server.lists import Listing, Row, abilities, plain

MODELS = {
    "b": Model("b", "run", name=" Bee ", description=" buzzes ", aliases=("bee", " ", "a")),
    "a": Model("a", "run"),
    "hidden": Model("hidden", "run", unlisted=True, aliases=("h",)),
}


def config(*, aliases: bool) -> Config:
    return Config(MappingProxyType(MODELS), include_aliases_in_list=aliases)


def rows_of(config: Config, profile: str = "") -> list[Row]:
    return Listing(config, {"b": Phase.READY}, 7).rows(config.profiles.get(profile))


def test_listed_models_come_sorted_with_their_state() -> None:
    first, second = rows_of(config(aliases=False))
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
    rows = rows_of(config(aliases=True))
    assert [row["id"] for row in rows] == ["a", "b", "bee"]
    assert rows[2]["meta"] == {"llamaswap": {"type": "alias", "modelID": "b"}}
    assert rows[2]["status"] == {"value": "loaded"}


def test_what_a_model_can_do_stands_beside_its_metadata() -> None:
    """Keys of the metadata that would say it twice are left out, and ours win over the user's."""
    able = Capabilities(inputs=("text", "image"), outputs=("text",), tools=True, context=8192)
    metadata = MappingProxyType({"team": "red", "capabilities": "mine", "type": "mine"})
    models = MappingProxyType({"a": Model("a", "run", metadata=metadata, capabilities=able)})
    (row,) = rows_of(Config(models))
    assert row["architecture"] == {
        "input_modalities": ["text", "image"],
        "output_modalities": ["text"],
        "modality": "text+image->text",
    }
    assert row["capabilities"] == {"vision": True, "function_calling": True}
    assert row["supported_parameters"] == ["tools", "tool_choice"]
    assert row["context_length"] == 8192
    assert row["meta"] == {"llamaswap": {"team": "red", "type": "model"}, "n_ctx": 8192}
    assert list(row) == [
        "id", "object", "created", "owned_by", "architecture", "capabilities", "supported_parameters",
        "context_length", "meta", "status",
    ]  # fmt: skip


def test_who_can_do_nothing_in_particular_keeps_its_metadata() -> None:
    assert abilities(Capabilities()) == {}
    inner: Mapping[str, Json] = MappingProxyType({"a": 1})
    metadata: Mapping[str, Json] = MappingProxyType({"capabilities": "mine", "list": (1, inner)})
    (row,) = rows_of(Config(MappingProxyType({"a": Model("a", "run", metadata=metadata)})))
    assert row["meta"] == {"llamaswap": {**metadata, "type": "model"}}
    assert plain(metadata) == dict(metadata)


@pytest.mark.fault("F47")
def test_peers_selectors_and_pins_are_listed() -> None:
    selectors = {
        "best": Selector("best", "warm", ("a", "b"), name="Best", metadata={"x": 1, "type": "y"}),
        "first": Selector("first", "pin", ("a", "b")),
        "many": Selector("many", "spillover", ("b",), spillover=2),
        "secret": Selector("secret", "pin", ("a",), unlisted=True),
    }
    names = {"a": "a", "b": "b", "bee": "b"}
    pins = {"bee": "a", "off": "", "m": "a", "p": "b", "q": "best", "best": "a"}
    everything = Config(
        MappingProxyType({"a": MODELS["a"], "b": MODELS["b"]}),
        names=names,
        peers={"box": Peer("box", "http://box", ("m",))},
        remotes={"box/m": Remote("box", "m"), "m": Remote("box", "m")},
        selectors=selectors,
        profiles={"day": Profile("day", pins)},
    )
    rows = {str(row["id"]): row for row in rows_of(everything, "day")}
    assert list(rows) == ["a", "b", "best", "box/m", "first", "many", "p", "q"]
    assert rows["box/m"]["name"] == "box: m"
    assert rows["box/m"]["meta"] == {"llamaswap": {"type": "peer", "peerID": "box"}}
    assert rows["best"]["meta"] == {
        "llamaswap": {"x": 1, "type": "selector", "strategy": "warm", "targets": ["a", "b"]}
    }
    assert rows["many"]["meta"] == {
        "llamaswap": {"type": "selector", "strategy": "spillover", "targets": ["b"], "spillover": 2}
    }
    loaded = [name for name, row in rows.items() if row["status"] == {"value": "loaded"}]
    assert loaded == ["b", "best", "many", "p", "q"]
    assert rows["p"]["meta"] == {"llamaswap": {"type": "profile"}}
