"""A recorder for a test, and finished requests to give it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from llamaswap_py.observe.activity import Recorder
from llamaswap_py.observe.captures import Asked, Captures
from llamaswap_py.observe.finished import Finished
from llamaswap_py.observe.heard import Heard
from llamaswap_py.observe.rows import Row, Wanted
from llamaswap_py.observe.store import Store
from llamaswap_py.observe.written import Bounds
from llamaswap_py.wire.headers import Head

ANSWER = b'{"usage": {"prompt_tokens": 3, "completion_tokens": 4}}'
CHAT = "/v1/chat/completions"


def finished(
    body: bytes = ANSWER, *fields: bytes, status: int = 200, asked: bool = True, error: str = "", model: str = "a"
) -> Finished:
    heard = Heard(1 << 30)
    heard.head(Head((1, 1), status, b"", fields or (b"Content-Type: application/json",)), chunked=False)
    if body:
        heard.body(body)
    return Finished(
        model,
        CHAT,
        status,
        1_700_000_000.9,
        0.25,
        heard,
        error=error,
        asked=Asked((("A", "b"),), b"{}") if asked else None,
    )


class Place:
    def __init__(self, recorder: Recorder) -> None:
        self.recorder = recorder
        self.ids: list[int] = []
        self.news = asyncio.Event()

    async def rows(self) -> list[Row]:
        page = await self.recorder.ask(lambda store: store.page(Wanted(descending=False, limit=999)))
        return page.rows


@asynccontextmanager
async def recording(path: str = "", keep: int = 1000, captures: int = 1 << 20) -> AsyncIterator[Place]:
    def stored(ids: Sequence[int], rows: Sequence[Row]) -> None:
        place.ids += ids
        place.news.set()

    place = Place(Recorder(asyncio.get_running_loop(), Captures(captures), stored, path, Bounds(keep)))
    async with asyncio.timeout(30):
        try:
            yield place
        finally:
            await place.recorder.close()


@asynccontextmanager
async def held_up(recorder: Recorder) -> AsyncIterator[None]:
    """The recorder's thread is kept busy with a question."""
    begun, go_on = threading.Event(), threading.Event()

    def question(_: Store) -> None:
        begun.set()
        go_on.wait()

    asked = asyncio.ensure_future(recorder.ask(question))
    await asyncio.to_thread(begun.wait)
    try:
        yield
    finally:
        go_on.set()
        await asked
