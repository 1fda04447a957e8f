"""Programs whose lines nobody counts: one that is traced takes twice as long to start, and hundreds are started."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

TRACES = "COVERAGE_PROCESS_CONFIG"  # by which coverage finds its way into programs that tests start


@pytest.fixture(scope="module", autouse=True)
def untraced() -> Iterator[None]:
    """For tests of what other tests have walked through already."""
    kept = os.environ.pop(TRACES, None)
    yield
    if kept is not None:
        os.environ[TRACES] = kept
