"""What is done to the program and its servers, one thing a second, drawn from a list by the seed."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import resource
import signal
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

import aiohttp
import psutil

from tests.whole.faults.crowd import connect, head
from tests.whole.faults.disk import fill, inside
from tests.whole.program import Program
from tests.whole.soak import census
from tests.whole.soak.callers import Caller
from tests.whole.soak.ledger import Ledger
from tests.whole.soak.scene import CHATTY, Scene

GONE = (psutil.NoSuchProcess, ProcessLookupError, FileNotFoundError)
CROWD = 60  # callers at once, of one model


class Troubles:
    """`go_on` until it is over; whatever lasts is `mended` then."""

    def __init__(self, scene: Scene, program: Program, seed: int, session: aiohttp.ClientSession, book: Ledger) -> None:
        self.scene = scene
        self.program = program
        self.random = random.Random(f"troubles of {seed}")
        self.seed = seed
        self.session = session
        self.ledger = book
        self.edition = 0
        self.removed = False
        self.disk = asyncio.Lock()
        self.frozen: list[psutil.Process] = []
        self.lasting: set[asyncio.Task[None]] = set()
        self.kinds: dict[Callable[[], Awaitable[str]], int] = {
            self.kill_a_server: 6,
            self.kill_a_stray: 3,
            self.stop_for_a_while: 4,
            self.stop_for_good: 1,
            self.edit: 3,
            self.touch: 2,
            self.break_the_file: 2,
            self.remove_or_add: 2,
            self.fill_the_disk: 2,
            self.crowd: 2,
            self.page_that_never_reads: 2,
            self.idle_connections: 1,
            self.unload_all: 2,
            self.restart: 1,
            self.kill_the_keeper: 1,
        }

    async def go_on(self, over: asyncio.Event) -> None:
        while not over.is_set():
            (kind,) = self.random.choices(list(self.kinds), list(self.kinds.values()))
            with contextlib.suppress(*GONE):  # it ended by itself a moment ago
                self.ledger.trouble(kind.__name__, await kind())
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(over.wait(), 0.5 + self.random.random())

    async def mended(self) -> None:
        """Nothing of it lasts: everybody runs, the file is good, the disk has room."""
        await asyncio.gather(*self.lasting)
        for process in self.frozen:
            with contextlib.suppress(*GONE):
                process.resume()
        self.removed = False
        self.save(self.scene.text(self.edition))

    def later(self, after: Awaitable[None]) -> None:
        async def wait() -> None:
            await after

        task = asyncio.create_task(wait())
        self.lasting.add(task)
        task.add_done_callback(self.lasting.discard)

    # -- processes

    async def one_of(self, strays: bool = False) -> psutil.Process:
        everybody = await asyncio.to_thread(census.below, self.program)
        keeper = census.keeper(self.program)
        found = set(census.strays(everybody))
        chosen = [each for each in everybody if each.pid != keeper and (each in found) is strays]
        if not chosen:
            raise ProcessLookupError
        return self.random.choice(chosen)

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
        seconds = 0.2 + 3 * self.random.random()
        self.later(self.resume(process, seconds))
        return f"{process.pid} for {seconds:.1f} s"

    async def resume(self, process: psutil.Process, seconds: float) -> None:
        await asyncio.sleep(seconds)
        with contextlib.suppress(*GONE):
            process.resume()

    async def stop_for_good(self) -> str:
        """Whoever finds it so must come to the conclusion that it hangs."""
        process = await self.one_of()
        process.suspend()
        self.frozen.append(process)
        return str(process.pid)

    async def kill_the_keeper(self) -> str:
        pid = census.keeper(self.program)
        if pid is None:
            raise ProcessLookupError
        os.kill(pid, signal.SIGKILL)
        return str(pid)

    # -- the configuration

    def save(self, text: str) -> None:
        fresh = self.scene.folder / "config.new"
        fresh.write_text(text)
        fresh.replace(self.program.path)

    async def edit(self) -> str:
        self.edition += 1
        self.save(self.scene.text(self.edition, self.removed))
        return f"edition {self.edition}"

    async def touch(self) -> str:
        self.program.path.touch()
        self.program.process.send_signal(signal.SIGHUP)
        return ""

    async def break_the_file(self) -> str:
        """Half of it, not as an editor would save it; the whole again a moment later."""
        text = self.scene.text(self.edition, self.removed)
        self.program.path.write_text(text[: self.random.randrange(len(text))])
        self.later(self.repair(self.random.random() * 2))
        return ""

    async def repair(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
        self.save(self.scene.text(self.edition, self.removed))

    async def remove_or_add(self) -> str:
        self.removed = not self.removed
        self.save(self.scene.text(self.edition, self.removed))
        return "removed" if self.removed else "added"

    # -- the disk

    async def fill_the_disk(self) -> str:
        seconds = 0.5 + 2 * self.random.random()
        self.later(self.full_for(seconds))
        return f"for {seconds:.1f} s"

    async def full_for(self, seconds: float) -> None:
        async with self.disk:  # it cannot be filled twice
            with self.full():
                await asyncio.sleep(seconds)

    @contextmanager
    def full(self) -> Iterator[None]:
        if self.scene.has_disk:
            filler = fill(inside(self.program, self.scene.state))
            yield
            filler.unlink()
            return
        pid = self.program.process.pid
        before = resource.prlimit(pid, resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
        yield
        resource.prlimit(pid, resource.RLIMIT_FSIZE, before)

    # -- callers and operators

    async def crowd(self) -> str:
        model = self.random.choice(CHATTY)
        callers = [Caller(1000 + each, self.seed, self.session, self.ledger) for each in range(CROWD)]
        self.later(self.all_at_once(callers, model))
        return model

    async def all_at_once(self, callers: list[Caller], model: str) -> None:
        await asyncio.gather(*(each.once(each.plain, model) for each in callers))

    async def page_that_never_reads(self) -> str:
        page = connect(self.program, head("GET", "/api/events"), 4096)
        self.later(self.close_after(5, page.close))
        return ""

    async def idle_connections(self) -> str:
        """Half a head each."""
        for _ in range(30):
            idle = connect(self.program, b"GET /health HTTP/1.1\r\nHost: loc")
            self.later(self.close_after(3, idle.close))
        return ""

    async def close_after(self, seconds: float, close: Callable[[], None]) -> None:
        await asyncio.sleep(seconds)
        close()

    async def unload_all(self) -> str:
        self.later(self.order("/api/models/unload"))
        return ""

    async def restart(self) -> str:
        model = self.random.choice(CHATTY)
        self.later(self.order(f"/api/models/restart/{model}"))
        return model

    async def order(self, path: str) -> None:
        async with self.session.post(path) as answer:
            await answer.read()
            if answer.status == 500:
                self.ledger.breach(f"{path} answered {answer.status}")
