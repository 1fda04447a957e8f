"""Macros: where they reach, in which order, and what is said of those nobody declared."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llamaswap_py.config.macros import Filling, Macros, fill
from llamaswap_py.config.tree import Plain
from tests.config.reading import config, mapping, mistake, mistakes, model


def test_a_macro_is_filled_into_texts_and_gives_its_type_where_it_stands_alone() -> None:
    text = """
    macros: {size: 4096, rate: 0.5, whole: 1e6, deep: true, seconds: 90}
    models:
      m:
        cmd: serve -c ${size} -r ${rate} -w ${whole} ${deep} --port ${PORT}
        ttl: ${seconds}
        unlisted: ${deep}
        description: "${size}"
        name: a${size}
    """
    found = model(text)
    assert found.cmd == "serve -c 4096 -r 0.5 -w 1e+06 true --port ${PORT}"
    assert (found.ttl, found.unlisted, found.description, found.name) == (90, True, "4096", "a4096")


def test_a_macro_may_use_those_declared_before_it() -> None:
    text = """
    macros: {bin: /opt/x, serve: "${bin}/server", all: "${serve} -m ${MODEL_ID} --port ${PORT}"}
    models: {m: {cmd: "${all}"}}
    """
    assert model(text).cmd == "/opt/x/server -m m --port ${PORT}"


def test_a_macro_that_uses_a_later_one_is_told_to_move() -> None:
    found = mistake("macros: {a: '${b}', b: x}\nmodels: {m: {cmd: '${a} ${PORT}'}}\n")
    assert found.message == "unknown macro ${b}"
    assert found.remedy == "Declare `b` before the macro that uses it."


def test_a_models_own_macro_replaces_the_common_one_where_that_stood() -> None:
    text = """
    macros: {host: a, base: "http://${host}"}
    models:
      m: {cmd: x, proxy: "${base}:${p}", macros: {host: b, p: 1}}
      n: {cmd: x, proxy: "${base}:2"}
    """
    found = config(text).models
    assert (found["m"].proxy, found["n"].proxy) == ("http://b:1", "http://a:2")


def test_macros_reach_every_known_key_but_no_mappings_keys() -> None:
    text = """
    macros: {key: secret, m: m}
    apiKeys: ["${key}"]
    hooks: {on_startup: {preload: ["${m}"]}}
    models: {"m": {cmd: x, proxy: "http://h", env: ["A=${key}", B=1]}}
    """
    found = config(text)
    assert (found.api_keys, found.preload, found.models["m"].env) == (("secret",), ("m",), ("A=secret", "B=1"))


def test_macros_named_only_in_comment_lines_of_a_command_are_not_missed() -> None:
    text = """
    models:
      m:
        cmd: |
          serve ${PORT}
          # --old ${gone}
        cmdStop: "# ${gone}\\nstop ${PID}"
    """
    found = model(text)
    assert (found.cmd, found.cmd_stop) == ("serve ${PORT}\n", "stop ${PID}")


def test_an_unknown_macro_is_told_at_its_own_line_with_the_nearest_known() -> None:
    text = """
    macros: {server_bin: x}
    models:
      m:
        cmd: |
          # ${server-bin}
          ${server-bin} --port ${PORT}
          ${other_one}
    """
    first, second = mistakes(text)
    assert (first.line, first.column, first.remedy) == (7, 7, "Did you mean ${server_bin}?")
    assert (second.line, second.remedy) == (8, "Declare `other_one` under `macros:`.")


@pytest.mark.parametrize(
    ("text", "key", "remedy"),
    [
        ("apiKeys: ['${PORT}']", "apiKeys[0]", "${PORT} exists only in a model whose cmd uses it."),
        ("apiKeys: ['${PID}']", "apiKeys[0]", "${PID} exists only in cmdStop."),
        ("apiKeys: ['${MODEL_ID}']", "apiKeys[0]", "${MODEL_ID} exists only in models."),
        ("models: {m: {cmd: 'x ${PORT} ${PID}'}}", "models.m.cmd", "${PID} exists only in cmdStop."),
        (
            "models: {m: {cmd: x, proxy: 'http://h', name: 'n${PORT}'}}",
            "models.m.name",
            "${PORT} exists only in a model whose cmd uses it.",
        ),
        ("models: {m: {cmd: x, proxy: 'http://h', metadata: {a: ['${b}']}}}", "models.m.metadata.a[0]", "Declare `b`"),
        ("peers: {p: {proxy: '${b}', models: [a]}}", "peers.p.proxy", "Declare `b` under `macros:`."),
    ],
)
def test_what_stands_where_it_has_no_meaning_is_told(text: str, key: str, remedy: str) -> None:
    found = mistake(text)
    assert found.key == key
    assert found.remedy.startswith(remedy)


def test_unknown_top_level_keys_may_hold_anything() -> None:
    assert mistakes("x-common: '${whatever}'") == []


@pytest.mark.parametrize("text", ["$FOO", "${foo bar}", "${}", "$${"])
def test_what_only_resembles_a_macro_is_left_alone(text: str) -> None:
    assert model(f"models: {{m: {{cmd: '{text}', proxy: 'http://h'}}}}").cmd == text


@pytest.mark.parametrize(
    ("block", "message"),
    [
        ("PORT: 1", "the name PORT is reserved"),
        ("PID: 1", "the name PID is reserved"),
        ("MODEL_ID: x", "the name MODEL_ID is reserved"),
        ("a.b: 1", "`a.b` cannot be a macro's name"),
        ("'': 1", "`` cannot be a macro's name"),
        (f"{'x' * 64}: 1", "the macro's name is longer than 63 characters"),
        ("a: 'b ${a}'", "the macro `a` uses itself"),
        ("a: ~", "a macro's value must be a single text, number or boolean"),
        ("a: [1]", "a macro's value must be a single text, number or boolean"),
        ("a: 2024-01-01", "a macro's value must be a single text, number or boolean"),
    ],
)
def test_a_wrong_declaration_is_told_globally_and_per_model(block: str, message: str) -> None:
    assert mistake(f"macros: {{{block}}}").message == message
    found = mistake(f"models: {{m: {{cmd: x, proxy: 'http://h', macros: {{{block}}}}}}}")
    assert found.message == message
    assert found.key.startswith("models.m.macros.")


def test_a_wrong_declaration_does_not_make_its_uses_wrong() -> None:
    assert len(mistakes("macros: {a: [1]}\nmodels: {m: {cmd: '${a} ${PORT}'}}\n")) == 1


def test_macros_must_be_a_mapping_or_nothing() -> None:
    assert mistake("macros: [a]").message == "macros must be a mapping, and this is a list"
    assert mistakes("macros:\n") == []


def test_the_longest_name_and_any_value_are_fine() -> None:
    name = "x" * 63
    assert model(f"macros: {{{name}: {'y' * 5000}}}\nmodels: {{m: {{cmd: '${{{name}}} ${{PORT}}'}}}}").cmd[:1] == "y"


def test_a_tree_without_macros_stays_the_same_tree() -> None:
    root = mapping("a: [1, 'x ${no', {b: y}]\nc: z\n")
    assert Filling({"m": "v"}).fill(root, "") is root


def test_an_alias_is_filled_in_where_it_stands() -> None:
    text = """
    x: &shared {cmd: "serve ${MODEL_ID} ${PORT}"}
    models: {a: *shared, b: *shared}
    """
    assert mistakes(text) == []


@given(st.lists(st.sampled_from("abcd"), unique=True), st.text("abcd${} ", max_size=12))
def test_filling_in_ends_and_leaves_no_declared_use_behind(names: list[str], text: str) -> None:
    macros: Macros = {name: f"<{name}>" for name in names}
    found: Plain = fill(text, macros)
    assert isinstance(found, str)
    # a name put together by two others may appear; with these values none can
    assert not any(f"${{{name}}}" in found for name in names)


def test_macros_that_double_each_other_are_told_instead_of_filling_the_memory() -> None:
    doubling = "".join(f"  m{number}: ${{m{number - 1}}}${{m{number - 1}}}\n" for number in range(1, 60))
    text = "macros:\n  m0: xx\n" + doubling + "models: {m: {cmd: '${PORT} ${m59}'}}\nx-mine: ${m59}\n"
    found = mistake(text)
    assert (found.key, found.line) == ("models.m.cmd", 62)
    assert found.message == "macros make this text longer than 1000000 characters"


USES = st.lists(st.sampled_from(["${a}", "${b}", "${c}", "${MODEL_ID}", "x", " "]), max_size=5).map("".join)


@given(st.dictionaries(st.sampled_from("abc"), USES), st.dictionaries(st.sampled_from("abc"), USES), USES)
def test_filling_in_macros_comes_to_an_end_whatever_they_use(
    common: dict[str, str], own: dict[str, str], cmd: str
) -> None:
    model = {"macros": own, "cmd": cmd, "proxy": "http://h", "metadata": {"k": cmd}}
    found = mistakes(json.dumps({"macros": common, "models": {"m": model}}))
    assert all(each.line == 1 and each.remedy for each in found)
