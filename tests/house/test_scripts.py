"""The scripts do what their help says, from any folder; here with an environment that is already made."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.hub import FakeHub, Repo

if sys.platform == "win32":
    pytest.skip("the scripts are for bash", allow_module_level=True)

ROOT = Path(__file__).parents[2]


class Checkout:
    """A small checkout whose `.venv` hands everything to the Python that runs the tests."""

    def __init__(self, root: Path) -> None:
        self.root = root
        shutil.copytree(ROOT / "scripts", root / "scripts", ignore=shutil.ignore_patterns("__pycache__"))
        for name in ("pyproject.toml", "requirements.lock", "requirements-dev.lock"):
            shutil.copy(ROOT / name, root)
        python = root / ".venv" / "bin" / "python"
        python.parent.mkdir(parents=True)
        python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
        python.chmod(0o755)
        (root / "config.yaml").write_text("models: {}\n")
        self.environment = {**os.environ, "PYTHONPATH": str(ROOT), "XDG_STATE_HOME": str(root / "state")}
        self.bash("fingerprint >.venv/.installed-dev")

    def bash(self, text: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run a line with environment.sh sourced."""
        return self.run(
            "bash", "-c", f"set -euo pipefail; . '{self.root}/scripts/environment.sh'; {text}", **environment
        )

    def script(self, name: str, *words: str) -> subprocess.CompletedProcess[str]:
        return self.run("bash", "-c", 'cd / && exec "$0" "$@"', str(self.root / "scripts" / name), *words)

    def run(self, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
        env = {**self.environment, **environment}
        return subprocess.run(words, cwd=self.root, env=env, capture_output=True, text=True, check=False)


@pytest.fixture
def checkout(tmp_path: Path) -> Iterator[Checkout]:
    made = Checkout(tmp_path / "a checkout")
    yield made
    made.script("stop-server.sh", "--now")


@pytest.fixture
def port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def test_a_model_is_downloaded_into_the_checkout(checkout: Checkout) -> None:
    with FakeHub({"acme/Tiny-GGUF": Repo({"tiny.gguf": b"GGUF of a kind"})}) as hub:
        checkout.environment |= {"HF_ENDPOINT": hub.url, "HF_HOME": str(checkout.root / "hf"), "LLAMASWAP_MODELS": ""}
        done = checkout.script("download-model.sh", "acme/Tiny-GGUF", "--include", "*.gguf")
    assert done.returncode == 0, done.stderr
    assert (checkout.root / "models" / "Tiny-GGUF" / "tiny.gguf").read_bytes() == b"GGUF of a kind"


def test_the_download_script_explains_itself(checkout: Checkout) -> None:
    assert "OWNER/NAME" in checkout.script("download-model.sh", "--help").stdout
    assert checkout.script("download-model.sh").returncode == 2


def test_a_background_server_answers_when_the_script_returns_and_is_stopped_by_the_other(
    checkout: Checkout, port: int
) -> None:
    started = checkout.script("start-server.sh", "--bg", "--port", str(port))
    assert started.returncode == 0, started.stderr
    assert urllib.request.urlopen(f"http://127.0.0.1:{port}/health").status == 200

    again = checkout.script("start-server.sh", "--bg", f"--port={port}")
    assert again.returncode == 1
    assert f"already runs at http://127.0.0.1:{port}" in again.stderr

    stopped = checkout.script("stop-server.sh")
    assert stopped.returncode == 0
    assert "Stopped the server" in stopped.stderr
    assert not (checkout.root / "llama-swap.pid").exists()
    assert "shutdown complete" in (checkout.root / "llama-swap.log").read_text()


def test_a_server_that_does_not_come_up_is_reported_with_the_end_of_its_log(checkout: Checkout, port: int) -> None:
    (checkout.root / "llama-swap.log").write_text("an old line\n")
    (checkout.root / "config.yaml").write_text("models: [\n")
    started = checkout.script("start-server.sh", "--bg", "--port", str(port))
    assert started.returncode == 1
    assert "did not come up" in started.stderr
    assert "config.yaml:2" in started.stderr
    assert "an old line" not in started.stderr
    assert not (checkout.root / "llama-swap.pid").exists()


def test_a_pid_file_that_names_a_stranger_is_cleared_and_the_stranger_lives(checkout: Checkout) -> None:
    stranger = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    (checkout.root / "llama-swap.pid").write_text(f"{stranger.pid}\nhttp://127.0.0.1:1\n")
    stopped = checkout.script("stop-server.sh")
    assert "no longer a server of ours" in stopped.stderr
    assert stranger.poll() is None
    stranger.communicate(b"\n")
    assert stranger.returncode == 0


@pytest.mark.parametrize("name", ["start-server.sh", "stop-server.sh"])
def test_help_is_printed_without_doing_anything(checkout: Checkout, name: str) -> None:
    shutil.rmtree(checkout.root / ".venv")
    done = checkout.script(name, "--help")
    assert done.returncode == 0
    assert done.stdout.startswith(f"usage: scripts/{name}")
    assert not (checkout.root / ".venv").exists()


@pytest.mark.parametrize("words", [["--port"], ["--listen", "nowhere"], ["--port=eighty"]])
def test_a_port_that_is_none_is_refused_with_an_example(checkout: Checkout, words: list[str]) -> None:
    done = checkout.script("start-server.sh", *words)
    assert done.returncode == 1
    assert "8081" in done.stderr


def test_an_installed_environment_is_left_alone_until_a_lock_changes(checkout: Checkout) -> None:
    assert checkout.bash("is_installed dev && is_installed runtime").returncode == 0
    with (checkout.root / "requirements.lock").open("a") as lock:
        lock.write("# changed\n")
    assert checkout.bash("is_installed dev || is_installed runtime").returncode == 1


def test_no_new_enough_python_is_said_in_a_sentence(checkout: Checkout) -> None:
    done = checkout.bash("rm -rf .venv; environment runtime", LLAMASWAP_PYTHON="no-such-python")
    assert done.returncode == 1
    assert "No Python 3.11 or newer was found at no-such-python." in done.stderr
    assert not (checkout.root / ".venvs" / "turn").exists()


def test_a_python_without_venv_is_said_in_a_sentence(checkout: Checkout) -> None:
    """As Debian ships it: everything works but `import ensurepip`."""
    python = checkout.root / "debian-python"
    python.write_text(
        f'#!/bin/sh\ncase "$2" in *ensurepip*) exit 1 ;; "import sys; print"*) echo "$0"; exit ;; esac\n'
        f'exec "{sys.executable}" "$@"\n'
    )
    python.chmod(0o755)
    path = f"{checkout.root}:/usr/bin:/bin"  # without uv, which would make do
    done = checkout.bash("rm -rf .venv; environment runtime", LLAMASWAP_PYTHON=str(python), PATH=path)
    assert done.returncode == 1
    assert "apt install python3-venv" in done.stderr


def test_what_a_dead_script_left_behind_does_not_hold_up_the_next(checkout: Checkout) -> None:
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    turn = checkout.root / ".venvs" / "turn"
    turn.mkdir(parents=True)
    (turn / "pid").write_text(f"{dead.pid}\n")
    done = checkout.bash("take_turn; end_turn")
    assert done.returncode == 0
    assert not turn.exists()


def test_tests_run_with_the_options_that_were_given(checkout: Checkout) -> None:
    tests = checkout.root / "tests"
    tests.mkdir()
    (tests / "test_one.py").write_text(
        "import os\n\ndef test_profile():\n    assert os.environ['LLAMASWAP_TEST_PROFILE'] == 'deep'\n"
    )
    done = checkout.script("test.sh", "--deep", "-q", "tests/test_one.py")
    assert done.returncode == 0, done.stdout
    assert "1 passed" in done.stdout
