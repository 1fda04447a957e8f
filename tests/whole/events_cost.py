"""What pages cost the streams beside them: `python -m tests.whole.events_cost`, one line for each kind of page.

Two hundred streams at once, alone, beside a page that reads its events, and beside one that has stopped reading."""

from __future__ import annotations

import asyncio
import os
import socket
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

from tests.whole.program import Program, config, model
from tests.whole.talk import caller, stream

STREAMS = 200
PROMPT = "[fake words=40 interval=0.05] go on"
SMALL = 4096  # a receive buffer that is full at once


@dataclass(frozen=True)
class Cost:
    """Of all streams together: the proxy's processor time, its memory, the middle and the slowest stream."""

    cpu: float
    memory: int
    middle: float
    slowest: float

    def __str__(self) -> str:
        seconds = f"cpu {self.cpu:.2f} s, stream {self.middle:.2f} s, slowest {self.slowest:.2f} s"
        return f"{seconds}, memory {self.memory / 2**20:.1f} MiB"


def open_page(program: Program) -> socket.socket:
    host, _, port = program.url.removeprefix("http://").partition(":")
    page = socket.socket()
    page.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL)
    page.connect((host, int(port)))
    page.sendall(b"GET /api/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
    return page


async def drink(page: socket.socket) -> None:
    page.setblocking(False)
    while await asyncio.get_running_loop().sock_recv(page, 1 << 20):
        pass


async def streams(program: Program) -> Cost:
    process = psutil.Process(program.process.pid)
    async with caller(program, STREAMS) as client:
        await stream(client, "one", "hello")
        before = process.cpu_times()
        told = await asyncio.gather(*(stream(client, "one", PROMPT) for _ in range(STREAMS)))
        after = process.cpu_times()
    assert all(each.error is None and each.data.endswith(b"[DONE]\n\n") for each in told)
    took = [each.took for each in told]
    cpu = after.user + after.system - before.user - before.system
    return Cost(cpu, process.memory_info().rss, statistics.median(took), max(took))


async def beside(program: Program, reads: bool, pages: int) -> Cost:
    opened = [open_page(program) for _ in range(pages)]
    readers = [asyncio.create_task(drink(page)) for page in opened] if reads else []
    try:
        return await streams(program)
    finally:
        for reader in readers:
            reader.cancel()
        await asyncio.gather(*readers, return_exceptions=True)
        for page in opened:
            page.close()


def measure(folder: Path) -> dict[str, Cost]:
    with Program(folder, config(model("one")), watch=False) as program:
        asyncio.run(beside(program, reads=False, pages=0))  # warm
        return {
            "no page": asyncio.run(beside(program, reads=False, pages=0)),
            "a page that reads": asyncio.run(beside(program, reads=True, pages=1)),
            "a page that stopped reading": asyncio.run(beside(program, reads=False, pages=1)),
            "five pages that stopped reading": asyncio.run(beside(program, reads=False, pages=5)),
        }


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        began = time.monotonic()
        for name, cost in measure(Path(folder)).items():
            print(f"{name:32} {cost}")
        print(f"{os.cpu_count()} cores, {time.monotonic() - began:.0f} s", file=sys.stderr)
