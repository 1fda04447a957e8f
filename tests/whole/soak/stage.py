"""What every trouble needs: the program, the dice, the book, and a place for what lasts a while."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import aiohttp
import psutil

from tests.whole.program import Program
from tests.whole.soak.ledger import Ledger, pause
from tests.whole.soak.scene import Scene

GONE = (psutil.NoSuchProcess, ProcessLookupError, FileNotFoundError)  # it ended by itself a moment ago
Trouble = Callable[[], Awaitable[str]]  # returns what it did, in a word or two


@dataclass
class Stage:
    scene: Scene
    program: Program
    seed: int
    session: aiohttp.ClientSession
    ledger: Ledger
    over: asyncio.Event
    lasting: set[asyncio.Task[None]] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.random = random.Random(f"troubles of {self.seed}")

    def later(self, what: Awaitable[None]) -> None:
        async def wait() -> None:
            await what

        task = asyncio.create_task(wait())
        self.lasting.add(task)
        task.add_done_callback(self.lasting.discard)

    async def lapse(self, seconds: float) -> None:
        await pause(self.over, seconds)

    async def settled(self) -> None:
        await asyncio.gather(*self.lasting)
