"""One answer of each API, and how it ended for its caller: whole, refused, or visibly broken."""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import dataclass
from typing import Any

import httpx


@dataclass(frozen=True)
class Api:
    path: str
    end: bytes  # the last event of an undisturbed stream holds it
    error: bytes  # and this the event of a broken one

    def body(self, prompt: str, stream: bool) -> dict[str, Any]:
        told = {"model": "a", "stream": stream, "max_tokens": 4000}
        if self.path in ("/completion", "/v1/completions"):
            return {**told, "prompt": prompt}
        if self.path == "/v1/responses":
            return {**told, "input": prompt}
        return {**told, "messages": [{"role": "user", "content": prompt}]}


APIS = (
    Api("/v1/chat/completions", b"data: [DONE]", b'data: {"src":"llama-swap","error":'),
    Api("/v1/messages", b"event: message_stop", b"event: error\ndata: "),
    Api("/v1/responses", b"event: response.completed", b"event: error\ndata: "),
    Api("/v1/completions", b"data: [DONE]", b'data: {"src":"llama-swap","error":'),
    Api("/completion", b'"stop":true', b'data: {"src":"llama-swap","error":'),
)


@dataclass
class Ending:
    api: Api
    stream: bool
    status: int = 0
    data: bytes = b""
    error: httpx.HTTPError | None = None
    at: float = 0.0  # monotonic seconds

    @property
    def verdict(self) -> str:
        """`whole`, `refused` or `broken`; else what is wrong with it."""
        if self.status not in (0, 200):
            typed = self.error is None and json.loads(self.data)["error"]
            return "refused" if typed else f"{self.status} without a reason"
        if self.error is None:
            return "whole" if self.is_whole else "a clean short end"
        if not self.stream:
            return "broken" if self.status else "no answer at all"
        last = self.data.split(b"\n\n")[-2:]
        told = len(last) == 2 and last[1] == b"" and last[0].startswith(self.api.error)
        return "broken" if told else "broken without an event"

    @property
    def is_whole(self) -> bool:
        if not self.stream:
            return bool(json.loads(self.data))
        return self.data.endswith(b"\n\n") and self.api.end in self.data.split(b"\n\n")[-2]


async def ask(client: httpx.AsyncClient, api: Api, prompt: str, stream: bool = True) -> Ending:
    ending = Ending(api, stream)
    try:
        async with client.stream("POST", api.path, json=api.body(prompt, stream)) as response:
            ending.status = response.status_code
            async for piece in response.aiter_raw():
                ending.data += piece
    except httpx.HTTPError as error:
        ending.error = error
    ending.at = time.monotonic()
    return ending


async def ask_all(client: httpx.AsyncClient, prompt: str) -> list[Ending]:
    """Every API as a stream, and one whole answer."""
    streams = (ask(client, api, prompt) for api in APIS)
    return await asyncio.gather(*streams, ask(client, APIS[0], prompt, stream=False))
