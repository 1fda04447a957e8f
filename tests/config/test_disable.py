"""A model that is wrong disables itself and nothing else."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llamaswap_py.config.names import resolve
from llamaswap_py.config.read import Reading, Source, read
from llamaswap_py.config.write import dump
from llamaswap_py.errors import ConfigError
from tests.config.documents import documents
from tests.config.reading import source

HOUSE = """
models:
  good: {cmd: "serve ${PORT}", aliases: [g]}
  bad: {cmd: "serve ${PORT} ${gone}", ttl: never, aliases: [b], zzz: 1}
  worse: {cmd: "serve ${PORT}", aliases: [g, w]}
  a.b: {cmd: "${env.GONE} ${PORT}"}
groups: {pair: {swap: false, members: [good, bad]}}
hooks: {on_startup: {preload: [bad, g]}}
"""


def leniently(text: str) -> Reading:
    return read([source(text)], {}, lenient=True)


def test_each_wrong_model_is_named_with_its_reasons() -> None:
    found = leniently(HOUSE)
    assert {name: [each.line for each in reasons] for name, reasons in found.disabled.items()} == {
        "a.b": [6],
        "bad": [4, 4],
        "worse": [5],
    }
    assert found.warnings == ()


def test_the_others_are_as_if_nothing_were_wrong() -> None:
    found = leniently(HOUSE).config
    assert found.models["good"].cmd == "serve ${PORT}"
    assert found.groups[0].members == ("good", "bad")
    assert found.preload == ("good",)


def test_a_disabled_model_has_no_command_and_still_its_names() -> None:
    found = leniently(HOUSE).config
    assert {found.models[name].cmd for name in ("bad", "worse", "a.b")} == {""}
    assert resolve(found, "b") == "bad"
    assert resolve(found, "w") is None  # its aliases are what is wrong
    assert resolve(found, "g") == "good"


def test_the_names_of_its_parameters_stay_unless_they_are_wrong() -> None:
    rules = "filters: {setParamsByID: {'${MODEL_ID}:x': {}, 'm:y': }}"
    found = leniently(
        f"models: {{m: {{cmd: '${{gone}}', {rules}}}}}\nselectors: {{s: {{strategy: pin, targets: ['m:x']}}}}"
    )
    assert list(found.disabled) == ["m"]
    assert found.config.names == {"m": "m", "m:x": "m", "m:y": "m"}
    found = leniently("models: {m: {cmd: '${PORT}', filters: {setParamsByID: {x: 5}}}}")
    assert found.config.names == {"m": "m"}


def test_a_mistake_outside_of_models_is_one_for_all() -> None:
    with pytest.raises(ConfigError) as refused:
        leniently(HOUSE + "globalTTL: -1\n")
    assert len(refused.value.mistakes) == 5
    with pytest.raises(ConfigError):
        leniently("models: [a]")
    with pytest.raises(ConfigError) as refused:
        leniently("models: {m: {cmd: '${gone}'}}\nselectors: {s: {strategy: pin, targets: [n]}}")
    assert len(refused.value.mistakes) == 3


def test_a_mistake_that_comes_to_light_later_ends_it_with_all_of_them() -> None:
    text = """
    models:
      m: {cmd: "${PORT}", aliases: [x, x, name]}
    selectors: {s: {strategy: pin, targets: [name]}}
    """
    with pytest.raises(ConfigError) as refused:
        leniently(text)
    assert sorted(each.key for each in refused.value.mistakes) == ["models.m.aliases[1]", "selectors.s.targets[0]"]


def test_of_two_ids_that_fit_the_longer_one_is_meant() -> None:
    found = leniently("models: {a: {cmd: '${PORT}'}, a.cmd: {cmd: '${gone} ${PORT}'}}")
    assert list(found.disabled) == ["a.cmd"]


def test_a_file_without_mistakes_is_read_as_ever() -> None:
    text = "models: {m: {cmd: '${PORT}', ttll: 5}}"
    assert leniently(text) == read([source(text)], {})


@given(documents(), st.data())
def test_spoiling_one_model_leaves_every_other_as_it_was(document: dict[str, Any], data: st.DataObject) -> None:
    once = read([Source("f", dump(document))], {}).config
    if not once.models:
        return
    spoilt = data.draw(st.sampled_from(list(once.models)))
    document["models"][spoilt]["ttl"] = "never"
    found = read([Source("f", dump(document))], {}, lenient=True)
    assert list(found.disabled) == [spoilt]
    assert {name: model for name, model in found.config.models.items() if name != spoilt} == {
        name: model for name, model in once.models.items() if name != spoilt
    }
    assert found.config.models.keys() == once.models.keys()
    assert (found.config.groups, found.config.matrix) == (once.groups, once.matrix)
