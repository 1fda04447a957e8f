"""The program is there soon after it was started."""

from __future__ import annotations

import sys

import pytest

from tests.whole.startup_time import measure

if sys.platform == "win32":
    pytest.skip("measured as Unix tells what a process took", allow_module_level=True)


def test_no_start_takes_twice_what_it_takes_now() -> None:
    """The promise is twice the import of aiohttp's server, and 0.6 of it for --version (scripts/startup-time.sh); the
    best of several is compared, and a busy machine gets some air: 1.5 and 0.35 were measured when this was written."""
    found = measure(rounds=4)
    best = {name: min(took.wall for took in each) for name, each in found.items()}
    assert best["--version"] < 0.8 * best["reference"]
    assert best["1 model"] < 3 * best["reference"]
    assert best["100 models"] < 3 * best["reference"]
    assert best["1000 models"] < 1.4 * best["1 model"]  # 1.2 is the promise, 1.13 were measured
