"""The page behind the serving program: whether it is built, what the log says, and what the page says meanwhile."""

from __future__ import annotations

import asyncio

import pytest

from llamaswap_py.daemon import page
from llamaswap_py.server.pages import Pages
from tests.page.built import built_page


@pytest.mark.parametrize("word", ["no", "off", "0", "False"])
async def test_whoever_switches_it_off_is_told_how_to_build_it(word: str) -> None:
    pages = Pages()
    await page.keep(pages, {"LLAMASWAP_BUILD_PAGE": word})
    assert "python -m llamaswap_py.ui.building" in pages.trouble


async def test_a_page_that_is_up_to_date_is_left_alone() -> None:
    await asyncio.to_thread(built_page)
    pages = Pages()
    await page.keep(pages, {})
    assert pages.trouble == ""
