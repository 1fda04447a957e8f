"""`llamaswap config init`, and what check and show say of models that were found."""

from __future__ import annotations

from pathlib import Path

import pytest

from llamaswap_py.__main__ import main
from tests.library.tree import Machine, full

Output = pytest.CaptureFixture[str]


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    machine = Machine(tmp_path)
    for name, value in machine.env.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    return machine


def test_what_was_written_reads_cleanly_and_is_not_overwritten(machine: Machine, capsys: Output) -> None:
    machine.model("one-Q4_0.gguf")
    assert main(["config", "init"]) == 0
    assert capsys.readouterr().out == "config.yaml has 1 model now.\n"
    assert main(["check", "--strict"]) == 0
    assert "  one  also one-q4_0, one-Q4_0" in capsys.readouterr().out
    assert main(["config", "init"]) == 1
    assert "--force overwrites it" in capsys.readouterr().err
    machine.model("two.gguf")
    assert main(["config", "init", "--force"]) == 0
    assert capsys.readouterr().out == "config.yaml has 2 models now.\n"


def test_named_folders_are_all_that_is_looked_at(machine: Machine, capsys: Output) -> None:
    machine.model("one.gguf")
    (machine.root / "more").mkdir()
    machine.model("../more/two.gguf")
    assert main(["config", "init", "--models-dir=more", "--output=-"]) == 0
    text = capsys.readouterr().out
    assert "\n  two:\n" in text
    assert "\n  one:\n" not in text


def test_a_whole_machine_becomes_a_file_that_can_be_read(tmp_path: Path, capsys: Output) -> None:
    machine = full(tmp_path / "machine")
    path = tmp_path / "mine.yaml"
    assert main(["config", "init", f"--models-dir={machine.models}", f"--output={path}"]) == 0
    assert main(["check", "--strict", str(path)]) == 0
    assert "19 models, nothing wrong." in capsys.readouterr().out
    text = path.read_text()
    assert "  # qwen2, Q4_K_M, 0.0 MiB, trained for 8192 tokens\n  qwen2.5-7b-instruct:\n" in text
    assert "deepseek-r1-Q4_K_M-00001-of-00003.gguf is not served: the model has 3 files" in text
    assert "my-lora" not in text


def test_a_file_that_cannot_be_written_is_told(machine: Machine, capsys: Output) -> None:
    assert main(["config", "init", "--output=nowhere/config.yaml"]) == 1
    assert capsys.readouterr().err == "nowhere/config.yaml cannot be written: No such file or directory.\n"


def test_check_and_show_say_what_is_found_and_what_is_left_out(machine: Machine, capsys: Output) -> None:
    path = machine.model("one.gguf")
    machine.split("two", 2, missing=1)
    Path("config.yaml").write_text("discover: [models]\n")
    assert main(["check", "--strict"]) == 0
    out = capsys.readouterr().out
    assert f"  one  found in {path}" in out
    assert (
        "two-00002-of-00002.gguf is not served: the model has 2 files, and two-00001-of-00002.gguf is not there." in out
    )
    assert main(["config", "show"]) == 0
    out = capsys.readouterr().out
    assert f"# one was found in {path}\n# " in out
    assert "discover:\n- models\n" in out


def test_where_nothing_is_found_the_demonstration_stays(machine: Machine, capsys: Output) -> None:
    """As without a file."""
    assert main(["config", "init"]) == 0
    said = capsys.readouterr()
    assert said.out == "config.yaml has 1 model now.\n"
    assert "the demonstration model stands in" in said.err
    assert main(["check", "--strict"]) == 0
    assert "  demo" in capsys.readouterr().out
