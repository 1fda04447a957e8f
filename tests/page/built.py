"""The page, built once for all tests of it: a test that needs it asks for it here."""

from __future__ import annotations

import functools

import pytest

from llamaswap_py.ui import building


@functools.cache
def built_page() -> None:
    """Skips where it cannot be built, and says why; of many processes one builds."""
    try:
        building.build()
    except building.NotBuilt as reason:
        pytest.skip(str(reason))
