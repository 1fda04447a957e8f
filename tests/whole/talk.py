"""Requests to the running program, and the very bytes that must come back."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.fakes import llama_answers as answers
from tests.whole.program import LONG, Program

CHAT = "/v1/chat/completions"


def chat_body(model: str, prompt: str, *, stream: bool = True) -> dict[str, Any]:
    return {"model": model, "stream": stream, "messages": [{"role": "user", "content": prompt}]}


def streamed(model: str, prompt: str, words: int = answers.DEFAULT_WORDS) -> bytes:
    """The whole event stream of an undisturbed answer."""
    answer = answers.chat(answers.question(model, chat_body(model, prompt), words, 0))
    return b"".join((*answer.opening, *answer.tokens, *answer.closing))


def whole(model: str, prompt: str) -> dict[str, Any]:
    body = chat_body(model, prompt, stream=False)
    return answers.chat(answers.question(model, body, None, 0)).whole


@asynccontextmanager
async def caller(program: Program, connections: int = 200) -> AsyncIterator[httpx.AsyncClient]:
    limits = httpx.Limits(max_connections=connections)
    async with httpx.AsyncClient(base_url=program.url, timeout=LONG, limits=limits) as client:
        yield client


@dataclass
class Told:
    """One streamed answer as a caller met it."""

    status: int = 0
    data: bytes = b""
    waited: float = 0.0  # to the first byte
    took: float = 0.0
    error: Exception | None = None
    arrivals: list[float] = field(default_factory=list)

    @property
    def events(self) -> list[Any]:
        lines = [line for line in self.data.decode().split("\n") if line.startswith("data: ") and "[DONE]" not in line]
        return [json.loads(line.removeprefix("data: ")) for line in lines]


async def stream(
    client: httpx.AsyncClient, model: str, prompt: str, path: str = CHAT, heard: asyncio.Event | None = None
) -> Told:
    """Ask for a stream and read it to its end, however that looks. `heard` is set by its first bytes."""
    told, heard = Told(), heard or asyncio.Event()
    began = time.monotonic()
    try:
        async with client.stream("POST", path, json=chat_body(model, prompt)) as response:
            told.status = response.status_code
            async for piece in response.aiter_raw():
                told.arrivals.append(time.monotonic())
                told.waited = told.waited or told.arrivals[0] - began
                told.data += piece
                heard.set()
    except httpx.HTTPError as error:
        told.error = error
    told.took = time.monotonic() - began
    return told


async def begun(client: httpx.AsyncClient, model: str, prompt: str) -> asyncio.Task[Told]:
    """A stream whose first bytes have come: what has a seat may still be asked anew, or refused with a status."""
    heard = asyncio.Event()
    asking = asyncio.create_task(stream(client, model, prompt, heard=heard))
    async with asyncio.timeout(LONG):
        await heard.wait()
    return asking


async def running(client: httpx.AsyncClient) -> dict[str, dict[str, Any]]:
    rows = (await client.get("/running")).json()["running"]
    return {row["model"]: row for row in rows}
