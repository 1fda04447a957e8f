"""A room imports only rooms below it, and everything has a place: breaches fail the check."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BREACHES = {
    "an unplaced room": ("llamaswap_py/telepathy/__init__.py", "", "telepathy"),
    "an unplaced file": ("llamaswap_py/telepathy.py", "", "telepathy"),
    "an import upwards": ("llamaswap_py/wire/up.py", "from llamaswap_py.schedule import facts", "wire.up"),
    "an import sideways": ("llamaswap_py/wire/side.py", "from llamaswap_py.config import values", "wire.side"),
    "a clock in a pure room": ("llamaswap_py/schedule/late.py", "import time", "schedule.late"),
    "a library in the keeper": ("llamaswap_py/keeper/heavy.py", "import aiohttp", "keeper.heavy"),
}


def lint(root: Path) -> subprocess.CompletedProcess[str]:
    program = Path(sys.executable).with_name("lint-imports")
    return subprocess.run([program, "--no-cache"], cwd=root, capture_output=True, text=True, check=False)


def copy(root: Path) -> Path:
    shutil.copy(ROOT / "pyproject.toml", root)
    shutil.copytree(ROOT / "llamaswap_py", root / "llamaswap_py", ignore=shutil.ignore_patterns("__pycache__"))
    return root


def test_this_checkout_keeps_the_order(tmp_path: Path) -> None:
    done = lint(copy(tmp_path))
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", BREACHES)
def test_a_breach_fails_the_check(tmp_path: Path, name: str) -> None:
    place, text, said = BREACHES[name]
    path = copy(tmp_path) / place
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    done = lint(tmp_path)
    assert done.returncode != 0
    assert said in done.stdout + done.stderr
