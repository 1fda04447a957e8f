"""What a busy day is like: two hundred models, fifty answers being streamed at any moment, and a server that prints ten
thousand lines a second."""

from __future__ import annotations

import asyncio
import json
import random
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

from tests.page import talker
from tests.whole.asking import caller
from tests.whole.program import Program, config, fake, model
from tests.whole.talk import chat_body

MODELS, STREAMS, LINES = 200, 50, 10_000
FLOOD = "flood"  # prints the lines
AT_WORK = 5  # models that answer
PACE = 20  # events of an answer in a second


def busy(names: list[str], lines: int) -> str:
    """Nobody excludes anybody."""
    loud = f"  {FLOOD}:\n    cmd: {sys.executable} -P -S {talker.__file__} {lines} {fake()}\n"
    together = f"groups:\n  all: {{swap: false, exclusive: false, members: [{', '.join([FLOOD, *names])}]}}\n"
    return config(loud, *(model(name) for name in names)) + together


class Streams:
    """Callers in a thread of their own; whoever has his answer asks anew. `events` is how many all of them have got."""

    def __init__(self, url: str, models: list[str], count: int, pace: float) -> None:
        self.host, self.port = urlsplit(url).hostname, urlsplit(url).port
        self.models = models
        self.count = count
        self.interval = 1 / pace
        self.events = self.answers = 0
        self.lengths = random.Random(1)
        self.all_here = threading.Event()
        self.thread = threading.Thread(target=lambda: asyncio.run(self.ask_all()))

    def __enter__(self) -> Self:
        self.thread.start()
        assert self.all_here.wait(60), "the callers never got their answers"
        return self

    def __exit__(self, *_: object) -> None:
        self.loop.call_soon_threadsafe(self.over.set)
        self.thread.join()

    async def ask_all(self) -> None:
        self.loop, self.over = asyncio.get_running_loop(), asyncio.Event()
        async with asyncio.TaskGroup() as group:
            asking = [group.create_task(self.ask(number)) for number in range(self.count)]
            await self.over.wait()
            for task in asking:
                task.cancel()

    def hear(self, piece: bytes) -> None:
        self.events += piece.count(b"\n\n")
        if self.events > 2 * self.count:
            self.all_here.set()

    async def ask(self, number: int) -> None:
        while True:
            words = self.lengths.randrange(100, 400)
            prompt = f"[fake words={words} interval={self.interval}] caller {number}"
            body = json.dumps(chat_body(self.models[number % len(self.models)], prompt)).encode()
            reader, writer = await asyncio.open_connection(self.host, self.port)
            writer.write(
                b"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                b"Connection: close\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)
            )
            with closing(writer):
                while piece := await reader.read(65536):
                    self.hear(piece)
            self.answers += 1


@contextmanager
def busy_day(
    folder: Path, models: int = MODELS, streams: int = STREAMS, lines: int = LINES, pace: float = PACE
) -> Iterator[tuple[Program, Streams]]:
    names = [f"model-{number}" for number in range(models - 1)]
    with Program(folder, busy(names, lines), watch=False) as program:
        with caller(program) as client:
            for name in [FLOOD, *names[:AT_WORK]]:
                client.post(f"/api/models/load/{name}").raise_for_status()
        with Streams(program.url, names[:AT_WORK], streams, pace) as asked:
            yield program, asked
