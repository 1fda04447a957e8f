#!/usr/bin/env python3
"""A model's server that says what it was asked, or answers as the request itself tells it to.

Run it as `python tests/fakes/mirror.py --port N`. Every path but /health gives back the request as JSON: `name` (its
--name), `method`, `target` (path and query as they came), `headers` (pairs), `body` (base64). A header `X-Answer`,
base64 of a JSON object, changes that:

    status   its status (200)
    type     its Content-Type (application/json)
    headers  more headers
    body     its body as text; `base64` the same in base64
    pieces   a list of texts instead: sent in chunks
    hold     the path of a named pipe: the answer's rest waits until something was written to it, after the first
             piece, or before the head where there are no pieces

A header `X-Say` is printed as a line. An upgrade to a WebSocket is accepted, and every frame comes back.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import socketserver
import sys
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

SECRET = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455, the same for everybody


class Exchange(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Mirror

    def read_body(self) -> bytes:
        if "chunked" not in self.headers.get("Transfer-Encoding", ""):
            return self.rfile.read(int(self.headers.get("Content-Length", "0")))
        pieces = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            pieces.append(self.rfile.read(size))
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass
        return b"".join(pieces)

    def answer(self) -> None:
        if self.path == "/health":
            self.send({"body": "OK", "type": "text/plain"})
            return
        if said := self.headers.get("X-Say"):
            print(said, flush=True)
        if self.headers.get("Upgrade", "").lower() == "websocket":
            self.echo()
            return
        body = self.read_body()
        told = json.loads(base64.b64decode(self.headers.get("X-Answer", "")) or "{}")
        if not {"body", "base64", "pieces"} & told.keys():
            told["body"] = json.dumps(self.seen(body))
        self.send(told)

    def seen(self, body: bytes) -> dict[str, Any]:
        return {
            "name": self.server.name,
            "method": self.command,
            "target": self.path,
            "headers": list(self.headers.items()),
            "body": base64.b64encode(body).decode(),
        }

    def send(self, told: dict[str, Any]) -> None:
        pieces = [piece.encode() for piece in told.get("pieces", [])]
        if not pieces:
            self.hold(told)
        self.send_response(told.get("status", 200))
        self.send_header("Content-Type", told.get("type", "application/json"))
        for name, value in told.get("headers", {}).items():
            self.send_header(name, value)
        if pieces:
            self.send_pieces(pieces, told)
            return
        payload = base64.b64decode(told["base64"]) if "base64" in told else told["body"].encode()
        self.send_header("Content-Length", str(len(payload)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(payload)

    def send_pieces(self, pieces: list[bytes], told: dict[str, Any]) -> None:
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for number, piece in enumerate(pieces):
            self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
            if number == 0:
                self.hold(told)
        self.wfile.write(b"0\r\n\r\n")

    def hold(self, told: dict[str, Any]) -> None:
        if "hold" in told:
            Path(told["hold"]).read_bytes()

    def echo(self) -> None:
        self.close_connection = True
        digest = hashlib.sha1(self.headers["Sec-WebSocket-Key"].encode() + SECRET, usedforsecurity=False).digest()
        self.send_response(101)
        self.send_header("Upgrade", "websocket")
        self.send_header("Connection", "Upgrade")
        self.send_header("Sec-WebSocket-Accept", base64.b64encode(digest).decode())
        self.end_headers()
        while head := self.rfile.read(2):  # short frames only: what a test says to see whether it comes back
            mask = self.rfile.read(4)
            text = bytes(byte ^ mask[i % 4] for i, byte in enumerate(self.rfile.read(head[1] & 0x7F)))
            self.wfile.write(bytes((head[0], len(text))) + text)
            if head[0] & 0x0F == 8:
                return

    def __getattr__(self, name: str) -> Callable[[], None]:
        if not name.startswith("do_"):
            raise AttributeError(name)
        return self.answer  # whatever the method

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name for it
        """It says what it is told to, and nothing else."""


class Mirror(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 128
    name = ""


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--port", type=int, required=True)
    options.add_argument("--name", default="mirror")
    chosen = options.parse_args()
    with Mirror(("127.0.0.1", chosen.port), Exchange) as mirror:
        mirror.name = chosen.name
        mirror.serve_forever()
    return 0


if __name__ == "__main__":
    sys.exit(main())
