"""llama.cpp's own parser is used where it proves itself, and only there."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import pytest

from llamaswap_py.engine import native

engine = pytest.importorskip("xllamacpp", reason="the engine's library is not installed on this platform")


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the table may have to do")
def test_the_parser_is_found_and_its_probe_is_not_upset_by_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLAMA_ARG_N_PARALLEL", "3")
    parse = native.find(engine)
    assert parse is not None
    params = engine.CommonParams()
    assert parse(params, ["llama-server", "-m", "x.gguf"])
    assert params.n_parallel == 3


def test_a_library_without_that_door_is_left_alone() -> None:
    for path in (sys.executable, "/nowhere"):
        assert native.find(SimpleNamespace(xllamacpp=SimpleNamespace(__file__=path))) is None


def test_a_parser_that_does_something_else_is_not_trusted() -> None:
    assert not native.is_trusted(engine, lambda _params, _words: False)
    assert not native.is_trusted(engine, lambda _params, _words: True)


def test_values_that_lie_elsewhere_are_not_touched() -> None:
    class Other:
        n_predict = 0

    assert not native.is_trusted(SimpleNamespace(CommonParams=Other), lambda _params, _words: True)
