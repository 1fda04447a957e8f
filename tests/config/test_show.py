"""A configuration that was shown and read again is the same configuration."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given

from llamaswap_py.config.read import Source, read
from llamaswap_py.config.show import document, seconds, values
from llamaswap_py.config.values import Config
from llamaswap_py.config.write import dump
from tests.config.documents import documents
from tests.config.reading import config


def read_again(shown: str) -> Config:
    return read([Source("shown.yaml", shown)], {}).config


@given(documents())
def test_any_configuration_shown_as_yaml_and_read_again_is_equal(written: dict[str, Any]) -> None:
    once = read([Source("written.yaml", json.dumps(written, ensure_ascii=False))], {}).config
    assert read_again(dump(document(once))) == once


def test_what_is_derived_is_derived_again() -> None:
    once = config(
        """
    globalTTL: 90s
    macros: {dir: /models}
    models:
      "7": {cmd: "serve ${PORT} ${dir}", filters: {setParamsByID: {"${MODEL_ID}:x": {a: "${PORT}"}}}}
      empty: {cmd: "", proxy: "http://h", description: "no: yes"}
      comments:
        cmd: |
          # why
          serve ${PORT}
    """.replace('{cmd: "", proxy: "http://h"', '{cmd: "x", proxy: "http://h"')
    )
    shown = dump(document(once))
    assert read_again(shown) == once
    assert '"7":' in shown
    assert "serve ${PORT} /models" in shown


def test_a_model_with_nothing_in_it_stays_one() -> None:
    once = read([Source("f", "models: {m: }")], {}).config
    assert read_again(dump(document(once))) == once


def test_a_short_name_that_is_another_models_id_does_not_take_its_cost() -> None:
    models = "models: {a: {cmd: '${PORT}'}, b: {cmd: '${PORT}'}}\n"
    once = config(models + "matrix: {vars: {a: b, c: a}, sets: {s: a & c}, evict_costs: {c: 5, a: 2}}")
    assert once.matrix is not None
    assert once.matrix.evict_costs == {"a": 5, "b": 2}
    assert read_again(dump(document(once))) == once


def test_endless_patience_is_shown() -> None:
    once = config("patience: .inf")
    assert "patience: .inf" in dump(document(once))
    assert read_again(dump(document(once))) == once


@pytest.mark.parametrize("number", ["1e16", "-1e-7", "0.1", "5e-324", "1.5e300", "-0.0"])
def test_a_float_stays_one(number: str) -> None:
    once = config(f"models: {{m: {{cmd: '${{PORT}}', metadata: {{x: {number}}}}}}}")
    assert isinstance(once.models["m"].metadata["x"], float)
    assert read_again(dump(document(once))) == once


def test_seconds_are_whole_or_a_duration() -> None:
    assert [seconds(each) for each in (5.0, 0.25, 7e-06)] == [5, "0.25s", "0.000007s"]


def test_several_lines_are_a_block_and_odd_words_are_quoted() -> None:
    shown = dump({"cmd": "a\n  b\n", "yes": "0o7", "plain": "a word", "odd": " a\nb", "minus": float("-inf")})
    assert shown.splitlines() == [
        "cmd: |",
        "  a",
        "    b",
        "'yes': \"0o7\"",
        "plain: a word",
        'odd: " a\\nb"',
        "minus: -.inf",
    ]


def test_values_for_programs_have_everything_filled_in() -> None:
    once = config("""
    models: {m: {cmd: "serve --port ${PORT}", cmdStop: "stop ${PID}", metadata: {p: "${PORT}"}, seats: 2}}
    matrix: {sets: {s: m}}
    selectors: {s: {strategy: pin, targets: [m]}}
    """)
    shown = values(once)
    model = shown["models"]["m"]
    assert (model["cmd"], model["cmdStop"]) == (["serve", "--port", "5800"], ["stop", "${PID}"])
    assert (model["metadata"], model["seats"], model["concurrencyLimit"]) == ({"p": 5800}, 2, 0)
    assert (shown["router"], shown["groups"], shown["selectors"]) == ("matrix", {}, 1)
    assert json.loads(json.dumps(shown)) == shown
