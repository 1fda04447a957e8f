"""The browser of the tests here: one per process, a context of its own per look."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.page import browser
from tests.page.built import built_page
from tests.untraced import programs_untraced

__all__ = ["chromium", "programs_untraced"]


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    """It ends with the last test of this folder, so that tests elsewhere may have a loop of their own."""
    built_page()
    with browser.started() as running:
        yield running
