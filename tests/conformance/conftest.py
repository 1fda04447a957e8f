"""Markers, the list of what is pending, and a client of the module's own `program`."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from tests.conformance.pending import PENDING
from tests.whole.asking import caller
from tests.whole.program import Program


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers", "differs(name): here we differ on purpose, as docs/moving-from-llama-swap.md says"
    )


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What is pending must fail; `strict` makes it fail the suite once it does not."""
    for item in items:
        folder, _, case = item.nodeid.partition("tests/conformance/")
        reason = PENDING.get(case) or PENDING.get(case.partition("[")[0])
        if not folder and reason:
            item.add_marker(pytest.mark.xfail(reason=reason, strict=True))


@pytest.fixture
def ask(program: Program) -> Iterator[httpx.Client]:
    with caller(program) as client:
        yield client
