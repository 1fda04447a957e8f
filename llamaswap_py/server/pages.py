"""The page at `/ui/`: the files that `llamaswap_py.ui` was built into, and what is said while there are none."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import html
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

import msgspec
from aiohttp import hdrs, web

from llamaswap_py.errors import NoSuchRoute
from llamaswap_py.server.doors import Door, Kind
from llamaswap_py.ui.building import BUILT

KINDS = {
    ".html": "text/html",
    ".js": "text/javascript",
    ".css": "text/css",
    ".svg": "image/svg+xml",
    ".txt": "text/plain",
    ".woff2": "font/woff2",
}
CODINGS = (("br", ".br"), ("gzip", ".gz"))  # the better one first
HASHED = "assets/"  # what is there has a name of its own for each content


def digest(script: str) -> str:
    """By which a policy lets one script pass that stands in the page."""
    return f"sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}"


# Nothing from elsewhere, and in nobody's frame. Styles may be set by scripts (the editor's are), scripts by nobody.
# What a person puts into a conversation is shown from memory (blob:, data:).
POLICY = (
    "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'self' 'unsafe-inline';"
    " img-src 'self' data: blob:; media-src 'self' data: blob:; font-src 'self'; base-uri 'none'; form-action 'none';"
    " frame-ancestors 'none'"
)
HEADERS = {"Content-Security-Policy": POLICY, "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"}
# A page that is not there yet is looked for again by itself. A refresh by <meta> stays where it is at an address with a
# fragment, which most of the page's own have.
AGAIN = "setTimeout(() => location.reload(), 2000)"
WAITING_POLICY = POLICY.replace("script-src 'self'", f"script-src '{digest(AGAIN)}'")

NOT_YET = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark"><title>llamaswap</title>{again}
<style>
body{{font:1rem/1.5 system-ui,sans-serif;max-width:40rem;margin:15vh auto;padding:0 1rem;overflow-wrap:anywhere}}
</style>
</head><body><h1>llamaswap</h1><p>{word}</p>
<p>The server itself works: <a href="../v1/models">models</a>, <a href="../running">what runs</a>,
<a href="../logs/stream?no-follow">log</a>.</p></body></html>
"""
BUILDING = "The page is being built, once, from its sources. It takes about half a minute and appears here by itself."


class Copy(msgspec.Struct, frozen=True):
    """One way in which a file is sent."""

    path: Path
    coding: str  # "" for the file itself


class Shelf:
    """Which files there are. A page that was built anew is found by its index."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.mark = (0, 0)
        self.names: frozenset[str] = frozenset()

    def look(self) -> None:
        try:
            told = (self.folder / "index.html").stat()
        except OSError:
            self.mark, self.names = (0, 0), frozenset()
            return
        mark = (told.st_mtime_ns, told.st_ino)
        if mark != self.mark:
            found = [path.relative_to(self.folder).as_posix() for path in self.folder.rglob("*") if path.is_file()]
            self.mark, self.names = mark, frozenset(found)

    def copy(self, name: str, accepted: str) -> Copy:
        for coding, suffix in CODINGS:
            if coding in accepted and name + suffix in self.names:
                return Copy(self.folder / (name + suffix), coding)
        return Copy(self.folder / name, "")

    def sent(self, name: str, accepted: str) -> tuple[bytes, str, str] | None:
        """The content, its coding and its tag; None where there is no such file. For a thread: it reads."""
        self.look()
        if name not in self.names or Path(name).suffix not in KINDS:
            return None
        copy = self.copy(name, accepted)
        told = copy.path.stat()
        return copy.path.read_bytes(), copy.coding, f'"{told.st_mtime_ns:x}-{told.st_size:x}"'


class Pages:
    """`trouble` is why the page is not there and will not come, where that is so: a sentence."""

    def __init__(self, folder: Path = BUILT) -> None:
        self.shelf = Shelf(folder)
        self.trouble = ""

    def doors(self) -> list[Door]:
        return [
            Door("GET", "/ui", Kind.CONTROL, self.move),
            Door("GET", "/ui/{name:.*}", Kind.CONTROL, self.serve),
        ]

    async def move(self, request: web.Request) -> web.Response:
        """Relative, so that it also holds under a sub-path."""
        return web.Response(status=302, headers={"Location": "ui/"})

    async def serve(self, request: web.Request) -> web.Response:
        """A name that is no file is one of the page's own addresses, unless it looks like a file."""
        name = request.match_info["name"] or "index.html"
        accepted = request.headers.get(hdrs.ACCEPT_ENCODING, "").lower()
        found = await asyncio.to_thread(self.shelf.sent, name, accepted)
        if found is not None:
            return answer(name, found, request.headers)
        if name == "index.html":
            return self.not_yet()
        if "." in name.rpartition("/")[2]:
            raise NoSuchRoute(f"there is no /ui/{name} here")
        return web.Response(status=302, headers={"Location": "../" * name.count("/") + "./#/" + quote(name)})

    def not_yet(self) -> web.Response:
        again = "" if self.trouble else f"<script>{AGAIN}</script>"
        text = NOT_YET.format(word=html.escape(self.trouble or BUILDING), again=again)
        headers = {**HEADERS, "Content-Security-Policy": WAITING_POLICY, "Cache-Control": "no-store"}
        return web.Response(text=text, content_type="text/html", headers=headers)


def answer(name: str, found: tuple[bytes, str, str], asked: Mapping[str, str]) -> web.Response:
    content, coding, tag = found
    headers = {
        **HEADERS,
        "Cache-Control": "public, max-age=31536000, immutable" if name.startswith(HASHED) else "no-cache",
        "Vary": "Accept-Encoding",
        "ETag": tag,
    }
    if tag in asked.get("If-None-Match", ""):
        return web.Response(status=304, headers=headers)
    if coding:
        headers["Content-Encoding"] = coding
    return web.Response(body=content, content_type=KINDS[Path(name).suffix], charset="utf-8", headers=headers)
