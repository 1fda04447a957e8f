"""`llamaswap check`: every mistake with its place and remedy, or a summary."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from llamaswap_py.__main__ import main
from llamaswap_py.cli.terminal import engines

Output = pytest.CaptureFixture[str]
GOOD = """
models:
  small:
    cmd: llama-server --port ${PORT}
    aliases: [tiny]
    ttl: 60
  fixed:
    cmd: llama-server --port 9001
    proxy: http://localhost:9001
groups:
  pair:
    members: [small]
hooks:
  on_startup:
    preload: [tiny]
"""
BAD = """
models:
  one:
    cmd: llama-server --port ${PORT}
    ttl: soon
  two:
    cmd: ""
"""


@pytest.mark.parametrize("form", ["{}", "--config={}", "-config-dir={folder}"])
def test_a_good_file_is_summed_up(tmp_path: Path, capsys: Output, form: str) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(GOOD)
    assert main(["check", form.format(path, folder=tmp_path)]) == 0
    first, *lines = capsys.readouterr().out.splitlines()
    assert first == "2 models, nothing wrong."
    assert "  fixed" in lines
    assert "  small  also tiny  group pair  port 5800  unloaded after 60 s  loaded at the start" in lines


def test_the_folders_own_file_is_found(tmp_path: Path, capsys: Output, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("config.yaml").write_text("models: {}\n")
    assert main(["check"]) == 0
    assert capsys.readouterr().out.startswith("0 models")


def test_every_mistake_is_shown_at_once_with_its_place(tmp_path: Path, capsys: Output) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(BAD)
    assert main(["check", str(path)]) == 1
    error = capsys.readouterr().err
    assert f"mistake  {path}:5:" in error
    assert "models.one.ttl" in error
    assert "models.two.cmd" in error
    assert "2 mistakes: a server would not start with this." in error


def test_a_warning_is_shown_and_is_no_mistake(tmp_path: Path, capsys: Output) -> None:
    path = tmp_path / "config.yaml"
    path.write_text("models: {}\nhealthCheckTimeout: 3\n")
    assert main(["check", str(path)]) == 0
    said = capsys.readouterr()
    assert f"warning  {path}:2:" in said.err
    assert said.out.startswith("0 models, 1 warning.\n")


def test_a_file_that_is_not_there_is_a_mistake_like_any_other(tmp_path: Path, capsys: Output) -> None:
    assert main(["check", str(tmp_path / "nowhere.yaml")]) == 1
    assert "nowhere.yaml" in capsys.readouterr().err


TEN = """
globalTTL: -1
startPort: many
logToStdout: nowhere
models:
  one:
    cmd: llama-server --port ${PORT} ${gone}
    ttl: soon
    tll: 5
  two:
    cmd: llama-server
  three:
    cmd: llama-server --port ${PORT}
    aliases: [one, x, x]
groups:
  g: {members: [four]}
apiKeys: [""]
"""


def test_ten_mistakes_are_ten_lines_in_their_order(tmp_path: Path, capsys: Output) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(TEN)
    assert main(["check", str(path)]) == 1
    *lines, _, last = capsys.readouterr().err.splitlines()
    places = [int(line.partition(f"{path}:")[2].partition(":")[0]) for line in lines]
    assert places == [2, 3, 4, 7, 8, 9, 11, 14, 14, 16, 17]
    assert [line.partition(" ")[0] for line in lines].count("warning") == 2  # an unknown key; an alias that is an id
    assert last.startswith("9 mistakes")
    assert not any("\033" in line for line in lines)


def test_strictly_a_warning_is_a_mistake(tmp_path: Path, capsys: Output) -> None:
    path = tmp_path / "config.yaml"
    path.write_text("models: {}\nhealthCheckTimeout: 3\n")
    assert main(["check", "--strict", str(path)]) == 1
    assert "1 warning: too many for --strict." in capsys.readouterr().err
    path.write_text("models: {}\n")
    assert main(["check", "--strict", str(path)]) == 0


def test_colours_are_for_those_who_want_them(tmp_path: Path, capsys: Output, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(TEN)
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert main(["check", str(path)]) == 1
    first = capsys.readouterr().err.splitlines()[0]
    assert first.startswith(f"\033[31;1mmistake\033[0m  \033[1m{path}:2:12:\033[0m globalTTL: this must be")
    assert main(["check", str(tmp_path / "nowhere")]) == 1
    assert f"\033[1m{tmp_path / 'nowhere'}:\033[0m it cannot be read" in capsys.readouterr().err


def program(path: Path, lines: str) -> Path:
    path.write_text(f"#!/bin/sh\n{lines}\n")
    path.chmod(0o755)
    return path


def config_with(tmp_path: Path, cmd: str) -> str:
    path = tmp_path / "config.yaml"
    path.write_text(f"models:\n  small:\n    cmd: {cmd}\n")
    return str(path)


@pytest.mark.parametrize("wrapper", ["", "taskset -c 0 "])
def test_the_llama_server_of_the_macro_is_named_with_its_version(
    tmp_path: Path, capsys: Output, monkeypatch: pytest.MonkeyPatch, wrapper: str
) -> None:
    server = program(tmp_path / "my server", "echo found a device\necho 'version: 77 (abc)' >&2")
    monkeypatch.setenv("LLAMA_SERVER", str(server))
    assert main(["check", config_with(tmp_path, wrapper + "${llama_server} --port ${PORT}")]) == 0
    last = capsys.readouterr().out.splitlines()[-1]
    assert last == f"${{llama_server}} is '{server}' (in $LLAMA_SERVER), version: 77 (abc)"


def test_the_included_engine_is_named_where_there_is_no_other(
    tmp_path: Path, capsys: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("LLAMA_SERVER", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert main(["check", config_with(tmp_path, "${llama_server} --port ${PORT}")]) == 0
    last = capsys.readouterr().out.splitlines()[-1]
    assert "-m llamaswap_py engine (included), version" in last


@pytest.mark.parametrize(
    "own", ["llama-server --port ${PORT}", "${llama_server} --port ${PORT}\nmacros: {llama_server: x}"]
)
def test_nothing_is_said_of_a_llama_server_that_no_command_has(
    tmp_path: Path, capsys: Output, monkeypatch: pytest.MonkeyPatch, own: str
) -> None:
    """A macro of the user's own goes before the built-in one."""
    monkeypatch.setenv("LLAMA_SERVER", str(program(tmp_path / "server", f"touch {tmp_path}/started")))
    assert main(["check", config_with(tmp_path, own)]) == 0
    assert capsys.readouterr().out.splitlines()[1:] == ["  small  port 5800"]
    assert not (tmp_path / "started").exists()


@pytest.mark.parametrize(
    ("named", "said"),
    [
        ("/nowhere/llama-server", "which cannot be started: No such file or directory"),
        ("false", "whose version is not known: --version ended with status 1"),
        ("echo 1.2", "(in $LLAMA_SERVER), 1.2 --version"),
    ],
)
def test_a_llama_server_without_a_version_is_no_mistake(
    tmp_path: Path, capsys: Output, monkeypatch: pytest.MonkeyPatch, named: str, said: str
) -> None:
    monkeypatch.setenv("LLAMA_SERVER", named)
    assert main(["check", config_with(tmp_path, "${llama_server} --port ${PORT}")]) == 0
    assert capsys.readouterr().out.splitlines()[-1].endswith(said)


def test_a_llama_server_that_says_nothing_is_not_waited_for() -> None:
    silent = [sys.executable, "-c", "import sys; sys.stdin.close(); import threading; threading.Event().wait()"]
    assert engines.version_of(silent, within=0.05) == "whose version is not known: it said nothing within 0.05 s"


@pytest.mark.parametrize(
    "cmd",
    [
        "llama-server --port ${PORT}",
        "/opt/llama.cpp/llama-server --port ${PORT}",
        "${llama_server} --port ${PORT}",
        "llamaswap engine --port ${PORT}",
        "python3 -m llamaswap_py engine --port ${PORT}",
    ],
)
def test_a_flag_that_llama_server_has_no_more_is_warned_of_with_its_replacement(
    tmp_path: Path, capsys: Output, monkeypatch: pytest.MonkeyPatch, cmd: str
) -> None:
    monkeypatch.setenv("LLAMA_SERVER", "true")
    path = config_with(tmp_path, f"{cmd} --mlock --draft-max 8")
    assert main(["check", path]) == 0
    lines = capsys.readouterr().err.splitlines()
    assert lines == [
        f"warning  {path}: models.small.cmd: --draft-max is gone from llama-server. Write --spec-draft-n-max.",
        f"warning  {path}: models.small.cmd: --mlock is gone from llama-server. Write --load-mode mmap+mlock.",
    ]
    assert main(["check", "--strict", path]) == 1


def test_flags_of_other_programs_are_not_judged(tmp_path: Path, capsys: Output) -> None:
    assert main(["check", config_with(tmp_path, "koboldcpp --port ${PORT} --mlock")]) == 0
    assert capsys.readouterr().err == ""
