"""One request to the fake llama-server and its answer, with what the request asked to go wrong."""

from __future__ import annotations

import asyncio
import json
import re
import sys
import time
from typing import TYPE_CHECKING

from tests.fakes import llama_answers as answers

if TYPE_CHECKING:
    from tests.fakes.llama_server import Caller

SWITCHES = re.compile(rb"\[fake ([^\]]*)\]")


class CallerLeft(Exception):
    """The other end closed while its request was being answered."""


class Request:
    def __init__(self, method: str, target: str, version: str, headers: dict[str, str], body: bytes) -> None:
        self.method = method
        self.path = target.partition("?")[0]
        self.version = version
        self.headers = headers
        self.body = body
        found = SWITCHES.search(body)
        text = f"{found[1].decode() if found else ''} {headers.get('x-fake', '')}"
        self.switches = dict(word.split("=", 1) for word in text.split() if "=" in word)

    def seconds(self, name: str, default: float) -> float:
        return float(self.switches.get(name, default))

    def count(self, name: str) -> int | None:
        value = self.switches.get(name, "")
        return int(value) if value.isdecimal() else None


class Exchange:
    """One request and its answer."""

    def __init__(self, caller: Caller, request: Request, *, last: bool) -> None:
        self.caller = caller
        self.request = request
        self.server = caller.server
        self.options = caller.server.options
        asked_to_close = request.headers.get("connection", "").lower() == "close"
        self.keep = not (last or asked_to_close or request.version == "HTTP/1.0")

    async def answer(self) -> bool:
        """Whether the connection stays open."""
        path = self.request.path
        if path in ("/health", "/v1/health"):
            return await self.health()
        if not self.authorized():
            return await self.refuse(401, "authentication_error", "Invalid API Key")
        if not self.server.ready.is_set():
            return await self.refuse(503, "unavailable_error", "Loading model")
        if path in ("/v1/models", "/models"):
            return await self.whole(200, answers.models(self.options.alias))
        if path == "/props":
            return await self.whole(200, answers.props(self.options.alias))
        if path in answers.ROUTES and self.request.method == "POST":
            return await self.infer(path)
        return await self.refuse(404, "not_found_error", "File Not Found")

    def authorized(self) -> bool:
        key = self.options.api_key
        sent = self.request.headers.get("x-api-key") or self.request.headers.get("authorization", "")
        return not key or sent.removeprefix("Bearer ") == key

    async def health(self) -> bool:
        if self.options.hang_health:
            await self.caller.pause(None)
        self.server.probes += 1
        if self.server.ready.is_set() and not (self.options.flap_health and self.server.probes % 2):
            return await self.whole(200, {"status": "ok"})
        return await self.refuse(503, "unavailable_error", "Loading model")

    async def refuse(self, status: int, kind: str, message: str) -> bool:
        return await self.whole(status, answers.error(status, kind, message))

    async def infer(self, path: str) -> bool:
        try:
            body = json.loads(self.request.body)
        except ValueError as mistake:
            return await self.refuse(400, "invalid_request_error", f"[json.exception.parse_error.101] {mistake}")
        if not isinstance(body, dict):
            return await self.refuse(400, "invalid_request_error", "the body must be an object")
        log(f"srv  log_server_r: request: POST {path} 127.0.0.1 200")
        pad = self.request.count("pad") or 0
        answer = answers.ROUTES[path](answers.question(self.options.alias, body, self.request.count("words"), pad))
        await self.before()
        status = self.request.count("status")
        if status:
            return await self.refuse(status, "server_error", f"told to answer {status}")
        if body.get("stream") and (answer.tokens or answer.closing):
            return await self.stream(answer)
        await self.caller.pause(self.request.seconds("interval", self.options.token_interval) * len(answer.tokens))
        return await self.whole(200, answer.whole)

    async def before(self) -> None:
        """What happens between the request and the first byte of its answer."""
        await self.caller.pause(self.request.seconds("first", self.options.first_seconds))
        await self.burn(self.request.seconds("burn", 0.0))
        if self.request.switches.get("crash") == "before":
            self.server.crash()
        if self.request.switches.get("stall") == "before":
            await self.caller.pause(None)

    async def burn(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            for _ in range(10_000):
                pass
            await asyncio.sleep(0)

    async def stream(self, answer: answers.Answer) -> bool:
        await self.caller.write(self.head(200, "text/event-stream", "Transfer-Encoding: chunked"))
        interval = self.request.seconds("interval", self.options.token_interval)
        for sent, piece in enumerate([*answer.opening, *answer.tokens, *answer.closing]):
            if not await self.misbehave(sent):
                return False
            await self.caller.write(b"%x\r\n%s\r\n" % (len(piece), piece))
            if sent >= len(answer.opening):
                await self.token_gap(interval)
        await self.caller.write(b"0\r\n\r\n")
        return self.keep

    async def token_gap(self, interval: float) -> None:
        await self.caller.pause(interval)
        if self.server.stopping.is_set():
            await self.caller.pause(None)  # as the real one: no more tokens, and the connection stays open

    async def misbehave(self, sent: int) -> bool:
        """Whether the stream goes on."""
        if self.request.count("stall") == sent:
            await self.caller.pause(None)
        if self.request.count("crash") == sent:
            self.server.crash()
        if self.request.count("error") == sent:
            piece = answers.data(answers.error(500, "server_error", "told to fail"))
            await self.caller.write(b"%x\r\n%s\r\n0\r\n\r\n" % (len(piece), piece))
            return False
        if self.request.count("cut") == sent:
            await self.caller.write(b"ff\r\ndata: {")  # a chunk and an event that never end
            return False
        return True

    async def whole(self, status: int, body: answers.Json) -> bool:
        payload = answers.dumps(body).encode()
        head = self.head(status, "application/json; charset=utf-8", f"Content-Length: {len(payload)}")
        await self.caller.write(head + (b"" if self.request.method == "HEAD" else payload))
        return self.keep

    def head(self, status: int, kind: str, framing: str) -> bytes:
        options = self.options
        keep = f"Keep-Alive: timeout={options.keep_alive_seconds:g}, max={options.keep_alive_max}"
        lines = (
            f"HTTP/1.1 {status} {'OK' if status == 200 else 'Not OK'}",
            keep if self.keep else "Connection: close",
            "Server: llama.cpp",
            f"Access-Control-Allow-Origin: {self.request.headers.get('origin', '')}",
            f"Content-Type: {kind}",
            framing,
        )
        return "\r\n".join((*lines, "", "")).encode()


def log(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
