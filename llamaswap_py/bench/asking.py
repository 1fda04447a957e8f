"""One streamed answer of an OpenAI-compatible server, with the time at which each of its tokens came."""

from __future__ import annotations

import json
import random
import time
from collections.abc import AsyncIterator, Mapping
from itertools import pairwise
from typing import Any

import aiohttp

from llamaswap_py.bench.values import Sample

COMPLETIONS, CHAT = "/v1/completions", "/v1/chat/completions"
LONGEST = 3600.0  # seconds of one answer
# Every answer of the same length, and no prompt from a cache; a server that knows none of these is asked without.
EXTRAS = {"ignore_eos": True, "cache_prompt": False}
# A chat's template may shorten what is asked; where there is nothing else, it has to do.
WAYS: tuple[tuple[str, Mapping[str, Any]], ...] = ((COMPLETIONS, EXTRAS), (COMPLETIONS, {}), (CHAT, EXTRAS), (CHAT, {}))
WORDS = (
    "the",
    "of",
    "and",
    "to",
    "in",
    "is",
    "it",
    "you",
    "that",
    "he",
    "was",
    "for",
    "on",
    "are",
    "with",
    "as",
    "his",
)


class Asker:
    """`base` without a slash at its end. `ratio`: tokens of a word, learned from the first answer."""

    def __init__(self, session: aiohttp.ClientSession, base: str, model: str, key: str = "") -> None:
        self.session = session
        self.base = base
        self.model = model
        self.headers = {"Authorization": f"Bearer {key}"} if key else {}
        self.way: tuple[str, Mapping[str, Any]] = WAYS[0]
        self.ratio = 1.3
        self.dice = random.Random()  # another run's prompts may be in a cache

    async def learn(self) -> str:
        """A first answer, which warms up what must be; why there is none."""
        errors = []
        for self.way in WAYS:
            sample = await self.answer(self.text(64), 8)
            if not sample.error:
                self.ratio = max(sample.prompt / 64, 0.2) if sample.prompt else self.ratio
                return ""
            errors.append(sample.error)
        return errors[-1]

    def text(self, words: int) -> str:
        """Different from its first word on, so that no server has it in a cache."""
        return " ".join(self.dice.choice(WORDS) for _ in range(max(words, 1)))

    async def one(self, prompt: int, tokens: int) -> Sample:
        return await self.answer(self.text(int(prompt / self.ratio)), tokens)

    async def answer(self, text: str, tokens: int) -> Sample:
        path, extras = self.way
        asked = {"prompt": text} if path == COMPLETIONS else {"messages": [{"role": "user", "content": text}]}
        always = {"max_tokens": tokens, "temperature": 0, "stream": True, "stream_options": {"include_usage": True}}
        body = {"model": self.model, **asked, **always, **extras}
        began = time.perf_counter()
        limit = aiohttp.ClientTimeout(total=LONGEST)
        try:
            async with self.session.post(self.base + path, json=body, headers=self.headers, timeout=limit) as answer:
                if answer.status != 200:
                    return Sample(began=began, error=f"{answer.status}: {complaint(await answer.text())}")
                return await heard(answer, began)
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            return Sample(began=began, error=str(error) or type(error).__name__)


def complaint(text: str) -> str:
    try:
        error = json.loads(text)["error"]
        return str(error["message"] if isinstance(error, dict) else error)
    except (ValueError, KeyError, TypeError):
        return text.strip()[:200]


async def lines(answer: aiohttp.ClientResponse) -> AsyncIterator[tuple[float, bytes]]:
    """With the moment at which each was there whole."""
    rest = b""
    async for piece in answer.content.iter_any():
        now = time.perf_counter()
        *whole, rest = (rest + piece).split(b"\n")
        for line in whole:
            yield now, line
    if rest:
        yield time.perf_counter(), rest


async def heard(answer: aiohttp.ClientResponse, began: float) -> Sample:
    moments: list[float] = []
    usage: dict[str, Any] = {}
    timings: dict[str, Any] = {}
    async for now, line in lines(answer):
        if not line.startswith(b"data: {"):
            continue
        event = json.loads(line[6:])
        if event.get("error"):
            return Sample(began=began, error=complaint(line[6:].decode("utf-8", "replace")))
        usage, timings = event.get("usage") or usage, event.get("timings") or timings
        if says_something(event):
            moments.append(now)
    if not moments:
        return Sample(began=began, error="the answer holds no token")
    return Sample(
        prompt=usage.get("prompt_tokens") or 0,
        output=usage.get("completion_tokens") or len(moments),
        first=moments[0] - began,
        total=moments[-1] - began,
        began=began,
        gaps=tuple(after - before for before, after in pairwise(moments)),
        engine_prompt=timings.get("prompt_per_second"),
        engine_speed=timings.get("predicted_per_second"),
    )


def says_something(event: dict[str, Any]) -> bool:
    choices = event.get("choices") or ()
    told = [choice.get("delta") or choice for choice in choices]
    return any(each.get(name) for each in told for name in ("text", "content", "reasoning_content", "reasoning"))
