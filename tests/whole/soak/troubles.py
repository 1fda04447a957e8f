"""What is done to the program and its servers: about one thing a second, drawn by the seed."""

from __future__ import annotations

import asyncio
import contextlib

from tests.whole.soak.on_doors import OnDoors
from tests.whole.soak.on_files import OnFiles
from tests.whole.soak.on_processes import OnProcesses
from tests.whole.soak.stage import GONE, Stage


class Troubles:
    """`go_on` until it is over; whatever lasts is `mended` then."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.processes, self.files = OnProcesses(stage), OnFiles(stage)
        self.kinds = {**self.processes.kinds, **self.files.kinds, **OnDoors(stage).kinds}

    async def go_on(self, over: asyncio.Event) -> None:
        while not over.is_set():
            (kind,) = self.stage.random.choices(list(self.kinds), list(self.kinds.values()))
            with contextlib.suppress(*GONE):
                self.stage.ledger.trouble(kind.__name__, await kind())
            await self.stage.lapse(0.5 + self.stage.random.random())

    async def mended(self) -> None:
        """Nothing of it lasts: everybody runs, the file is good, the disk has room."""
        await self.stage.settled()
        self.processes.mend()
        self.files.mend()
