"""What pages cost the streams beside them."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.whole.events_cost import beside
from tests.whole.program import Program, config, model


@pytest.mark.fault("S55", "F23")
def test_pages_that_stop_reading_hold_up_no_stream(tmp_path: Path) -> None:
    """Two hundred streams beside five of them: all whole, at most twice the processor time (the table of requests is
    told to all pages at once), and no more memory than the backlogs."""
    with Program(tmp_path, config(model("one")), watch=False) as program:
        asyncio.run(beside(program, reads=False, pages=0))  # warm
        alone = asyncio.run(beside(program, reads=False, pages=0))
        watched = asyncio.run(beside(program, reads=False, pages=5))
    assert watched.cpu < 2 * alone.cpu + 0.2
    assert watched.memory - alone.memory < 10 * 2**20
