"""The page: where it is, that nothing of it comes from elsewhere, and that it is sent once."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest

from llamaswap_py.server.face import Face
from llamaswap_py.server.guard import guard_of
from llamaswap_py.server.listen import open_sockets, parse
from llamaswap_py.server.pages import FOLDER, Pages


@asynccontextmanager
async def caller(*keys: str) -> AsyncIterator[httpx.AsyncClient]:
    guard = guard_of(keys, [], "box")
    face = Face(Pages().doors(), lambda: guard)
    sockets = open_sockets(parse("127.0.0.1:0"))
    await face.open(sockets)
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{sockets[0].getsockname()[1]}") as client:
            yield client
    finally:
        face.stop_listening()
        await face.close()


async def test_the_page_is_under_ui() -> None:
    async with caller() as client:
        moved = await client.get("/ui")
        page = await client.get("/ui/")
        module = await client.get("/ui/page.js")
        own = await client.get("/ui/models")
    assert (moved.status_code, moved.headers["Location"]) == (302, "ui/")
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert module.headers["Content-Type"] == "text/javascript; charset=utf-8"
    assert page.content == own.content == (FOLDER / "index.html").read_bytes()


@pytest.mark.parametrize(("path", "to"), [("/ui/models/a", "../"), ("/ui/a/b/c", "../../")])
async def test_deeper_addresses_lead_back_to_it(path: str, to: str) -> None:
    async with caller() as client:
        moved = await client.get(path)
    assert (moved.status_code, moved.headers["Location"]) == (302, to)


@pytest.mark.parametrize("path", ["/ui/nothing.js", "/ui/../guard.py", "/ui/%2e%2e/guard.py"])
async def test_no_other_file_is_served(path: str) -> None:
    async with caller() as client:
        assert (await client.get(path)).status_code == 404


async def test_an_unchanged_page_is_not_sent_again() -> None:
    async with caller() as client:
        tag = (await client.get("/ui/")).headers["ETag"]
        again = await client.get("/ui/", headers={"If-None-Match": tag})
    assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", tag)


async def test_keys_close_the_page_too() -> None:
    async with caller("key") as client:
        assert (await client.get("/ui/")).status_code == 401
        assert (await client.get("/ui/", auth=("anybody", "key"))).status_code == 200


async def test_the_browser_is_told_to_take_nothing_from_elsewhere() -> None:
    async with caller() as client:
        policy = (await client.get("/ui/")).headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy


@pytest.mark.parametrize("name", ["index.html", "page.js"])
def test_the_page_names_no_other_host(name: str) -> None:
    assert not re.search(r"https?://|//\w+\.\w+", (FOLDER / name).read_text())


def test_every_part_the_module_looks_for_is_in_the_page() -> None:
    wanted = set(re.findall(r'\$\("([\w-]+)"\)', (FOLDER / "page.js").read_text()))
    there = set(re.findall(r'id="([\w-]+)"', (FOLDER / "index.html").read_text()))
    assert wanted <= there
