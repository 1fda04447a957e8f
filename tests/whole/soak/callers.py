"""The storm of callers: each asks again and again, by turns politely and badly, and judges every answer it gets."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable

import aiohttp

from tests.whole.soak import verdicts
from tests.whole.soak.ledger import Ledger, pause
from tests.whole.soak.scene import CHATTY, QUEUE_SECONDS
from tests.whole.talk import CHAT, chat_body, streamed, whole

DEADLINE = 2.0 * QUEUE_SECONDS  # for a seat, the answer, and a server that hangs in it: nobody is busy for longer
LOST = (aiohttp.ClientPayloadError, aiohttp.ClientConnectionError, ConnectionError)
PIECE = b"0123456789abcdef" * 4096


class Caller:
    """One of them. `kinds` are its methods, drawn by weight."""

    def __init__(self, number: int, seed: int, session: aiohttp.ClientSession, ledger: Ledger) -> None:
        self.number = number
        self.random = random.Random(f"caller {number} of {seed}")
        self.session = session
        self.ledger = ledger
        self.asked = 0
        self.kinds: list[tuple[int, Callable[[str], Awaitable[None]]]] = [
            (8, self.stream),
            (4, self.plain),
            (2, self.crash),
            (3, self.leave),
            (1, self.read_slowly),
            (1, self.upload),
        ]

    async def storm(self, over: asyncio.Event) -> None:
        weights = [weight for weight, _ in self.kinds]
        while not over.is_set():
            ((_, kind),) = self.random.choices(self.kinds, weights)
            await self.once(kind, self.random.choice(CHATTY))
            await pause(over, self.random.random() * 0.1)

    async def once(self, kind: Callable[[str], Awaitable[None]], model: str) -> None:
        """Nothing that happens to one request ends the storm."""
        self.asked += 1
        try:
            async with asyncio.timeout(DEADLINE):
                await kind(model)
        except TimeoutError:
            self.ledger.breach(f"a caller of {model} ({kind.__name__}) was busy for more than {DEADLINE:.0f} s")
        except LOST as error:
            self.ledger.breach(f"a caller of {model} ({kind.__name__}) lost its connection unanswered: {error!r}")

    def prompt(self, switches: str) -> str:
        return f"{self.number}-{self.asked} [fake {switches}]"

    # -- polite ones

    async def stream(self, model: str) -> None:
        words = self.random.randrange(1, 40)
        await self.hear(model, self.prompt(f"words={words} interval=0.01"), words)

    async def crash(self, model: str) -> None:
        """Its server dies of it, or cuts it off."""
        end = self.random.choice(["crash", "cut"])
        at = self.random.choice(["before", "2", "5"]) if end == "crash" else "4"
        await self.hear(model, self.prompt(f"words=9 {end}={at}"), 9)

    async def hear(self, model: str, prompt: str, words: int) -> None:
        began, expected, news = time.monotonic(), streamed(model, prompt, words), model == "slow"
        async with self.session.post(CHAT, json=chat_body(model, prompt)) as answer:
            if answer.status != 200:
                await self.refusal(model, answer, began)
                return
            got, is_whole = await read(answer)
        wrong = (verdicts.whole if is_whole else verdicts.broken)(got, expected, news)
        self.end(model, "whole" if is_whole else "broken off", 200, began, wrong)

    async def plain(self, model: str) -> None:
        began, prompt = time.monotonic(), self.prompt("")
        async with self.session.post(CHAT, json=chat_body(model, prompt, stream=False)) as answer:
            if answer.status != 200:
                await self.refusal(model, answer, began)
                return
            got, is_whole = await read(answer)
        good = not is_whole or json.loads(got)["choices"] == whole_choices(model, prompt)
        self.end(model, "whole" if is_whole else "cut short", 200, began, None if good else f"another answer: {got!r}")

    async def upload(self, _: str) -> None:
        """A body of unknown length; its digest comes back."""
        began, size = time.monotonic(), self.random.randrange(1, 40)
        async with self.session.post("/upstream/sockets/take", data=pieces(size)) as answer:
            if answer.status != 200:
                await self.refusal("sockets", answer, began)
                return
            got, is_whole = await read(answer)
        good = not is_whole or json.loads(got)["sha256"] == hashlib.sha256(PIECE * size).hexdigest()
        self.end("sockets", "uploaded", 200, began, None if good else "an upload arrived changed")

    async def refusal(self, model: str, answer: aiohttp.ClientResponse, began: float) -> None:
        wrong = verdicts.refused(answer.status, await answer.read())
        self.end(model, f"refused {answer.status}", answer.status, began, wrong)

    # -- impolite ones

    async def leave(self, model: str) -> None:
        """At any moment: in the queue, while it loads, in mid-answer."""
        began, status = time.monotonic(), None
        prompt = self.prompt("words=60 interval=0.02")
        try:
            async with asyncio.timeout(self.random.choice([0.01, 0.1, 0.5, 1.5])):
                async with self.session.post(CHAT, json=chat_body(model, prompt)) as answer:
                    status = answer.status
                    await read(answer)
        except TimeoutError:
            self.end(model, "left", status, began)
        else:
            self.end(model, "did not get to leave", status, began)

    async def read_slowly(self, model: str) -> None:
        """Half a megabyte of answer before it, a few pieces of which it takes."""
        began, prompt = time.monotonic(), self.prompt("words=500 pad=1000")
        async with self.session.post(CHAT, json=chat_body(model, prompt)) as answer:
            with contextlib.suppress(*LOST):  # after the head: how it breaks off, others look at
                await sip(answer)
            answer.close()
        self.end(model, "read slowly", answer.status, began)

    def end(self, model: str, how: str, status: int | None, began: float, wrong: str | None = None) -> None:
        self.ledger.ended(model, how, status, time.monotonic() - began)
        if wrong is not None:
            self.ledger.breach(f"{model}, caller {self.number}, request {self.asked}: {wrong}")


async def read(answer: aiohttp.ClientResponse) -> tuple[bytes, bool]:
    """What came, and whether it came to its end."""
    got = bytearray()
    try:
        async for piece in answer.content.iter_any():
            got += piece
    except LOST:
        return bytes(got), False
    return bytes(got), True


async def sip(answer: aiohttp.ClientResponse) -> None:
    never = asyncio.Event()
    for _ in range(10):
        if not await answer.content.read(4096):
            return
        await pause(never, 0.1)


async def pieces(count: int) -> AsyncIterator[bytes]:
    for _ in range(count):
        yield PIECE


def whole_choices(model: str, prompt: str) -> object:
    return whole(model, prompt)["choices"]
