"""A small real server for the commands that are clients of one."""

from __future__ import annotations

import json
import queue
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

LOGS = {"/logs/stream": b"one\ntwo \xc3\xa9\n", "/logs/stream/team/small": b"loading\n"}
RUNNING = {
    "model": "small", "state": "ready", "cmd": "llama-server \\\n  --port 5800", "proxy": "http://localhost:5800",
    "ttl": 60, "name": "", "description": "",
}  # fmt: skip

LISTED: dict[str, object] = {
    "object": "list",
    "data": [
        {"id": "big", "object": "model", "description": "Ein großes", "status": {"value": "unloaded"}},
        {"id": "small", "name": "Small", "description": "for\ntrying", "status": {"value": "loaded"},
         "meta": {"llamaswap": {"type": "model", "aliases": ["tiny", "mini"]}}},
        {"id": "tiny", "status": {"value": "loaded"}, "meta": {"llamaswap": {"type": "alias", "modelID": "small"}}},
    ],
}  # fmt: skip


class Answering(BaseHTTPRequestHandler):
    """Knows the model `small` (also `team/small`), and one key where a key is wanted."""

    server: Upstream

    def do_GET(self) -> None:
        if self.path.partition("?")[0] in LOGS:
            self.follow()
        else:
            self.reply()

    def do_POST(self) -> None:
        self.reply()

    def reply(self) -> None:
        self.server.asked.append(f"{self.command} {self.path}")
        if self.path.endswith("/slow"):
            self.server.arrived.set()
            self.server.coming.get()
            return  # nobody reads an answer
        status, body = self.answer()
        payload = body.encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(payload)))
        self.end_headers()
        self.wfile.write(payload)

    def follow(self) -> None:
        """The history, and unless that is all that is wanted, what the test hands in until it hands in nothing."""
        self.server.asked.append(f"{self.command} {self.path}")
        self.send_response(200)
        self.end_headers()
        self.wfile.write(LOGS[self.path.partition("?")[0]])
        while not self.path.endswith("?no-follow") and (piece := self.server.coming.get()):
            self.wfile.write(piece)

    def answer(self) -> tuple[int, str]:
        if self.server.key and self.headers.get("Authorization") != f"Bearer {self.server.key}":
            return 401, json.dumps({"error": {"message": "this key is not one of ours"}})
        if self.path == "/running":
            return 200, json.dumps({"running": self.server.running})
        if self.path == "/v1/chat/completions" and self.server.chat:
            return 200, self.server.chat
        if self.path == "/v1/models":
            return 200, json.dumps(self.server.listed)
        if self.path == "/api/models/load/broken":
            return 500, "not JSON at all"
        known = ("/api/models/load/small", "/api/models/load/team/small", "/api/models/load/a%20b%3Fc")
        if self.path in (*known, "/api/models/unload", "/api/models/unload/small"):
            return 200, "OK"
        return 404, json.dumps({"error": {"message": "there is no such model"}})

    def log_message(self, *args: object) -> None:
        """The test looks at `asked` instead."""


class Upstream(ThreadingHTTPServer):
    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answering)
        self.asked: list[str] = []
        self.running: list[dict[str, object]] = []
        self.listed = LISTED
        self.coming: queue.Queue[bytes] = queue.Queue()
        self.chat = ""  # the answer's events
        self.arrived = threading.Event()  # a request that waits for `coming`
        self.key = ""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


@pytest.fixture
def upstream(monkeypatch: pytest.MonkeyPatch) -> Iterator[Upstream]:
    """Listening, and found by $LLAMASWAP_URL."""
    with Upstream() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        monkeypatch.setenv("LLAMASWAP_URL", server.url)
        monkeypatch.delenv("LLAMASWAP_API_KEY", raising=False)
        yield server
        server.shutdown()
        thread.join()
