"""A model: its keys, defaults, inheritance and mistakes."""

from __future__ import annotations

import pytest
from msgspec import UNSET

from llamaswap_py.config.fields import Fields
from llamaswap_py.config.models import TAKES
from llamaswap_py.config.report import Report
from llamaswap_py.config.schema import KEYS_IN
from llamaswap_py.config.values import Model
from tests.config.reading import config, mistake, mistakes, model, read_loosely, warning


def test_a_model_says_what_its_keys_say() -> None:
    text = """
    models:
      qwen:
        cmd: |
          # with a comment
          serve -m x.gguf
          --port ${PORT}
        cmdStop: docker stop qwen-${PID}
        proxy: http://127.0.0.1:${PORT}/base
        checkEndpoint: " none "
        ttl: 5m
        unloadTimeout: 3
        env: [A=1, B=2]
        aliases: [q, "q:latest"]
        name: Qwen
        description: small
        unlisted: true
        useModelName: x.gguf
        concurrencyLimit: 4
    """
    assert model(text) == Model(
        id="qwen",
        cmd="serve -m x.gguf\n--port ${PORT}\n",
        cmd_stop="docker stop qwen-${PID}",
        proxy="http://127.0.0.1:${PORT}/base",
        check_endpoint="none",
        ttl=300,
        unload_timeout=3,
        env=("A=1", "B=2"),
        aliases=("q", "q:latest"),
        name="Qwen",
        description="small",
        unlisted=True,
        use_model_name="x.gguf",
        concurrency_limit=4,
    )


def test_a_model_that_says_little_has_the_defaults() -> None:
    assert model("models: {m: {cmd: 'x ${PORT}', proxy: , ttl: }}") == Model(id="m", cmd="x ${PORT}")


@pytest.mark.parametrize(
    ("top", "own", "ttl", "grace"),
    [
        ("", "", 0, 10),
        ("globalTTL: 60\nunloadTimeout: 7", "", 60, 7),
        ("globalTTL: 60\nunloadTimeout: 7", "ttl: -1, unloadTimeout: 0", 60, 7),
        ("globalTTL: 60\nunloadTimeout: 7", "ttl: 0, unloadTimeout: 2", 0, 2),
        ("unloadTimeout: 0", "", 0, 10),
    ],
)
def test_times_are_inherited_where_a_model_sets_none(top: str, own: str, ttl: float, grace: float) -> None:
    found = model(f"{top}\nmodels: {{m: {{cmd: 'x ${{PORT}}', {own}}}}}")
    assert (found.ttl, found.unload_timeout) == (ttl, grace)


@pytest.mark.parametrize(("field", "value"), [("ttl", -2), ("unloadTimeout", -1)])
def test_a_negative_time_is_a_mistake(field: str, value: int) -> None:
    found = mistake(f"models:\n  m:\n    cmd: x ${{PORT}}\n    {field}: {value}\n")
    assert (found.line, found.key) == (4, f"models.m.{field}")


def test_ids_may_be_numbers_and_words_of_yaml() -> None:
    found = config("models: {7: {cmd: '${PORT}'}, 8.50: {cmd: '${PORT}'}, true: {cmd: '${PORT}'}}")
    assert list(found.models) == ["7", "8.50", "true"]


@pytest.mark.parametrize(("value", "limit"), [("", None), ("0", None), ("1", 1), ("3.0", 3)])
def test_without_a_limit_there_is_none(value: str, limit: int | None) -> None:
    assert model(f"models: {{m: {{cmd: '${{PORT}}', concurrencyLimit: {value}}}}}").concurrency_limit == limit


def test_a_negative_limit_is_none_and_told() -> None:
    assert "below 0" in warning("models: {m: {cmd: '${PORT}', concurrencyLimit: -1}}").message


def test_a_port_only_in_the_proxy_is_a_mistake() -> None:
    found = mistake("models:\n  m:\n    cmd: x --port 5000\n")
    assert (found.line, found.key, found.message) == (3, "models.m.cmd", "proxy uses ${PORT} but cmd does not")
    found = mistake("models:\n  m:\n    cmd: x\n    proxy: http://h:${PORT}\n")
    assert (found.line, found.key) == (4, "models.m.proxy")


def test_a_model_without_a_command_is_told_and_cannot_have_a_port() -> None:
    found = mistake("models:\n  m:\n    name: x\n")
    assert (found.line, found.message) == (3, "the model has no command")
    assert mistake("models: {m: {cmd: '# nothing'}}").message == "the model has no command"
    assert "cannot be started" in warning("models: {m: {proxy: 'http://h:1'}}").message


def test_an_empty_model_is_told_and_kept() -> None:
    text = "models:\n  m:\n  n: {cmd: '${PORT}'}\n"
    found = warning(text)
    assert (found.line, found.column, found.key) == (2, 3, "models.m")
    assert read_loosely(text).models["m"] == Model(id="m", cmd="", proxy="")


def test_a_model_that_is_no_mapping_is_one_mistake() -> None:
    assert mistake("models: {m: serve}").message == "this must be a mapping, and it is a single value"


def test_a_command_as_a_list_is_one_mistake() -> None:
    found = mistake("models: {m: {cmd: [serve, --port, '${PORT}']}}")
    assert found.message == "this must be a text, and it is a list"


@pytest.mark.parametrize("proxy", ["http://[::1", "http://h:99999", "http://h:port"])
def test_a_proxy_that_is_no_address_is_a_mistake(proxy: str) -> None:
    found = mistake(f"models: {{m: {{cmd: x, proxy: '{proxy}'}}}}")
    assert found.message.startswith("this is not an address")


@pytest.mark.parametrize("proxy", ["localhost:8080", "ftp://h", "http://", "http://h:0", ""])
def test_a_proxy_that_leads_nowhere_is_told(proxy: str) -> None:
    assert "nothing can be reached" in warning(f"models: {{m: {{cmd: x, proxy: '{proxy}'}}}}").message


@pytest.mark.parametrize("proxy", ["http://h", "https://h:1/base?x=1", "http://[::1]:${PORT}"])
def test_any_address_of_http_is_fine(proxy: str) -> None:
    assert model(f"models: {{m: {{cmd: 'x ${{PORT}}', proxy: '{proxy}'}}}}").proxy == proxy


@pytest.mark.parametrize("entry", ["A", "=B", ""])
def test_an_environment_entry_that_sets_nothing_is_told(entry: str) -> None:
    assert "sets nothing" in warning(f"models: {{m: {{cmd: '${{PORT}}', env: ['{entry}', C=]}}}}").message


def test_all_mistakes_of_all_models_are_told_at_once_in_their_order() -> None:
    text = """
    models:
      b:
        cmd: x
        ttl: never
      a:
        cmd: ${gone} ${PORT}
        unlisted: 7
    """
    assert [found.line for found in mistakes(text)] == [4, 5, 7, 8]


def test_what_a_model_does_not_write_is_as_the_schema_says() -> None:
    """Only for written keys it is asked: the rest is what an empty mapping would give, or what all models share."""
    nothing = Fields(None, "models.*", "models.m", Report([]))
    for name, (field, take) in TAKES.items():
        value = take(nothing, name)
        assert value is UNSET or value == getattr(Model("m", ""), field), name


def test_each_key_of_a_model_is_taken() -> None:
    elsewhere = {"macros", "compat"}
    assert TAKES.keys() | elsewhere == KEYS_IN["models.*"].keys()
    assert {field for field, _ in TAKES.values()} <= set(Model.__struct_fields__)
