"""Troubles of files: the configuration edited, broken, without a model; the disk full."""

from __future__ import annotations

import asyncio
import resource
import signal
from collections.abc import Iterator
from contextlib import contextmanager

from tests.whole.faults.disk import fill, inside
from tests.whole.soak.stage import Stage, Trouble


class OnFiles:
    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.edition = 0
        self.removed = False
        self.disk = asyncio.Lock()

    @property
    def kinds(self) -> dict[Trouble, int]:
        return {self.edit: 3, self.touch: 2, self.break_the_file: 2, self.remove_or_add: 2, self.fill_the_disk: 2}

    def mend(self) -> None:
        self.removed = False
        self.save()

    @property
    def text(self) -> str:
        return self.stage.scene.text(self.edition, self.removed)

    def save(self) -> None:
        fresh = self.stage.scene.folder / "config.new"
        fresh.write_text(self.text)
        fresh.replace(self.stage.program.path)

    async def edit(self) -> str:
        self.edition += 1
        self.save()
        return f"edition {self.edition}"

    async def touch(self) -> str:
        self.stage.program.path.touch()
        self.stage.program.process.send_signal(signal.SIGHUP)
        return ""

    async def break_the_file(self) -> str:
        """Half of it, not as an editor would save it; the whole again a moment later."""
        text = self.text
        self.stage.program.path.write_text(text[: self.stage.random.randrange(len(text))])
        self.stage.later(self.repair(self.stage.random.random() * 2))
        return ""

    async def repair(self, seconds: float) -> None:
        await self.stage.lapse(seconds)
        self.save()

    async def remove_or_add(self) -> str:
        self.removed = not self.removed
        self.save()
        return "removed" if self.removed else "added"

    async def fill_the_disk(self) -> str:
        seconds = 0.5 + 2 * self.stage.random.random()
        self.stage.later(self.full_for(seconds))
        return f"for {seconds:.1f} s"

    async def full_for(self, seconds: float) -> None:
        async with self.disk:  # it cannot be filled twice
            self.stage.ledger.blind(True)
            with self.full():
                await self.stage.lapse(seconds)
            self.stage.ledger.blind(False)

    @contextmanager
    def full(self) -> Iterator[None]:
        if self.stage.scene.has_disk:
            filler = fill(inside(self.stage.program, self.stage.scene.state))
            yield
            filler.unlink()
            return
        pid = self.stage.program.process.pid
        before = resource.prlimit(pid, resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
        yield
        resource.prlimit(pid, resource.RLIMIT_FSIZE, before)
