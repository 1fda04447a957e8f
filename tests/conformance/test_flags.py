"""Sections 1.1 to 1.3: the command line and what the program says when it does not start."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conformance.scene import Quiet, mirror
from tests.whole.asking import caller
from tests.whole.program import LONG, ROOT, Program, config

ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT)}


def run(*flags: str, folder: Path = ROOT) -> subprocess.CompletedProcess[str]:
    words = [sys.executable, "-m", "llamaswap_py", *flags]
    return subprocess.run(words, check=False, cwd=folder, env=ENVIRONMENT, capture_output=True, text=True, timeout=LONG)


@pytest.mark.parametrize("flag", ["-version", "--version", "-version=true"])
def test_the_version(flag: str) -> None:
    """One line on standard output, whatever else is wrong."""
    ended = run(flag, "-config", "/no/such/file")
    assert ended.returncode == 0
    assert ended.stdout.startswith("version: ")
    assert ended.stdout.count("\n") == 1


@pytest.mark.parametrize("flag", ["-h", "-help", "--help"])
def test_help(flag: str) -> None:
    """It names the flags, and is no mistake."""
    ended = run(flag)
    assert ended.returncode == 0
    assert "config" in ended.stdout + ended.stderr
    assert "listen" in ended.stdout + ended.stderr


@pytest.mark.parametrize("flags", [["-nonsense"], ["-watch-config=maybe"], ["-listen"], ["--config"]])
def test_a_wrong_flag(flags: list[str]) -> None:
    """2, and how it is used, on standard error."""
    ended = run(*flags)
    assert ended.returncode == 2
    assert ended.stderr
    assert not ended.stdout


MISSING = {
    "a file that is not there": ["-config", "/no/such/file.yaml"],
    "a folder that is not there": ["-config-dir", "/no/such/folder"],
}


@pytest.mark.parametrize("flags", MISSING.values(), ids=MISSING)
def test_without_a_configuration(tmp_path: Path, flags: list[str]) -> None:
    """1, and a sentence on standard error. (Without any flag, what is found is served.)"""
    ended = run(*flags, folder=tmp_path)
    assert ended.returncode == 1
    assert ended.stderr.strip()
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize("flag", ["-tls-cert-file", "-tls-key-file"])
def test_half_a_certificate(tmp_path: Path, flag: str) -> None:
    """Both files or none."""
    path = tmp_path / "config.yaml"
    path.write_text(config(mirror("alpha")))
    ended = run("-config", str(path), "-listen", "127.0.0.1:0", flag, str(path))
    assert ended.returncode == 1
    assert "tls-key-file" in ended.stderr


SPELLINGS = {
    "one dash": ["-config", "{}"],
    "two dashes": ["--config", "{}"],
    "equals": ["-config={}"],
    "the last one counts": ["-config=/no/such/file", "-config={}"],
    "a folder": ["-config-dir", "{}/.."],
    "what follows is ignored": ["-config={}", "-watch-config=0", "rest", "-nonsense"],
}


@pytest.mark.parametrize("spelling", SPELLINGS.values(), ids=SPELLINGS)
def test_spellings(tmp_path: Path, spelling: list[str]) -> None:
    """As Go's programs take their flags."""
    program = Quiet(tmp_path, config(mirror("alpha")))
    fixed = [flag for flag in program.flags if not flag.startswith("--config")]
    program.flags = [*fixed, *(flag.format(program.path).replace("config.yaml/..", "") for flag in spelling)]
    with program, caller(program) as ask:
        assert [row["id"] for row in ask.get("/v1/models").json()["data"]] == ["alpha"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
def test_a_signal_ends_it(tmp_path: Path, number: signal.Signals) -> None:
    """0, and nothing of its models is left."""
    with Program(tmp_path, config(mirror("alpha")), watch=False) as program:
        with caller(program) as ask:
            ask.post("/v1/embeddings", json={"model": "alpha"}).raise_for_status()
        program.process.send_signal(number)
        assert program.process.wait(LONG) == 0


def test_a_signal_reads_the_configuration_again(tmp_path: Path) -> None:
    """SIGHUP, also without -watch-config; a broken file changes nothing."""
    with Program(tmp_path, config(mirror("alpha")), watch=False) as program, caller(program) as ask:
        for text, names in (
            (config(mirror("alpha"), mirror("beta")), ["alpha", "beta"]),
            ("models: [", ["alpha", "beta"]),
        ):
            said = program.said
            program.path.write_text(text)
            program.process.send_signal(signal.SIGHUP)
            program.wait_for(r"configuration (re|not re|read)", said)
            assert [row["id"] for row in ask.get("/v1/models").json()["data"]] == names
