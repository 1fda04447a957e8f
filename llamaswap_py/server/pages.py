"""The page at `/ui/`: its two files, as they lie in the folder `page`."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

from llamaswap_py.errors import NoSuchRoute
from llamaswap_py.server.doors import Door, Kind

FOLDER = Path(__file__).parent / "page"
KINDS = {".html": "text/html", ".js": "text/javascript"}
STYLE = re.compile(r"<style>(.*?)</style>", re.DOTALL)


@dataclass(frozen=True, slots=True)
class File:
    content: bytes
    kind: str
    tag: str


def read(path: Path) -> File:
    content = path.read_bytes()
    return File(content, KINDS[path.suffix], hashlib.sha256(content).hexdigest()[:32])


def policy(page: str) -> str:
    """Nothing from elsewhere, no scripts but the module, no styles but the page's own, in nobody's frame."""
    styles = [base64.b64encode(hashlib.sha256(style.encode()).digest()).decode() for style in STYLE.findall(page)]
    allowed = " ".join(f"'sha256-{style}'" for style in styles)
    return (
        f"default-src 'none'; script-src 'self'; connect-src 'self'; img-src 'self' data:; style-src {allowed};"
        " base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


class Pages:
    def __init__(self) -> None:
        self.files = {path.name: read(path) for path in FOLDER.iterdir() if path.suffix in KINDS}
        self.headers = {
            "Content-Security-Policy": policy(self.files["index.html"].content.decode()),
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "no-referrer",
            "Cache-Control": "no-cache",
        }

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
        file = self.files.get(name)
        if file is None and "." in name.rpartition("/")[2]:
            raise NoSuchRoute(f"there is no /ui/{name} here")
        if file is None and "/" in name:
            return web.Response(status=302, headers={"Location": "../" * name.count("/")})
        file = file or self.files["index.html"]
        tag = f'"{file.tag}"'
        if request.headers.get("If-None-Match") == tag:
            return web.Response(status=304, headers={"ETag": tag, **self.headers})
        return web.Response(
            body=file.content, content_type=file.kind, charset="utf-8", headers={"ETag": tag, **self.headers}
        )
