"""Filters and time limits, as written and as they come out."""

from __future__ import annotations

from llamaswap_py.config.command import render
from llamaswap_py.config.values import Filters, Timeouts
from tests.config.reading import config, mistake, model, warning


def with_filters(text: str) -> str:
    return f"models:\n  m:\n    cmd: x ${{PORT}}\n    filters: {text}\n"


def test_what_is_stripped_is_listed_once_in_order_and_never_the_model() -> None:
    assert model(with_filters("{stripParams: ' top_p, ,model,a.b, top_p '}")).filters.strip == ("a.b", "top_p")
    assert model(with_filters("{strip_params: a, stripParams: ''}")).filters.strip == ("a",)
    assert model(with_filters("{strip_params: a, stripParams: b}")).filters.strip == ("b",)
    assert model(with_filters("")).filters == Filters()


def test_what_is_set_keeps_its_type_and_place_in_order() -> None:
    found = model(with_filters("{setParams: {b: [1, 1.5, true, null, x], a: {k: 2024-01-02}}}")).filters.set
    assert list(found) == ["a", "b"]
    assert found["b"] == (1, 1.5, True, None, "x")
    assert found["a"] == {"k": "2024-01-02T00:00:00Z"}


def test_a_filter_leaves_the_model_alone_and_this_is_told() -> None:
    text = with_filters("{setParams: {model: x, a: 1}}")
    assert warning(text).key == "models.m.filters.setParams.model"
    found = config(with_filters("{setParamsByID: {m: {a: 1}, 'm:b': }}")).models["m"]
    assert (found.filters.set_by_id, found.aliases) == ({"m": {"a": 1}, "m:b": {}}, ("m:b",))


def test_macros_are_filled_into_the_names_of_parameters_by_id_and_the_port_into_all() -> None:
    text = with_filters("{setParamsByID: {'${MODEL_ID}:${PORT}': {a: '${PORT}', b: ['p${PORT}', 1, {c: x}]}}}")
    found = config(text)
    assert found.names == {"m": "m", "m:5800": "m"}
    rules = render(found.models["m"], 5800).filters.set_by_id
    assert rules == {"m:5800": {"a": 5800, "b": ("p5800", 1, {"c": "x"})}}


def test_a_name_by_id_needs_its_macros() -> None:
    found = mistake("models: {m: {cmd: x, proxy: 'http://h', filters: {setParamsByID: {'${PORT}': {}}}}}")
    assert found.message == "unknown macro ${PORT}"


def test_filters_must_be_mappings() -> None:
    assert mistake(with_filters("[a]")).key == "models.m.filters"
    assert mistake(with_filters("{setParams: [a]}")).key == "models.m.filters.setParams"
    assert mistake(with_filters("{setParamsByID: {m: 5}}")).key == "models.m.filters.setParamsByID.m"


def test_time_limits_are_those_written_and_llama_swaps_elsewhere() -> None:
    text = "models: {m: {cmd: '${PORT}', timeouts: {connect: 1m, keepalive: -1, idleConn: 0}}}"
    assert model(text).timeouts == Timeouts(connect=60, keepalive=-1, idle=0)
