"""The included engine answers in the shapes of a compiled llama-server: of the one that $LLAMASWAP_TEST_LLAMA_SERVER
names, and of the one whose answers were written down (`python -m tests.engine.record_shapes`)."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from tests.engine.questions import QUESTIONS, ask_all, write_models
from tests.engine.record_shapes import flags_of, newest
from tests.engine.shape import Shape, differences

pytest.importorskip("xllamacpp", reason="the engine's library is not installed on this platform")

NAMED = os.environ.get("LLAMASWAP_TEST_LLAMA_SERVER", "")

# Differences that are right as they are, "question: place" -> why. A build and a wheel of other days may need some.
KNOWN: dict[str, str] = {}


def quoted(path: str) -> str:
    return f'"{path}"' if " " in path else path


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("models")
    write_models(made)
    return made


@pytest.fixture(scope="module")
def included(folder: Path) -> dict[str, Shape]:
    return ask_all(folder, {"LLAMA_SERVER": f"{quoted(sys.executable)} -m llamaswap_py engine"})


@pytest.fixture(scope="module")
def compiled(folder: Path) -> dict[str, Shape]:
    if not NAMED:
        pytest.skip("LLAMASWAP_TEST_LLAMA_SERVER names no compiled llama-server")
    return ask_all(folder, {"LLAMA_SERVER": str(Path(NAMED).resolve())})


def unexpected(theirs: dict[str, Shape], ours: dict[str, Shape]) -> list[str]:
    found = [f"{name}: {each}" for name, shape in theirs.items() for each in differences(shape, ours[name])]
    return [each for each in found if not any(each.startswith(f"{place}:") for place in KNOWN)]


def test_answers_have_the_shapes_that_were_recorded(included: dict[str, Shape]) -> None:
    recorded = newest().answers
    assert list(recorded) == [question.name for question in QUESTIONS], "record the shapes anew"
    assert unexpected(recorded, included) == []


def test_answers_have_the_shapes_of_the_compiled_server(compiled: dict[str, Shape], included: dict[str, Shape]) -> None:
    assert unexpected(compiled, included) == []


def test_every_flag_that_was_recorded_is_known() -> None:
    """The other way round there may be more: llama.cpp gets new ones every month."""
    assert set(newest().flags) - set(flags_of([sys.executable, "-m", "llamaswap_py", "engine"])) == set()


def test_what_was_asked_was_answered_by_a_model(included: dict[str, Shape]) -> None:
    """That the questions hit: the two might agree on nothing but errors otherwise."""
    called = included["chat with tools"]["body"]["choices"][0]["message"]["tool_calls"]
    assert called[0]["function"] == {"name": "string", "arguments": "string"}
    assert included["chat, streamed"]["body"]["ends"] == "[DONE]"
    assert included["embeddings"]["body"]["data"][0]["embedding"] == ["number"]
    assert sum(shape["status"] == 200 for shape in included.values()) > len(QUESTIONS) / 2
