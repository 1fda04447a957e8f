"""Troubles of processes: killed, stopped for a while, stopped for good."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal

import psutil

from tests.whole.soak import census
from tests.whole.soak.stage import GONE, Stage, Trouble


class OnProcesses:
    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.frozen: list[psutil.Process] = []

    @property
    def kinds(self) -> dict[Trouble, int]:
        return {
            self.kill_a_server: 6,
            self.kill_a_stray: 3,
            self.stop_for_a_while: 4,
            self.stop_for_good: 1,
            self.kill_the_keeper: 1,
        }

    def mend(self) -> None:
        for process in self.frozen:
            with contextlib.suppress(*GONE):
                process.resume()

    async def one_of(self, strays: bool = False) -> psutil.Process:
        everybody = await asyncio.to_thread(census.below, self.stage.program)
        keeper = census.keeper(self.stage.program)
        found = set(census.strays(everybody))
        chosen = [each for each in everybody if each.pid != keeper and (each in found) is strays]
        if not chosen:
            raise ProcessLookupError
        return self.stage.random.choice(chosen)

    async def kill_a_server(self) -> str:
        process = await self.one_of()
        process.kill()
        return str(process.pid)

    async def kill_a_stray(self) -> str:
        process = await self.one_of(strays=True)
        process.kill()
        return str(process.pid)

    async def stop_for_a_while(self) -> str:
        process = await self.one_of()
        process.suspend()
        seconds = 0.2 + 3 * self.stage.random.random()
        self.stage.later(self.resume(process, seconds))
        return f"{process.pid} for {seconds:.1f} s"

    async def resume(self, process: psutil.Process, seconds: float) -> None:
        await self.stage.lapse(seconds)
        with contextlib.suppress(*GONE):
            process.resume()

    async def stop_for_good(self) -> str:
        """Whoever finds it so must come to the conclusion that it hangs."""
        process = await self.one_of()
        process.suspend()
        self.frozen.append(process)
        return str(process.pid)

    async def kill_the_keeper(self) -> str:
        pid = census.keeper(self.stage.program)
        if pid is None:
            raise ProcessLookupError
        os.kill(pid, signal.SIGKILL)
        return str(pid)
