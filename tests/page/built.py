"""The page, built once for all tests of it: a test that needs it asks for it here."""

from __future__ import annotations

import functools

import pytest

from llamaswap_py.ui import building


@functools.cache
def built_page() -> None:
    """Skips where what builds it cannot be had, and says why; sources that cannot be built fail. Of many processes one
    builds."""
    try:
        building.prepared()
    except building.NotBuilt as reason:
        pytest.skip(str(reason))
    building.build()
