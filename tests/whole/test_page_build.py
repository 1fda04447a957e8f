"""A start from a clone: the page is built behind the serving proxy, or the page says why it cannot be."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import httpx
import pytest

from llamaswap_py.ui import building
from tests.page.built import built_page
from tests.whole.program import LONG, ROOT, Program

if sys.platform == "win32":
    pytest.skip("paths are those of Unix", allow_module_level=True)

MADE = shutil.ignore_patterns("node_modules", "built", ".work", "__pycache__", "demo")


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    shutil.copytree(ROOT / "llamaswap_py", tmp_path / "clone" / "llamaswap_py", ignore=MADE)
    return tmp_path / "clone"


PATIENTLY = 200.0  # it is built when nobody else wants the processor


def beside(clone: Path, folder: Path, env: dict[str, str]) -> Program:
    program = Program(folder, "models: {}\n", env={"LLAMASWAP_BUILD_PAGE": "", "PYTHONPATH": str(clone), **env})
    program.folder = clone
    return program


def test_the_page_appears_behind_the_serving_proxy(clone: Path, tmp_path: Path) -> None:
    """With libraries that are there already: fetching them anew would only test the registry."""
    built_page()
    (clone / "llamaswap_py" / "ui" / "node_modules").symlink_to(building.HERE / "node_modules")
    with beside(clone, tmp_path, {}) as program:
        program.wait_for("building the page behind the running server")
        program.wait_for("the page is built, in", within=PATIENTLY)
        late = httpx.get(f"{program.url}/ui/", trust_env=False, timeout=LONG)
    assert "assets/index-" in late.text
    assert (clone / "llamaswap_py" / "ui" / "built" / "licences.txt").is_file()


def test_without_node_and_registry_it_serves_and_says_what_to_do(clone: Path, tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    env = {
        "PATH": str(tmp_path / "bin"),
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": str(tmp_path),
    }
    with beside(clone, tmp_path, env) as program:
        program.wait_for("building the page behind the running server")
        program.wait_for("The page could not be built", within=PATIENTLY)
        page = httpx.get(f"{program.url}/ui/", trust_env=False, timeout=LONG)
        assert httpx.get(f"{program.url}/health", trust_env=False, timeout=LONG).text == "OK"
    assert "Install Node.js 20.19 or newer" in page.text
    assert "refresh" not in page.text
