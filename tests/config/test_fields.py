"""Mappings read by the schema: unknown keys, keys of later versions, missing mappings."""

from __future__ import annotations

from llamaswap_py.config.fields import Fields
from llamaswap_py.config.report import Report
from llamaswap_py.config.tree import Place
from tests.config.reading import mapping, mistake, warning, warnings


def test_an_unknown_key_is_told_with_its_place_and_the_nearest_known() -> None:
    found = warning("models:\n  m:\n    cmd: x ${PORT}\n    TTL: 5\n")
    assert (found.line, found.column, found.key) == (4, 5, "models.m.TTL")
    assert found.remedy == "Did you mean `ttl`?"
    assert warning("healthCheckTimout: 20").remedy == "Did you mean `healthCheckTimeout`?"
    assert warning("zzz: 20").remedy.startswith("Remove it")
    assert warning("logs.directory: here").key == "logs.directory"


def test_a_key_in_the_wrong_place_is_told_where_it_belongs() -> None:
    assert warning("ttl: 5").remedy == "It belongs under `models.<name>`."
    assert warning("groups: {g: {startPort: 5}}").remedy == "It belongs at the top of the file."


def test_top_level_keys_of_the_operators_own_are_left_alone() -> None:
    assert warnings("x-shared: &x {a: '${b}'}\nmacros: {}\n") == []
    assert len(warnings("models: {m: {cmd: '${PORT}', x-shared: 5}}")) == 1


def test_a_key_that_is_not_acted_on_yet_is_told_once_for_all_models() -> None:
    text = """
    captureBuffer: 5
    models:
      a: {cmd: "${PORT}", timeouts: {expectContinue: 1}, capabilities: {}}
      b: {cmd: "${PORT}", timeouts: {expectContinue: 1}, sendLoadingState: false}
    metricsMaxInMemory: 5
    store:
    """
    assert [found.key for found in warnings(text)] == ["models.a.timeouts.expectContinue"]


def test_what_should_be_a_mapping_and_is_not_is_told() -> None:
    assert mistake("hooks: 5").message == "this must be a mapping, and it is a single value"
    assert mistake("models: [a]").message == "this must be a mapping, and it is a list"
    assert mistake("hooks: {on_startup: [a]}").key == "hooks.on_startup"


def test_a_mapping_that_is_missing_holds_defaults() -> None:
    fields = Fields(None, "groups.*", "groups.g", Report([]))
    assert (fields.value("swap"), fields.get("swap"), fields.place("swap")) == (True, None, Place("", 0, 0))


def test_what_is_said_about_a_missing_key_stands_where_the_mapping_begins() -> None:
    report = Report([])
    fields = Fields(mapping("\nmembers: []\n"), "groups.*", "groups.g", report)
    fields.wrong("swap", "a", "b")
    fields.warn("swap", "a", "b")
    fields.warn("members", "a", "b")
    assert [(found.line, found.column) for found in report.mistakes + report.warnings] == [(2, 1), (2, 1), (2, 10)]
