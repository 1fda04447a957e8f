"""What a command and the file it names say of a model."""

from __future__ import annotations

from pathlib import Path

import pytest

from llamaswap_py.config.values import Model
from llamaswap_py.library.described import UNKNOWN, Described, Descriptions, Said, said_by
from tests.library.tree import Machine


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("llama-server -m /models/a.gguf -c 8192", Said("/models/a.gguf", 8192)),
        ("llama-server --model '/my models/a.gguf' --ctx-size=0", Said("/my models/a.gguf")),
        ("llama-server -hf owner/name:q4_k_m", Said("", 0, "Q4_K_M")),
        ("sleep 10", Said()),
        ("llama-server -c many", Said()),
    ],
)
def test_a_command_says_where_its_model_is_and_how_much_it_holds(command: str, said: Said) -> None:
    assert said_by(Model("m", command)) == said


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_a_file_says_what_it_holds_and_a_changed_one_is_read_again(machine: Machine) -> None:
    look = Descriptions()
    path = machine.model("a.gguf", entries={"llama.context_length": 4096})
    [found] = look.of([str(path)]).values()
    assert found == Described("llama", "Q4_K_M", found.parameters, path.stat().st_size, 4096, 2)
    assert found.parameters > 0
    assert look.of([str(path)])[str(path)] is found
    machine.model("a.gguf", "gemma3")
    assert look.of([str(path)])[str(path)].architecture == "gemma3"


def test_a_split_model_is_the_sum_of_its_files_whichever_is_named(machine: Machine) -> None:
    machine.split("big", 3)
    machine.split("bigger", 3)
    machine.model("small.gguf")
    look = Descriptions()
    paths = [
        str(machine.models / name) for name in ("big-00001-of-00003.gguf", "big-00003-of-00003.gguf", "small.gguf")
    ]
    first, last, small = look.of(paths).values()
    assert first == last
    assert first.parameters == 3 * small.parameters
    assert first.size > 2 * small.size


def test_of_what_cannot_be_read_nothing_is_said(machine: Machine) -> None:
    look = Descriptions()
    broken = machine.models / "broken.gguf"
    broken.write_bytes(b"no model")
    names = [str(broken), str(machine.models / "gone.gguf"), "a\0b", "nowhere/big-00001-of-00002.gguf", ""]
    assert list(look.of(names).values()) == [Described(size=8), UNKNOWN, UNKNOWN, UNKNOWN]
    assert look.of([]) == {}
    assert look.known == {}
