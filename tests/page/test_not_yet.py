"""Who comes while the page is still being built."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from aiohttp import web
from playwright.sync_api import Browser

from llamaswap_py.server.doors import hang
from llamaswap_py.server.guard import guard_of
from llamaswap_py.server.pages import Pages


async def serve(folder: Path, opened: socket.socket, over: threading.Event) -> None:
    app = web.Application()
    hang(app, Pages(folder).doors(), lambda: guard_of((), (), "here"))
    runner = web.AppRunner(app)
    await runner.setup()
    await web.SockSite(runner, opened).start()
    await asyncio.to_thread(over.wait)
    await runner.cleanup()


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    """In a thread with a loop of its own: the browser has this one's."""
    over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as opened:
        thread = threading.Thread(target=lambda: asyncio.run(serve(folder, opened, over)))
        thread.start()
        try:
            yield f"http://127.0.0.1:{opened.getsockname()[1]}"
        finally:
            over.set()
            thread.join()


@pytest.mark.parametrize("address", ["/ui/", "/ui/#/activity"])
def test_the_page_appears_where_it_was_waited_for(chromium: Browser, tmp_path: Path, address: str) -> None:
    with serving(tmp_path) as url, chromium.new_context() as context:
        page = context.new_page()
        page.goto(url + address)
        assert "being built" in page.inner_text("body")
        (tmp_path / "index.html").write_text("<!doctype html><p>here it is</p>")
        page.get_by_text("here it is").wait_for()
        assert page.url == url + address
