"""Words to commands: what is listed, what is misspelt, and help worth reading."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import trustme

from llamaswap_py.__main__ import main
from llamaswap_py.cli.terminal import commands
from llamaswap_py.daemon.version import __version__

Output = pytest.CaptureFixture[str]


def test_the_files_of_the_folder_are_the_commands() -> None:
    """Pinned: a file that lands in the folder by accident is a command that nobody meant."""
    assert commands.names() == [
        "bench",
        "check",
        "completion",
        "config",
        "engine",
        "inspect",
        "list",
        "load",
        "logs",
        "ps",
        "pull",
        "run",
        "serve",
        "unload",
    ]


@pytest.mark.parametrize("words", [["-h"], ["--help"], ["-help"], ["help"], ["serve", "--help"], ["help", "serve"]])
def test_help_lists_the_flags_and_the_commands(capsys: Output, words: list[str]) -> None:
    assert main(words) == 0
    text = capsys.readouterr().out
    assert "--watch-config" in text
    assert "unload     Unload one model" in text


@pytest.mark.parametrize("name", commands.names())
def test_each_command_explains_itself(capsys: Output, name: str) -> None:
    assert main([name, "--help"]) == 0
    assert capsys.readouterr().out.startswith("usage: llamaswap")


def test_an_unknown_command_is_answered_with_those_there_are(capsys: Output) -> None:
    assert main(["swerve"]) == 2
    known = ", ".join(commands.names())
    assert f"no command 'swerve'. The commands are: {known}" in capsys.readouterr().err


@pytest.mark.parametrize(
    "words", [["--version"], ["-version"], ["--version", "--config", "x"], ["serve", "-version=1"]]
)
def test_the_version_is_one_line_and_nothing_else_happens(capsys: Output, words: list[str]) -> None:
    assert main(words) == 0
    assert capsys.readouterr().out.startswith(f"version: {__version__} (")


@pytest.mark.parametrize("words", [["--nope"], ["-watch-config=maybe"], ["--config"], ["check", "-x"], ["ps", "--url"]])
def test_a_misspelt_flag_prints_the_usage_and_ends_with_status_2(capsys: Output, words: list[str]) -> None:
    assert main(words) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "usage: llamaswap" in captured.err


def test_a_reader_that_has_seen_enough_is_no_crash() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-m", "llamaswap_py", "--help"]
    done = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, text=True, check=False)
    os.close(writing)
    assert (done.returncode, done.stderr) == (1, "")


STARTING = """
import ssl
from llamaswap_py.cli.serve import lean_imports
with lean_imports():
    from aiohttp import connector
for context in (connector._SSL_CONTEXT_VERIFIED, ssl.create_default_context()):
    print(context.verify_mode.name, context.cert_store_stats()["x509_ca"])
"""


def test_a_start_leaves_the_machines_certificates_to_whoever_needs_them(tmp_path: Path) -> None:
    trustme.CA().cert_pem.write_to_path(tmp_path / "ca.pem")
    env = {**os.environ, "SSL_CERT_FILE": str(tmp_path / "ca.pem")}
    told = subprocess.run([sys.executable, "-c", STARTING], env=env, capture_output=True, text=True, check=True).stdout
    assert told.splitlines() == ["CERT_REQUIRED 0", "CERT_REQUIRED 1"]
