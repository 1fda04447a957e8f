"""Waits until the cards show that a dead server's memory is free. Never longer than a tool that works would take."""

from __future__ import annotations

import asyncio
import contextlib

from llamaswap_py.observe.gpu.gpus import Gpus
from llamaswap_py.observe.gpu.source import Source

LOOK_SECONDS = 1.0  # a tool that takes longer is not waited for
PAUSE_SECONDS = 0.05


class Freed:
    def __init__(self, gpus: Gpus) -> None:
        self.gpus = gpus

    @property
    def seen(self) -> bool:
        return bool(self.gpus.sources)  # which may not have said anything yet

    async def memory_back(self, leader: int) -> None:
        """`leader`: of a tree of processes that is gone. At once where the cards last knew none of them."""
        gone = {pid for pid, line in self.gpus.lineages.items() if leader in line}
        while holders := self.holders(gone):
            for source in holders:
                if not await self.looked(source):
                    return
            if self.holders(gone):
                await asyncio.sleep(PAUSE_SECONDS)

    def holders(self, pids: set[int]) -> list[Source]:
        cards = self.gpus.fresh() if pids else []
        kinds = {card.kind for card in cards if card.processes and not pids.isdisjoint(card.processes)}
        return [source for kind, source in tuple(self.gpus.sources.items()) if kind in kinds]

    async def looked(self, source: Source) -> bool:
        loop, over = asyncio.get_running_loop(), asyncio.Event()

        def tell() -> None:
            with contextlib.suppress(RuntimeError):  # the loop has ended meanwhile
                loop.call_soon_threadsafe(over.set)

        if not source.look_now(tell):
            return False
        try:
            async with asyncio.timeout(LOOK_SECONDS):
                await over.wait()
        except TimeoutError:
            return False
        return True
