"""Names beside ids: whose they are, and what is said when two want one."""

from __future__ import annotations

import pytest

from tests.config.reading import config, mistake, mistakes, read_loosely, warning


def test_an_alias_belongs_to_one_model() -> None:
    found = mistake("models:\n  m: {cmd: '${PORT}', aliases: [x]}\n  a:\n    cmd: ${PORT}\n    aliases: [y, x]\n")
    assert (found.line, found.column, found.key) == (5, 18, "models.a.aliases[1]")
    assert found.message == "the alias `x` already belongs to the model `m`"
    assert len(mistakes("models: {m: {cmd: '${PORT}', aliases: [x, x, x]}}")) == 2


def test_an_alias_that_is_a_models_id_never_wins_and_is_told() -> None:
    text = "models: {m: {cmd: '${PORT}', aliases: [n]}, n: {cmd: '${PORT}'}}"
    assert "also a model's id" in warning(text).message
    assert read_loosely(text).names["n"] == "n"


def test_a_model_may_list_its_own_id() -> None:
    assert config("models: {m: {cmd: '${PORT}', aliases: [m]}}").names == {"m": "m"}


def test_an_empty_alias_is_told() -> None:
    assert warning("models: {m: {cmd: '${PORT}', aliases: [~]}}").key == "models.m.aliases[0]"


def test_an_alias_put_in_by_a_macro_is_told_at_the_model_where_it_has_no_place_of_its_own() -> None:
    assert mistakes("macros: {x: y}\nmodels: {m: {cmd: '${PORT}', aliases: ['${x}', y]}}")[0].message.startswith(
        "the alias"
    )


EXTRA = """
macros: {kind: fast}
models:
  m:
    cmd: ${PORT}
    aliases: [own]
    filters:
      setParamsByID:
        "${MODEL_ID}": {a: 1}
        "${MODEL_ID}:${kind}": {a: 2}
        own: {a: 3}
  n:
    cmd: ${PORT}
    aliases: [taken]
    filters: {setParamsByID: {%s: {}}}
"""


def test_a_name_that_parameters_are_set_by_is_a_name_of_the_model() -> None:
    found = read_loosely(EXTRA % "n")
    assert found.models["m"].aliases == ("own", "m:fast")
    assert found.names == {"m": "m", "own": "m", "m:fast": "m", "n": "n", "taken": "n"}


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("m", "the key `m` already names the model `m`"),
        ("own", "the key `own` already names the model `m`"),
        ("m:fast", "the key `m:fast` already names the model `m`"),
        ("'${who}'", "unknown macro ${who}"),
        ("'n:${MODEL_ID}': {}, n:n", "two keys come out as `n:n`"),
    ],
)
def test_such_a_name_must_be_free(name: str, message: str) -> None:
    assert mistake(EXTRA % name).message == message


def test_parameters_that_are_no_mapping_are_left_to_their_own_reader() -> None:
    assert (
        mistake("models: {m: {cmd: '${PORT}', filters: {setParamsByID: [a]}}}").key == "models.m.filters.setParamsByID"
    )
    assert config("models: {m: {cmd: '${PORT}', filters: {}}}").names == {"m": "m"}
