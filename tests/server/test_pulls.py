"""What a request for a download may say."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from llamaswap_py.errors import BadRequest
from llamaswap_py.library.pull.names import Wish
from llamaswap_py.server.pulls import wanted


@pytest.mark.parametrize(
    ("asked", "wish"),
    [
        ({"repo": "a/b"}, Wish("a/b")),
        ({"repo": "a/b:Q8_0", "include": None, "quant": None, "revision": None}, Wish("a/b", quant="Q8_0")),
        ({"repo": "a/b", "include": "*.gguf"}, Wish("a/b", ("*.gguf",))),
        (
            {"repo": "a/b", "include": ["x", "y"], "quant": "Q4_0", "revision": "v1", "mmproj": False},
            Wish("a/b", ("x", "y"), "Q4_0", "v1", mmproj=False),
        ),
    ],
)
def test_a_wish_is_read(asked: dict[str, Any], wish: Wish) -> None:
    assert wanted(json.dumps(asked).encode()) == wish


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff",
        b"[]",
        b"{}",
        b'{"repo": 1}',
        b'{"repo": "../x"}',
        b'{"repo": "a/b", "dir": "/etc"}',
        b'{"repo": "a/b", "include": [1]}',
        b'{"repo": "a/b", "include": [""]}',
        b'{"repo": "a/b", "include": {}}',
        b'{"repo": "a/b", "quant": 4}',
        b'{"repo": "a/b", "revision": ["x"]}',
    ],
)
def test_what_is_no_wish_is_refused(body: bytes) -> None:
    with pytest.raises(BadRequest):
        wanted(body)


def test_the_running_program_carries_no_network_library_for_downloads() -> None:
    code = "import sys, llamaswap_py.daemon.program; print({'huggingface_hub', 'httpx2'} & set(sys.modules))"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "set()"
