"""Each house rule catches its breach, and this checkout has none."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.house import rules

ROOT = Path(__file__).parents[2]
BREACHES = [
    ("llamaswap_py/loose/thing.py", "x = 1", "has no __init__.py"),
    ("llamaswap_py/wire/__init__.py", "from llamaswap_py.wire import sse", "is not empty"),
    ("llamaswap_py/wire/_hidden.py", "", "underscore"),
    ("llamaswap_py/wire/byte_utils.py", "", "'utils' does not say"),
    ("llamaswap_py/config/base/__init__.py", "", "'base' does not say"),
    ("llamaswap_py/config/late.py", "text = open('x').read()", "open() in a pure room"),
    ("llamaswap_py/errors.py", "print(1)", "print() in a pure room"),
    ("llamaswap_py/schedule/clock.py", "import datetime\nnow = datetime.datetime.now()", "datetime.datetime.now()"),
    ("llamaswap_py/schedule/wait.py", "async def f(): ...", "a pure room does not wait"),
    ("llamaswap_py/runtime/loose.py", "def f(loop): loop.create_task(g())", "outside runtime/tasks.py"),
    ("llamaswap_py/runtime/posix.py", "import fcntl", "Windows has no fcntl"),
    ("llamaswap_py/runtime/posix.py", "from socket import AF_UNIX", "Windows has no AF_UNIX"),
    ("llamaswap_py/runtime/posix.py", "import signal\nx = [signal.SIGKILL]", "Windows has no signal.SIGKILL"),
    ("llamaswap_py/runtime/posix.py", "import os\ndef f(x=os.WNOHANG): pass", "Windows has no os.WNOHANG"),
    ("tests/wire/test_slow.py", "import time\ntime.sleep(1)", "time.sleep() in a test"),
    ("tests/wire/test_mock.py", "from unittest.mock import Mock", "never mocked"),
    ("tests/wire/test_mock.py", "import unittest.mock", "never mocked"),
    ("tests/wire/test_patch.py", "def test_x(monkeypatch): monkeypatch.setattr('a.b', 1)", "hand the thing in"),
    ("docs/install.md", f"pip install --index https://{rules.REGISTRIES[0]}/simple", "chooses the registry"),
    ("requirements.lock", "--index-url x", "versions and hashes only"),
    ("requirements.lock", "thing @ git", "versions and hashes only"),
    ("llamaswap_py/wire/tall.py", "x = 1\n" * 401, "401 file lines"),
]


def small_tree(root: Path) -> Path:
    for folder in ("llamaswap_py", "llamaswap_py/wire", "llamaswap_py/runtime", "llamaswap_py/schedule", "tests"):
        (root / folder).mkdir()
        (root / folder / "__init__.py").touch()
    (root / "llamaswap_py/runtime/tasks.py").write_text("import asyncio\nasyncio.create_task(None)\n")
    return root


def test_a_tree_without_a_breach_passes(tmp_path: Path) -> None:
    assert rules.main(small_tree(tmp_path)) == 0


@pytest.mark.parametrize(
    "text",
    [
        "def f():\n    import fcntl\n    return fcntl",
        "import sys\nif sys.platform != 'win32':\n    import fcntl",
        "from __future__ import annotations\nimport signal\ndef f(x: signal.SIGKILL) -> signal.SIGKILL: pass",
    ],
)
def test_what_windows_lacks_may_stand_where_it_does_not_run(tmp_path: Path, text: str) -> None:
    (small_tree(tmp_path) / "llamaswap_py/runtime/posix.py").write_text(text)
    assert rules.main(tmp_path) == 0


@pytest.mark.parametrize(("place", "text", "said"), BREACHES)
def test_a_breach_fails_the_check(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], place: str, text: str, said: str
) -> None:
    path = small_tree(tmp_path) / place
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".py" and said != "has no __init__.py":
        (path.parent / "__init__.py").touch()
    path.write_text(text)
    assert rules.main(tmp_path) == 1
    assert said in capsys.readouterr().out


@pytest.mark.parametrize("rule", rules.RULES, ids=lambda rule: rule.__name__)
def test_this_checkout_keeps_the_rule(rule: Callable[[Path], rules.Breaches]) -> None:
    assert list(rule(ROOT)) == []
