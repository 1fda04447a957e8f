"""Where nobody need count the lines that run: it makes them several times as long, and the start of a program twice."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

TRACES = "COVERAGE_PROCESS_CONFIG"  # by which coverage finds its way into programs that tests start


@contextmanager
def untraced() -> Iterator[None]:
    """What is called here."""
    tracer = sys.gettrace()
    sys.settrace(None)
    try:
        yield
    finally:
        sys.settrace(tracer)


@pytest.fixture(scope="module", autouse=True)
def programs_untraced() -> Iterator[None]:
    """For tests that lead programs where other tests have led them already."""
    kept = os.environ.pop(TRACES, None)
    yield
    if kept is not None:
        os.environ[TRACES] = kept
