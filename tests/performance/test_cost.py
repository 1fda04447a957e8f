"""What a request and an event may cost, in opcodes: counted, not timed, so that no load and no machine changes it.

Where they go: `python -m tests.performance.opcodes requests --functions 40`, or `events`. A bound is some 15 % above
what was measured when it was set; whoever makes the path cheaper lowers it."""

from __future__ import annotations

import sys

import pytest

from tests.performance.opcodes import measure

# Of CPython 3.11. Later ones take fewer for the same work.
MOST = {"requests": 7650, "events": 280}

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the trace is turned on by a signal")


@pytest.mark.parametrize(("kind", "count"), [("requests", 100), ("events", 400)])
def test_the_path_costs_no_more_than_it_did(kind: str, count: int) -> None:
    """With records, captures, usage, the access line and request ids, as everybody has them."""
    cost = measure(kind, count)
    assert 0 < cost.opcodes <= MOST[kind], "\n".join(map(str, cost.functions[:30]))
