"""Knows who of a process tree lives, without asking twice: a FIFO that all of them hold open."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

FAMILY = str(Path(__file__).with_name("family.py"))


class Witness:
    """`born(n)` waits until n processes reported; `all_gone` until none of them lives."""

    def __init__(self, folder: Path) -> None:
        self.fifo = folder / "witness"
        os.mkfifo(self.fifo)
        self.reading = os.open(self.fifo, os.O_RDONLY | os.O_NONBLOCK)
        self.writing = os.open(self.fifo, os.O_WRONLY)  # no end of file before somebody was born
        self.said = b""
        self.ended = False
        self.news = asyncio.Event()
        asyncio.get_running_loop().add_reader(self.reading, self.read)

    def argv(self, kind: str) -> list[str]:
        return [sys.executable, "-I", "-S", FAMILY, str(self.fifo), kind]

    def read(self) -> None:
        data = os.read(self.reading, 65536)
        self.said += data
        self.news.set()
        if not data:
            self.ended = True
            asyncio.get_running_loop().remove_reader(self.reading)

    async def until_news(self) -> None:
        self.news.clear()
        await self.news.wait()

    async def born(self, count: int) -> list[int]:
        async with asyncio.timeout(10):
            while self.said.count(b"\n") < count:
                await self.until_news()
        return [int(pid) for pid in self.said.split()]

    async def all_gone(self, within: float = 2.0) -> None:
        os.close(self.writing)
        self.writing = -1
        async with asyncio.timeout(within):
            while not self.ended:
                await self.until_news()

    def close(self) -> None:
        if not self.ended:
            asyncio.get_running_loop().remove_reader(self.reading)
        os.close(self.reading)
        if self.writing >= 0:
            os.close(self.writing)
