"""What `pip install` of the built wheel gives somebody who has nothing else: a program whose first answer works."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import httpx
import pytest

from tests.page.built import built_page
from tests.whole.program import LONG, ROOT, Program

pytest.importorskip("xllamacpp", reason="the engine's library is not installed on this platform")
if sys.platform == "win32":
    pytest.skip("signals and paths are those of Unix", allow_module_level=True)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    built_page()  # skips where neither Node.js nor a registry is within reach
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, timeout=LONG)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The `bin` of an environment that has the wheel.

    What it depends on is lent by the environment the tests run in: fetching that anew would only test the registry. The
    lent folder comes last, and brings no checkout: a .pth in it is not read.
    """
    home = tmp_path_factory.mktemp("environment") / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", home], check=True, timeout=LONG)
    python = home / "bin" / "python"
    where = [str(python), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]
    packages = Path(subprocess.run(where, check=True, capture_output=True, text=True, timeout=LONG).stdout.strip())
    install(wheel, python)
    (packages / "lent.pth").write_text("\n".join({sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}))
    return python.parent


def install(wheel: Path, python: Path) -> None:
    plain = ["--no-deps", "--no-index", "--quiet", str(wheel)]
    if shutil.which("uv"):
        subprocess.run(["uv", "pip", "install", "--python", str(python), *plain], check=True, timeout=LONG)
    else:
        command = [
            sys.executable,
            "-m",
            "pip",
            "--python",
            str(python),
            "install",
            "--disable-pip-version-check",
            *plain,
        ]
        subprocess.run(command, check=True, timeout=LONG)


def test_the_wheel_has_the_model_and_its_card(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert {"llamaswap_py/demo/demo.gguf", "llamaswap_py/demo/README.md", "llamaswap_py/py.typed"} <= set(names)
    assert [name for name in names if name.startswith(("tests", "scripts"))] == []


def test_the_wheel_has_the_built_page_with_its_notices_and_not_what_it_is_made_of(wheel: Path) -> None:
    names = [name for name in zipfile.ZipFile(wheel).namelist() if name.startswith("llamaswap_py/ui/")]
    outside = {name for name in names if not name.startswith("llamaswap_py/ui/built/")}
    assert outside == {"llamaswap_py/ui/__init__.py", "llamaswap_py/ui/building.py"}
    assert {"llamaswap_py/ui/built/index.html", "llamaswap_py/ui/built/licences.txt"} <= set(names)
    assert any(name.endswith(".js.br") for name in names)


def test_in_an_empty_folder_the_installed_program_answers(installed: Path, tmp_path: Path) -> None:
    """No configuration, no llama-server, no checkout: `llamaswap`, then one request."""
    ours = ("COVERAGE", "HF_", "LLAMASWAP", "OLLAMA", "PYTHONPATH", "XDG_")
    unset = {name: "" for name in os.environ if name.startswith(ours)}
    env = {**unset, "PATH": f"{installed}:/usr/bin:/bin", "LLAMA_SERVER": "", "HOME": str(tmp_path)}
    body = {"model": "demo", "messages": [{"role": "user", "content": "Who are you?"}], "temperature": 0}
    program = Program(tmp_path, None, watch=False, env=env)
    program.command = (str(installed / "llamaswap"),)
    with program:
        answer = httpx.post(f"{program.url}/v1/chat/completions", json=body, timeout=LONG, trust_env=False)
        page = httpx.get(f"{program.url}/ui/", timeout=LONG, trust_env=False)
    assert "assets/index-" in page.text
    assert answer.status_code == 200
    assert "demonstration model of llamaswap_py" in answer.json()["choices"][0]["message"]["content"]
