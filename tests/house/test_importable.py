"""Every module can be imported alone, first, in a fresh interpreter, without a warning and without side effects."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.untraced import TRACES

ROOT = Path(__file__).parents[2]

# Where processes can be forked, one interpreter forks once per module: fresh each time, and many times faster. What
# others wrote is there before: imported anew for each module it would take most of the time.
ALONE = """
import os, sys, importlib
import aiohttp.web, httpx, msgspec, structlog, watchfiles, yaml
assert not [name for name in sys.modules if name.startswith("llamaswap_py")]
broken = []
for name in sys.argv[1:]:
    child = os.fork()
    if child == 0:
        try:
            importlib.import_module(name)
        except BaseException:
            import traceback
            traceback.print_exc()
            os._exit(1)
        os._exit(3 if "pytest" in sys.modules else 0)
    if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]):
        broken.append(name)
sys.exit("not importable alone: " + ", ".join(broken) if broken else 0)
"""


def names() -> list[str]:
    paths = sorted((ROOT / "llamaswap_py").rglob("*.py"))
    dotted = [".".join(path.relative_to(ROOT).with_suffix("").parts) for path in paths]
    return [name.removesuffix(".__init__") for name in dotted]


def run(*words: str) -> str:
    command = [sys.executable, "-W", "error", *words]
    env = {name: value for name, value in os.environ.items() if name != TRACES}
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def test_every_module_is_importable_alone_and_says_nothing() -> None:
    if sys.platform == "win32":  # no fork there: slower, and as strict
        assert [run("-c", f"import {name}") for name in names()] == [""] * len(names())
    else:
        assert run("-c", ALONE, *names()) == ""
