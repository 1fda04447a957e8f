"""Talk to a running server: where it is, which key it wants, and what to tell the person when it says no."""

from __future__ import annotations

import http.client
import json
import os
from collections.abc import Generator, Mapping
from contextlib import closing
from typing import Any
from urllib.parse import quote, urlsplit

import msgspec

from llamaswap_py.cli.terminal.flags import Flag, Words
from llamaswap_py.cli.terminal.interruptible import Bell, Connection

PIECE = 64 * 1024  # at most; what is there is taken at once
DEFAULT_URL = "http://127.0.0.1:8080"
FLAGS = (
    Flag("url", f"where the server is (else $LLAMASWAP_URL, else {DEFAULT_URL})", "URL"),
    Flag("api-key", "a key the server accepts (else $LLAMASWAP_API_KEY)", "KEY"),
)


class Failed(Exception):
    """The server could not be asked, or said no; the message is for the person."""


class Server(msgspec.Struct, frozen=True):
    url: str
    key: str

    def ask(self, method: str, path: str) -> Any:
        """The answer, read from JSON where it is JSON."""
        return content(b"".join(self.pieces(method, path)).decode("utf-8", "replace"))

    def pieces(self, method: str, path: str, body: Any = None) -> Generator[bytes, None, None]:
        """The answer as it comes; who closes the iterator hangs up. Nothing ends the wait: a load may take minutes."""
        with Bell() as bell, closing(self.connection(bell)) as connection:
            response = self.response(connection, method, path, body)
            while data := self.next_piece(response):
                yield data

    def connection(self, bell: Bell) -> http.client.HTTPConnection:
        parts = urlsplit(self.url)
        host = parts.hostname or "127.0.0.1"
        if parts.scheme == "https":
            return http.client.HTTPSConnection(host, parts.port)
        return Connection(host, parts.port, bell)

    def response(
        self, connection: http.client.HTTPConnection, method: str, path: str, body: Any
    ) -> http.client.HTTPResponse:
        headers = {"Authorization": f"Bearer {self.key}"} if self.key else {}
        headers |= {} if body is None else {"Content-Type": "application/json"}
        payload = None if body is None else json.dumps(body).encode()
        try:
            connection.request(method, f"{urlsplit(self.url).path.rstrip('/')}{path}", payload, headers)
            response = connection.getresponse()
            text = response.read().decode("utf-8", "replace") if response.status >= 400 else ""
        except (OSError, http.client.HTTPException) as trouble:
            raise Failed(self.unreachable(trouble)) from trouble
        if response.status >= 400:
            raise Failed(self.refused(response.status, text))
        return response

    def next_piece(self, response: http.client.HTTPResponse) -> bytes:
        try:
            return response.read1(PIECE)
        except (OSError, http.client.HTTPException) as trouble:
            raise Failed(f"{self.url} ended its answer before it was complete ({trouble}).") from trouble

    def unreachable(self, trouble: Exception) -> str:
        return (
            f"No server answers at {self.url} ({trouble}).\n"
            "Start one with 'llamaswap', or say where it is with --url or $LLAMASWAP_URL."
        )

    def refused(self, status: int, text: str) -> str:
        message = message_in(content(text)) or text.strip()[:300] or "it gave no reason"
        hint = "\nGive a key with --api-key or $LLAMASWAP_API_KEY." if status == 401 else ""
        return f"{self.url} refused ({status}): {message}{hint}"


def server(words: Words, env: Mapping[str, str] = os.environ) -> Server:
    url = words.value("url") or env.get("LLAMASWAP_URL") or DEFAULT_URL
    url = url if "://" in url else f"http://{url}"
    try:
        parts = urlsplit(url)
        is_good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_good = False
    if not is_good:
        raise Failed(f"'{url}' is not the address of a server. Write it as {DEFAULT_URL}.")
    return Server(url.rstrip("/"), words.value("api-key") or env.get("LLAMASWAP_API_KEY") or "")


def path_of(action: str, model: str) -> str:
    """A model's name may hold slashes, and they stay."""
    return f"/api/models/{action}/{quote(model, safe='/')}"


def content(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def message_in(body: Any) -> str:
    error = body.get("error") if isinstance(body, dict) else None
    message = error.get("message") if isinstance(error, dict) else error
    return message if isinstance(message, str) else ""
