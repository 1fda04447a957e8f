"""A hub on loopback that speaks the real one's protocol: models, revisions, files behind a redirect to a storage.

It misbehaves on request: `hub.moods[path]` holds what happens to the next requests for that file's content."""

from __future__ import annotations

import hashlib
import json
import re
import sys
import threading
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, unquote, urlsplit

COMMIT = "0123456789abcdef0123456789abcdef01234567"
PIECE = 16 * 1024
MODEL = re.compile(r"/api/models/(?P<repo>[^/]+/[^/]+)(?:/revision/(?P<revision>.+))?")
TREE = re.compile(r"/api/models/(?P<repo>[^/]+/[^/]+)/tree/(?P<revision>[^/]+)(?:/.*)?")
RESOLVE = re.compile(r"/(?P<repo>[^/]+/[^/]+)/resolve/(?P<revision>[^/]+)/(?P<path>.+)")


@dataclass(slots=True)
class Mood:
    """What happens to one request for a file. Nothing said: it is served."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes | None = None  # instead of the file's, with the status or 200
    stop_after: int | None = None  # bytes; then the connection ends
    pause_after: int | None = None  # bytes; then it waits for `hub.release`
    ignore_range: bool = False


@dataclass(slots=True)
class Repo:
    files: dict[str, bytes]
    gated: bool = False
    plain: tuple[str, ...] = ()  # not in large file storage
    said_sha: dict[str, str] = field(default_factory=dict)  # another checksum than the true one
    said_size: dict[str, int] = field(default_factory=dict)
    lost: tuple[str, ...] = ()  # listed, and not there

    def entry(self, path: str) -> dict[str, Any]:
        """As the hub's tree lists it."""
        data = self.files[path]
        size = self.said_size.get(path, len(data))
        blob = hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()
        row: dict[str, Any] = {"type": "file", "path": path, "size": size, "oid": self.said_sha.get(path, blob)}
        if path not in self.plain:
            sha = self.said_sha.get(path, hashlib.sha256(data).hexdigest())
            row["lfs"] = {"oid": sha, "size": size, "pointerSize": 134}
        return row

    def sibling(self, path: str) -> dict[str, Any]:
        """The same as the model's page has it."""
        entry = self.entry(path)
        lfs = {"sha256": entry["lfs"]["oid"], "size": entry["size"], "pointerSize": 134} if "lfs" in entry else None
        row = {"rfilename": path, "size": entry["size"], "blobId": entry["oid"]}
        return {**row, "lfs": lfs} if lfs else row


class Server(ThreadingHTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        """Callers are killed here, and that is no news."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class FakeHub:
    """`with FakeHub({"owner/name": Repo({...})}) as hub:` answers at `hub.url`."""

    def __init__(self, repos: dict[str, Repo]) -> None:
        self.repos = repos
        self.moods: dict[str, deque[Mood]] = defaultdict(deque)  # by path, or by "api"
        self.requests: list[tuple[str, str, dict[str, str]]] = []
        self.sent: dict[str, int] = defaultdict(int)  # bytes of content, by path
        self.paused = threading.Event()
        self.released = threading.Event()
        self.on_pause: Callable[[], None] = lambda: None
        self.lock = threading.Lock()
        self.token = "hf_opens"
        self.spelling: dict[str, str] = {}  # other ways to write a repository's name
        handler = type("Handler", (Handler,), {"hub": self})
        self.servers = [Server(("127.0.0.1", 0), handler) for _ in range(2)]
        self.threads = [threading.Thread(target=each.serve_forever, args=(0.02,)) for each in self.servers]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.servers[0].server_address[1]}"

    @property
    def storage(self) -> str:
        """Another origin: a token must not go there."""
        return f"http://127.0.0.1:{self.servers[1].server_address[1]}"

    def take_mood(self, key: str) -> Mood:
        with self.lock:
            return self.moods[key].popleft() if self.moods[key] else Mood()

    def count(self, path: str) -> int:
        """How often a file's content was asked for."""
        return sum(1 for _, asked, _ in self.requests if asked.startswith("/storage/") and asked.endswith(path))

    def __enter__(self) -> Self:
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.released.set()
        for server in self.servers:
            server.shutdown()
            server.server_close()
        for thread in self.threads:
            thread.join()


class Handler(BaseHTTPRequestHandler):
    hub: FakeHub
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        pass

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        path = unquote(parts.path)
        for wrong, right in self.hub.spelling.items():
            path = path.replace(wrong, right)
        self.hub.requests.append((self.command, path, {name.lower(): value for name, value in self.headers.items()}))
        try:
            self.route(path, parse_qs(parts.query))
        except (ConnectionError, TimeoutError):
            self.close_connection = True

    do_HEAD = do_GET  # noqa: N815  (the library calls it so)

    def route(self, path: str, query: dict[str, list[str]]) -> None:
        if path == "/api/models":
            self.search(query)
        elif match := TREE.fullmatch(path):
            self.tree(match["repo"], match["revision"])
        elif match := MODEL.fullmatch(path):
            self.model(match["repo"], match["revision"] or "main")
        elif match := RESOLVE.fullmatch(path):
            self.resolve(match["repo"], match["revision"], match["path"])
        elif path.startswith("/storage/"):
            _, _, owner, name, file = path.split("/", 4)
            self.content(self.hub.repos[f"{owner}/{name}"].files[file], file, {})
        else:
            self.error(404, "", "no such page")

    # -- the API

    def known(self, name: str, revision: str) -> Repo | None:
        repo = self.hub.repos.get(name)
        if repo is None:
            self.error(401, "RepoNotFound", "Invalid username or password.")
        elif revision not in ("main", COMMIT):
            self.error(404, "RevisionNotFound", f"Invalid rev id: {revision}")
            return None
        return repo

    def model(self, name: str, revision: str) -> None:
        mood = self.hub.take_mood("api")
        if mood.status or mood.body is not None:
            self.send(mood.status or 200, mood.headers, mood.body or b"")
        elif (repo := self.known(name, revision)) is not None:
            siblings = [repo.sibling(path) for path in repo.files]
            self.json(200, {"id": name, "modelId": name, "sha": COMMIT, "siblings": siblings, "gated": repo.gated})

    def tree(self, name: str, revision: str) -> None:
        if (repo := self.known(name, revision)) is not None:
            self.json(200, [repo.entry(path) for path in repo.files])

    def search(self, query: dict[str, list[str]]) -> None:
        word, author = query.get("search", [""])[0].lower(), query.get("author", [""])[0]
        names = [name for name in self.hub.repos if word in name.lower() and name.startswith(author)]
        self.json(200, [{"id": name, "modelId": name} for name in names])

    # -- content

    def resolve(self, name: str, revision: str, path: str) -> None:
        repo = self.known(name, revision)
        key = self.headers.get("Authorization")
        if repo is None:
            return
        if repo.gated and key != f"Bearer {self.hub.token}":
            self.error(403 if key else 401, "GatedRepo", f"Access to {name} is restricted")
        elif path not in repo.files or path in repo.lost:
            self.error(404, "EntryNotFound", "Entry not found")
        else:
            self.lead(repo, name, path)

    def lead(self, repo: Repo, name: str, path: str) -> None:
        """To the storage, where the file is large."""
        entry = repo.entry(path)
        headers = {"X-Repo-Commit": COMMIT, "ETag": f'"{entry["oid"]}"', "Accept-Ranges": "bytes"}
        if "lfs" in entry:
            headers |= {"X-Linked-Size": str(entry["size"]), "X-Linked-ETag": f'"{entry["lfs"]["oid"]}"'}
            self.send(302, {**headers, "Location": f"{self.hub.storage}/storage/{name}/{path}"}, b"")
        else:
            self.content(repo.files[path], path, headers)

    def content(self, data: bytes, path: str, headers: dict[str, str]) -> None:
        mood = self.hub.take_mood(path)
        asked = self.headers.get("Range", "") if not mood.ignore_range else ""
        start = int(asked.removeprefix("bytes=").partition("-")[0]) if asked else 0
        if mood.status or mood.body is not None:
            self.send(mood.status or 200, mood.headers, mood.body or b"")
        elif start >= len(data) > 0:
            self.send(416, {"Content-Range": f"bytes */{len(data)}"}, b"")
        else:
            place = {"Content-Range": f"bytes {start}-{len(data) - 1}/{len(data)}"} if asked else {}
            kind = {"Content-Type": "application/octet-stream", "Content-Length": str(len(data) - start)}
            self.head(206 if asked else 200, {**headers, **kind, **place, **mood.headers})
            if self.command == "GET":
                self.pour(path, data[start:], mood)

    def pour(self, path: str, data: bytes, mood: Mood) -> None:
        marks = sorted({min(mark, len(data)) for mark in (mood.stop_after, mood.pause_after) if mark is not None})
        place = 0
        while True:
            if place == mood.pause_after:
                self.pause()
            if place == mood.stop_after or place == len(data):
                self.close_connection = place < len(data)
                return
            limit = next((mark for mark in marks if mark > place), len(data))
            piece = data[place : min(place + PIECE, limit)]
            with self.hub.lock:  # before it goes: whoever has it may look here
                self.hub.sent[path] += len(piece)
            self.wfile.write(piece)
            place += len(piece)

    def pause(self) -> None:
        self.hub.paused.set()
        self.hub.on_pause()
        self.hub.released.wait(60)

    # -- answers

    def head(self, status: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for key, value in headers.items():
            self.send_header(key, value)
        self.end_headers()

    def json(self, status: int, content: Any) -> None:
        self.send(status, {"Content-Type": "application/json"}, json.dumps(content).encode())

    def error(self, status: int, code: str, message: str) -> None:
        headers = {"X-Error-Code": code, "X-Error-Message": message, "Content-Type": "application/json"}
        self.send(status, headers, json.dumps({"error": message}).encode())

    def send(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.head(status, {**headers, "Content-Length": str(len(body))})
        if self.command == "GET":
            self.wfile.write(body)
