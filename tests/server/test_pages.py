"""The page: where it is, how it is sent, that nothing of it comes from elsewhere, and what is there before it is."""

from __future__ import annotations

import gzip
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from llamaswap_py.server.face import Face
from llamaswap_py.server.guard import guard_of
from llamaswap_py.server.listen import open_sockets, parse
from llamaswap_py.server.pages import AGAIN, Pages, digest

SCRIPT = b"console.log(1)"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    built = tmp_path / "built"
    (built / "assets").mkdir(parents=True)
    (built / "index.html").write_bytes(b"<!doctype html><p>page</p>")
    (built / "assets" / "index-1a.js").write_bytes(SCRIPT)
    (built / "assets" / "index-1a.js.gz").write_bytes(gzip.compress(SCRIPT))
    (built / "assets" / "index-1a.js.br").write_bytes(b"brotli")
    (built / "made-from").write_text("stamp")
    return built


@asynccontextmanager
async def caller(pages: Pages, *keys: str) -> AsyncIterator[httpx.AsyncClient]:
    guard = guard_of(keys, [], "box")
    face = Face(pages.doors(), lambda: guard)
    sockets = open_sockets(parse("127.0.0.1:0"))
    await face.open(sockets)
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{sockets[0].getsockname()[1]}") as client:
            yield client
    finally:
        face.stop_listening()
        await face.close()


async def test_the_page_is_under_ui(folder: Path) -> None:
    async with caller(Pages(folder)) as client:
        moved = await client.get("/ui")
        page = await client.get("/ui/")
        script = await client.get("/ui/assets/index-1a.js", headers={"Accept-Encoding": "identity"})
    assert (moved.status_code, moved.headers["Location"]) == (302, "ui/")
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert page.text == "<!doctype html><p>page</p>"
    assert script.headers["Content-Type"] == "text/javascript; charset=utf-8"
    assert script.content == SCRIPT


@pytest.mark.parametrize(
    ("path", "to"),
    [
        ("/ui/models", "./#/models"),
        ("/ui/models/a", ".././#/models/a"),
        ("/ui/logs/a/b", "../.././#/logs/a/b"),
    ],
)
async def test_a_path_leads_to_the_view_of_that_name(folder: Path, path: str, to: str) -> None:
    async with caller(Pages(folder)) as client:
        moved = await client.get(path)
    assert (moved.status_code, moved.headers["Location"]) == (302, to)
    assert httpx.URL(f"http://box{path}").join(to).path == "/ui/"


@pytest.mark.parametrize(
    "path", ["/ui/nothing.js", "/ui/../guard.py", "/ui/%2e%2e/guard.py", "/ui/assets/index-1a.js.br", "/ui/assets/.x"]
)
async def test_no_other_file_is_served(folder: Path, path: str) -> None:
    async with caller(Pages(folder)) as client:
        assert (await client.get(path)).status_code == 404


@pytest.mark.parametrize(
    ("accepted", "coding", "length"),
    [("gzip, deflate, br", "br", 6), ("gzip", "gzip", len(gzip.compress(SCRIPT))), ("identity", None, len(SCRIPT))],
)
async def test_the_smallest_copy_that_the_browser_takes_is_sent(
    folder: Path, accepted: str, coding: str | None, length: int
) -> None:
    async with caller(Pages(folder)) as client:
        # HEAD: nothing has to be unpacked to see what would be sent
        answer = await client.head("/ui/assets/index-1a.js", headers={"Accept-Encoding": accepted})
    assert answer.headers.get("Content-Encoding") == coding
    assert int(answer.headers["Content-Length"]) == length
    assert answer.headers["Vary"] == "Accept-Encoding"


async def test_what_has_a_name_for_each_content_is_kept_and_the_index_is_asked_for(folder: Path) -> None:
    async with caller(Pages(folder)) as client:
        page = await client.get("/ui/")
        script = await client.get("/ui/assets/index-1a.js", headers={"Accept-Encoding": "gzip"})
    assert page.headers["Cache-Control"] == "no-cache"
    assert "immutable" in script.headers["Cache-Control"]


async def test_an_unchanged_page_is_not_sent_again(folder: Path) -> None:
    async with caller(Pages(folder)) as client:
        tag = (await client.get("/ui/")).headers["ETag"]
        again = await client.get("/ui/", headers={"If-None-Match": tag})
    assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", tag)


async def test_keys_close_the_page_too(folder: Path) -> None:
    async with caller(Pages(folder), "key") as client:
        assert (await client.get("/ui/")).status_code == 401
        assert (await client.get("/ui/", auth=("anybody", "key"))).status_code == 200


async def test_the_browser_is_told_to_take_nothing_from_elsewhere(folder: Path) -> None:
    async with caller(Pages(folder)) as client:
        policy = (await client.get("/ui/")).headers["Content-Security-Policy"]
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules["default-src"] == "'none'"
    assert rules["script-src"] == rules["connect-src"] == "'self'"
    assert rules["frame-ancestors"] == "'none'"
    assert "http" not in policy


async def test_before_the_page_is_built_it_says_so_and_looks_again_by_itself(folder: Path) -> None:
    nowhere = folder.parent / "nowhere"
    async with caller(Pages(nowhere)) as client:
        early = await client.get("/ui/")
        shutil.move(folder, nowhere)
        there = await client.get("/ui/")
    assert (early.status_code, early.headers["Cache-Control"]) == (200, "no-store")
    assert f"<script>{AGAIN}</script>" in early.text
    assert f"script-src '{digest(AGAIN)}'" in early.headers["Content-Security-Policy"]
    assert "being built" in early.text
    assert there.text == "<!doctype html><p>page</p>"


async def test_where_it_cannot_be_built_the_page_says_why_and_does_not_look_again(tmp_path: Path) -> None:
    pages = Pages(tmp_path)
    pages.trouble = "No <Node> here."
    async with caller(pages) as client:
        page = await client.get("/ui/")
    assert "No &lt;Node&gt; here." in page.text
    assert "refresh" not in page.text
    assert "../v1/models" in page.text


async def test_a_page_that_was_built_anew_is_seen_without_a_restart(folder: Path) -> None:
    pages = Pages(folder)
    async with caller(pages) as client:
        await client.get("/ui/")
        fresh = folder / "index.new"
        fresh.write_text("<p>newer</p>")
        (folder / "assets" / "index-2b.js").write_bytes(SCRIPT)
        fresh.replace(folder / "index.html")
        page = await client.get("/ui/")
        script = await client.get("/ui/assets/index-2b.js")
    assert page.text == "<p>newer</p>"
    assert script.status_code == 200
