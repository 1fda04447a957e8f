"""The whole way from texts to a Config, or to every mistake."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llamaswap_py.config.read import Reading, Source, read
from llamaswap_py.config.values import Config, Limits
from llamaswap_py.errors import ConfigError
from tests.config.reading import config, mistake, mistakes, warning


def test_reading_nothing_is_a_mistake() -> None:
    with pytest.raises(ConfigError, match="there is no configuration file"):
        read([], {})


@pytest.mark.parametrize("text", ["", "# nothing\n", "models:\n", "models: {}\n"])
def test_an_empty_configuration_is_one(text: str) -> None:
    found = config(text)
    assert (dict(found.models), dict(found.names), dict(found.ports)) == ({}, {}, {})
    assert found.health_check_timeout == 120


def test_the_settings_are_what_was_written() -> None:
    text = """
    healthCheckTimeout: 5m
    startPort: 9000
    logLevel: debug
    logToStdout: none
    includeAliasesInList: true
    apiKeys: [one, two]
    allowedHosts: [" box.example ", ""]
    maxBodySize: 1MB
    patience: 5s
    limits: {connections: 5, uploadStall: 1m, readerStall: 2, drain: 3}
    """
    found = config(text)
    assert found == Config(
        models={},
        groups=found.groups,
        health_check_timeout=300,
        start_port=9000,
        log_level="debug",
        log_to_stdout="none",
        include_aliases_in_list=True,
        api_keys=("one", "two"),
        allowed_hosts=("box.example",),
        max_body_bytes=1024 * 1024,
        patience=5,
        limits=Limits(connections=5, upload_stall=60, reader_stall=2, drain=3),
    )


def test_models_are_in_byte_order_and_those_that_ask_get_ports_in_it() -> None:
    text = """
    startPort: 7000
    models:
      é: {cmd: "${PORT}"}
      b: {cmd: x, proxy: "http://h"}
      a: {cmd: "${PORT}"}
      Z: {cmd: "${PORT}"}
    """
    found = config(text)
    assert list(found.models) == ["Z", "a", "b", "é"]
    assert dict(found.ports) == {"Z": 7000, "a": 7001, "é": 7002}


def test_there_are_only_so_many_ports() -> None:
    text = "startPort: 65535\nmodels: {a: {cmd: '${PORT}'}, b: {cmd: '${PORT}'}}"
    assert mistake(text).remedy == "Write at most 65534."


def test_a_check_has_at_least_fifteen_seconds() -> None:
    text = "healthCheckTimeout: 3"
    assert "raised to 15" in warning(text).message
    assert read([Source("f", text)], {}).config.health_check_timeout == 15


def test_preloaded_models_are_named_by_any_name_in_the_order_written() -> None:
    text = """
    models: {a: {cmd: "${PORT}"}, b: {cmd: "${PORT}", aliases: [bee]}}
    hooks: {on_startup: {preload: [" bee ", "", a, a]}}
    """
    assert config(text).preload == ("b", "a", "a")


def test_an_unknown_preloaded_model_is_told() -> None:
    text = "models: {alpha: {cmd: '${PORT}'}}\nhooks: {on_startup: {preload: [alfa]}}"
    found = warning(text)
    assert (found.line, found.key, found.remedy) == (2, "hooks.on_startup.preload", "Did you mean `alpha`?")
    assert warning("hooks: {on_startup: {preload: [x]}}").remedy == "Remove it."


def test_a_key_is_a_word() -> None:
    found = mistakes("apiKeys: [ok, '', 'a b', ~]")
    assert [each.key for each in found] == ["apiKeys[1]", "apiKeys[2]", "apiKeys[3]"]
    assert mistakes("macros: {k: 5}\napiKeys: ['${k}']") == []


def test_of_files_that_are_not_yaml_nothing_further_is_said() -> None:
    found = mistakes("a: %", "globalTTL: -1", "b: [")
    assert [each.file for each in found] == ["a.yaml", "c.yaml"]


def test_a_mistake_reads_as_place_key_sentence_and_remedy() -> None:
    with pytest.raises(ConfigError) as refused:
        read([Source("config.yaml", "startPort: 0")], {})
    text = "config.yaml:1:12: startPort: this must be at least 1, and it is 0. Write a larger number."
    assert str(refused.value) == text


def test_two_readings_of_one_text_are_equal() -> None:
    text = "macros: {x: 1}\nmodels: {a: {cmd: 'x ${x} ${PORT}', aliases: [b]}}"
    assert config(text) == config("# other comments\n" + text)


LINES = st.lists(
    st.sampled_from(
        [
            "models:",
            "  m:",
            "  n: {cmd: '${PORT}', aliases: [x]}",
            "    cmd: serve ${PORT}",
            "    cmd: ${a}",
            "    aliases: [x, y]",
            "    ttl: 5m",
            "    filters: {setParamsByID: {'${MODEL_ID}:b': {}}}",
            "macros:",
            "  a: ${b}",
            "  b: 5",
            "groups:",
            "  g: {members: [m, n]}",
            "routing: {router: {use: matrix}}",
            "apiKeys: [${env.A}]",
            "patience: .inf",
            "- x",
            "  <<: *z",
            "x: &z {cmd: a}",
            "\t",
        ]
    ),
    max_size=10,
)


@given(LINES, LINES)
def test_any_files_are_read_or_every_mistake_has_a_place_and_a_remedy(first: list[str], second: list[str]) -> None:
    sources = [Source("a.yaml", "\n".join(first)), Source("b.yaml", "\n".join(second))]
    found = outcome(sources)
    if isinstance(found, ConfigError):
        assert all(each.line and each.column and each.message and each.remedy for each in found.mistakes)
    else:
        assert {member for group in found.config.groups for member in group.members} == set(found.config.models)


def outcome(sources: list[Source]) -> Reading | ConfigError:
    try:
        return read(sources, {"A": "k"})
    except ConfigError as error:
        return error
