"""What a reload has to restart, and what it must leave alone."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from llamaswap_py.config.change import Change, compare, keys_of_model, keys_of_settings, launch_key
from llamaswap_py.config.read import Source, read
from llamaswap_py.config.values import Config, Model
from llamaswap_py.config.write import dump
from tests.config.documents import documents
from tests.config.reading import config

BASE = """
models:
  b:
    cmd: serve --port ${PORT}
    aliases: [x]
"""


def changed(text: str) -> Change:
    return compare(config(BASE), config(text))


def test_nothing_changed() -> None:
    assert changed(BASE) == Change()
    assert not changed(BASE)


def test_comments_and_line_breaks_in_a_command_restart_nothing() -> None:
    found = changed("models:\n  b:\n    aliases: [x]\n    cmd: |\n      # why\n      serve \\\n      --port ${PORT}\n")
    assert found == Change(touched=("b",))


def test_a_model_in_front_of_the_others_moves_their_ports_and_restarts_nothing() -> None:
    assert changed(BASE + "  a:\n    cmd: ${PORT}\n") == Change(added=("a",), settings=("groups",))


def test_the_keys_that_differ_are_named_as_they_are_written() -> None:
    old = config(BASE)
    new = config(BASE.replace("[x]", "[x, y]") + "    ttl: 5\napiKeys: [k]\npatience: 5s\n")
    assert keys_of_model(old, new, "b") == ["ttl", "aliases"]
    assert keys_of_settings(old, new) == ["patience", "apiKeys"]
    assert keys_of_settings(old, old) == []


def test_true_is_not_one() -> None:
    text = "models: {m: {cmd: '${PORT}', filters: {setParams: {a: WHAT}}}}"
    assert compare(config(text.replace("WHAT", "1")), config(text.replace("WHAT", "true"))) == Change(touched=("m",))
    assert not compare(config(text.replace("WHAT", "1")), config(text.replace("WHAT", "0x1")))


def test_a_model_that_is_gone() -> None:
    assert changed("models:") == Change(removed=("b",), settings=("groups",))


def test_settings_that_differ_are_named() -> None:
    assert changed(BASE + "apiKeys: [k]\nglobalTTL: 5\n") == Change(touched=("b",), settings=("global_ttl", "api_keys"))


@pytest.mark.parametrize("field", ["cmd", "proxy"])
def test_what_a_process_embodies_needs_another_process(field: str) -> None:
    old = Model(id="m", cmd="serve")
    new = replace(old, **{field: "http://other"})
    assert compare(Config({"m": old}), Config({"m": new})) == Change(relaunch=("m",))
    assert compare(Config({"m": old}), Config({"m": replace(old, env=("A=1",))})) == Change(relaunch=("m",))


def test_what_takes_effect_on_the_running_process_needs_none() -> None:
    old = Model(id="m", cmd="serve")
    new = Model(
        id="m",
        cmd="serve",
        cmd_stop="stop",
        check_endpoint="/x",
        ttl=5,
        unload_timeout=1,
        aliases=("a",),
        name="n",
        description="d",
        unlisted=True,
        use_model_name="u",
        concurrency_limit=3,
    )
    assert launch_key(old) == launch_key(new)
    assert hash(launch_key(old)) == hash(launch_key(new))
    assert compare(Config({"m": old}), Config({"m": new})) == Change(touched=("m",))


SPOILT = {
    "cmd": "other ${PORT}",
    "proxy": "http://elsewhere",
    "env": ["OTHER=1"],
    "ttl": 987654,
    "aliases": ["another"],
    "metadata": {"other": 1},
    "seats": 77,
    "healthCheckTimeout": 901,
    "name": "other",
    "filters": {"stripParams": "other"},
}
REFERRING = {"groups", "matrix", "routing", "selectors", "profiles", "hooks"}  # to models, which may go
EMBODIED = {"cmd", "proxy", "env"}


@given(documents(), st.data())
def test_exactly_those_models_are_named_whose_run_would_differ(document: dict[str, Any], data: st.DataObject) -> None:
    document = {name: value for name, value in document.items() if name not in REFERRING}
    old = read([Source("f", dump(document))], {}).config
    spoilt = data.draw(st.dictionaries(st.sampled_from([*old.models, "new"]), st.sampled_from(list(SPOILT))))
    gone = data.draw(st.sampled_from(["", *old.models]))
    for name, key in spoilt.items():
        document["models"].setdefault(name, {"cmd": "x ${PORT}"})[key] = SPOILT[key]
        if key == "aliases":
            document["models"][name]["aliases"] = [f"another {name}"]
    fresh = {"models": {name: model for name, model in document["models"].items() if name != gone}}
    found = compare(old, read([Source("f", dump(fresh))], {}).config)
    assert set(found.added) == {name for name in fresh["models"] if name not in old.models}
    assert set(found.removed) == {gone} - {""}
    stayed = set(old.models) - {gone}
    assert set(found.relaunch) == {name for name, key in spoilt.items() if key in EMBODIED and name in stayed}
