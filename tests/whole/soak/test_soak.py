"""A short soak, always with the same troubles. The long one is scripts/soak.sh."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.whole.soak.soak import Soak


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="it looks at processes through /proc")
@pytest.mark.fault("O78")
async def test_no_promise_is_broken_while_things_go_wrong(tmp_path: Path) -> None:
    """Twelve callers, something broken every second: each of them is answered or told why, and nothing is left."""
    said: list[str] = []
    verdict = await Soak(tmp_path, seed=7, seconds=20.0, say=said.append).run()
    told = "\n".join([*said, *verdict.said, *verdict.events])
    assert verdict.breaches == [], told
    assert verdict.requests > 50, told
    assert sum(verdict.troubles.values()) > 5, told
