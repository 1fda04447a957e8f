"""`llamaswap completion`: scripts that name every command and flag, tried in the shells that are here."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from llamaswap_py.__main__ import main
from llamaswap_py.cli.terminal import commands, shells

Output = pytest.CaptureFixture[str]
SHELLS = list(shells.SCRIPTS)
BASH = shutil.which("bash")


def script(capsys: Output, shell: str) -> str:
    assert main(["completion", shell]) == 0
    return capsys.readouterr().out


@pytest.mark.parametrize("shell", SHELLS)
def test_every_command_and_flag_is_in_the_script(capsys: Output, shell: str) -> None:
    text = script(capsys, shell)
    dashes = "-l " if shell == "fish" else "--"
    for name in commands.names():
        assert name in text
        assert [flag.name for flag in commands.usage(name).flags if f"{dashes}{flag.name}" not in text] == []


@pytest.mark.parametrize("shell", SHELLS)
def test_the_shell_can_read_it(capsys: Output, tmp_path: Path, shell: str) -> None:
    path = tmp_path / "script"
    path.write_text(script(capsys, shell))
    if not (program := shutil.which(shell)):
        pytest.skip(f"{shell} is not installed")
    subprocess.run([program, "-n", path], check=True)


@pytest.mark.skipif(BASH is None, reason="bash is not installed")
@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("ch", ["check"]),
        ("", commands.names()),
        ("check --c", ["--config", "--config-dir"]),
        ("check --config con", ["config.yaml", "configs"]),
        ("check --config-dir con", ["configs"]),
        ("config s", ["show", "schema"]),
        ("logs --f", ["--follow"]),
        ("--watch", ["--watch-config"]),
        ("load ", ["--url", "--api-key"]),
    ],
)
def test_bash_offers_what_may_follow(capsys: Output, tmp_path: Path, typed: str, offered: list[str]) -> None:
    path = tmp_path / "script"
    path.write_text(script(capsys, "bash"))
    folder = tmp_path / "here"
    (folder / "configs").mkdir(parents=True)
    (folder / "config.yaml").touch()
    words = ["llamaswap", *typed.split(" ")]
    typing = 'source "$0"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _llamaswap; printf "%s\\n" "${COMPREPLY[@]}"'
    done = subprocess.run(
        [str(BASH), "--norc", "-c", typing, path, *words], cwd=folder, capture_output=True, text=True, check=True
    )
    assert (sorted(done.stdout.split()), done.stderr) == (sorted(offered), "")


def test_what_is_special_to_a_shell_is_escaped() -> None:
    assert shells.zsh_text("a: [b]") == "a\\: \\[b\\]"
    assert shells.fish_text("it's") == "'it\\'s'"


@pytest.mark.parametrize("words", [[], ["csh"], ["bash", "zsh"]])
def test_another_shell_is_misspelt(capsys: Output, words: list[str]) -> None:
    assert main(["completion", *words]) == 2
    assert "Name one shell: bash, zsh, fish." in capsys.readouterr().err
