"""One soak from beginning to end: the program, its callers, its troubles, those who look on, and the verdict."""

from __future__ import annotations

import asyncio
import statistics
import subprocess
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import psutil

from tests.whole.program import LONG, Program
from tests.whole.soak import census
from tests.whole.soak.callers import Caller, whole_choices
from tests.whole.soak.census import Figures
from tests.whole.soak.judges import USUAL_HEALTH, Health, Processes, Records, Scheduling
from tests.whole.soak.ledger import Ledger, pause
from tests.whole.soak.scene import CHATTY, Scene
from tests.whole.soak.stage import Stage
from tests.whole.soak.troubles import Troubles
from tests.whole.talk import CHAT, chat_body

CALLERS = 12
REST = 45.0  # until everything is down again, on a busy machine
MORE_DESCRIPTORS = 6  # a connection that is not closed yet, a store that was opened anew
MORE_THREADS = 12  # of the pool for blocking work, which grows to its size
MORE_MEMORY = 64 * 2**20  # filled rings of logs and captures, records, fragments
GROWTH = 1.08  # between the second and the last quarter of a long soak: medians, which differ by a few percent anyway
LINES = 400  # of the program's log, told with a breach
ENOUGH_LOOKS = 200  # for one in a hundred to be more than the single worst
LONG_ENOUGH = 600.0  # seconds: shorter ones are still filling their rings


@dataclass
class Verdict:
    """What is told in the end."""

    seed: int
    seconds: float
    disk: str
    requests: int = 0
    outcomes: dict[str, int] = field(default_factory=dict)
    troubles: dict[str, int] = field(default_factory=dict)
    before: Figures | None = None
    after: Figures | None = None
    keeper_after: Figures | None = None
    memory: list[float] = field(default_factory=list)  # MiB, every ten seconds
    health: dict[str, float] = field(default_factory=dict)
    longest: float = 0.0
    rows: int = 0
    breaches: list[str] = field(default_factory=list)
    events: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


class Soak:
    def __init__(self, folder: Path, seed: int, seconds: float, say: Callable[[str], None]) -> None:
        self.scene = Scene(folder, f"{seed}-{time.monotonic_ns()}")
        self.seed = seed
        self.seconds = seconds
        self.say = say
        self.ledger = Ledger()
        disk = "a file system of its own, filled" if self.scene.has_disk else "files forbidden to grow"
        self.verdict = Verdict(seed, seconds, disk)
        self.over = asyncio.Event()

    async def run(self) -> Verdict:
        program = self.scene.program()
        with program:
            async with asking(program) as session:
                await self.attend(program, session)
            program.process.terminate()
            await asyncio.to_thread(self.gone, program)
        self.nobody_left()
        self.sum_up()
        self.verdict.said = program.lines[-LINES:] if self.ledger.breaches else []
        return self.verdict

    def gone(self, program: Program) -> None:
        try:
            code = program.process.wait(LONG)
        except subprocess.TimeoutExpired:
            self.ledger.breach(f"it did not end within {LONG:.0f} s of SIGTERM")
            return
        if code:
            self.ledger.breach(f"it ended with status {code}")

    async def attend(self, program: Program, session: aiohttp.ClientSession) -> None:
        records = Records(session, self.ledger)
        scheduling = Scheduling(session, self.ledger)
        await self.warm_up(session)
        await self.rest(program, session, scheduling)
        self.verdict.before = census.figures(program.process.pid)
        self.say(f"at the beginning: {self.verdict.before}")
        async with asking(program) as stormy:  # its connections go before what is left is weighed
            await self.weather(program, stormy, (records.watch, scheduling.watch))
        await self.rest(program, session, scheduling)
        await records.read()
        records.compare()
        self.verdict.rows = records.rows.total()
        self.weigh(program)

    async def warm_up(self, session: aiohttp.ClientSession) -> None:
        """Everybody has been up once: what is made at first use is part of the beginning."""
        for model in CHATTY:
            async with session.post(CHAT, json=chat_body(model, "hello", stream=False)) as answer:
                told = await answer.json()
                if told.get("choices") != whole_choices(model, "hello"):
                    self.ledger.breach(f"{model} did not serve before anything was done to it: {told}")
                self.ledger.ended(model, "whole", answer.status, 0.0)

    async def weather(
        self, program: Program, session: aiohttp.ClientSession, watching: Sequence[Callable[..., Awaitable[None]]]
    ) -> None:
        """The storm itself."""
        troubles = Troubles(Stage(self.scene, program, self.seed, session, self.ledger, self.over))
        callers = [Caller(number, self.seed, session, self.ledger) for number in range(CALLERS)]
        health = Health(program, self.ledger)
        health.start()
        onlookers = (*watching, Processes(program, self.ledger).watch, troubles.go_on)
        storm = [asyncio.create_task(each.storm(self.over)) for each in callers]
        storm += [asyncio.create_task(watched(each, self.over)) for each in onlookers]
        storm.append(asyncio.create_task(self.report(program)))
        try:
            await self.last(storm)
        finally:
            self.over.set()
            await troubles.mended()
            await asyncio.gather(*storm)
            health.over.set()
            await asyncio.to_thread(health.join)

    async def last(self, storm: list[asyncio.Task[None]]) -> None:
        """For as long as was ordered, unless something breaks."""
        end = time.monotonic() + self.seconds
        while time.monotonic() < end and not self.ledger.breaches:
            done, _ = await asyncio.wait(storm, timeout=0.5, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                await task
                raise RuntimeError(f"{task} ended too early")

    async def report(self, program: Program) -> None:
        """A line every ten seconds."""
        while not self.over.is_set():
            now = census.figures(program.process.pid)
            self.verdict.memory.append(round(now.memory / 2**20, 1))
            ends = ", ".join(f"{count} {how}" for how, count in sorted(self.ledger.outcomes.items()))
            worst = max(self.ledger.health[-40:], default=0.0)
            self.say(
                f"{self.ledger.now:6.0f} s  {now}; /health {worst * 1000:.0f} ms; {self.troubled} troubles; {ends}"
            )
            await pause(self.over, 10.0)

    @property
    def troubled(self) -> int:
        return self.ledger.troubles.total()

    # -- afterwards

    async def rest(self, program: Program, session: aiohttp.ClientSession, scheduling: Scheduling) -> None:
        """Nobody asks, everything is unloaded: then nothing but the program and its keeper may live."""
        deadline = time.monotonic() + REST
        async with session.post("/api/models/unload") as answer:
            await answer.read()
        while await self.busy(program, scheduling):
            if time.monotonic() > deadline:
                everybody = [" ".join(each.cmdline()) for each in census.marked(self.scene.tag)]
                self.ledger.breach(f"it never came to rest: {await scheduling.read()}; {everybody}")
                return
            await asyncio.to_thread(psutil.wait_procs, census.below(program), 0.2)

    async def busy(self, program: Program, scheduling: Scheduling) -> bool:
        told = await scheduling.read()
        up = [row for row in told["running"] if row["state"] in ("starting", "ready", "stopping", "leaked")]
        return bool(up or told["waiting"] or len(await asyncio.to_thread(census.below, program)) > 1)

    def nobody_left(self) -> None:
        """Neither by mark nor by lock."""
        deadline = time.monotonic() + 2.0
        while left := census.marked(self.scene.tag):
            if time.monotonic() > deadline:
                self.ledger.breach(f"processes are left: {left}")
                return
        for name in CHATTY:
            lock = self.scene.folder / f"{name}.lock"
            if subprocess.run(["flock", "--nonblock", lock, "true"], check=False).returncode:
                self.ledger.breach(f"somebody still holds the lock of {name}")

    def weigh(self, program: Program) -> None:
        before, after = self.verdict.before, census.figures(program.process.pid)
        assert before is not None
        self.verdict.after = after
        keeper = census.keeper(program)
        self.verdict.keeper_after = census.figures(keeper) if keeper else None
        for what, grown, allowed in (
            ("descriptors", after.descriptors - before.descriptors, MORE_DESCRIPTORS),
            ("threads", after.threads - before.threads, MORE_THREADS),
            ("bytes", after.memory - before.memory, MORE_MEMORY),
        ):
            if grown > allowed:
                self.ledger.breach(f"{grown} {what} more than at the beginning: {before}, then {after}")
        self.weigh_growth()

    def weigh_growth(self) -> None:
        quarter = len(self.verdict.memory) // 4
        if self.seconds < LONG_ENOUGH or not quarter:
            return
        early = statistics.median(self.verdict.memory[quarter : 2 * quarter])
        late = statistics.median(self.verdict.memory[-quarter:])
        if late > early * GROWTH:
            self.ledger.breach(f"memory grows: {early:.0f} MiB in the second quarter, {late:.0f} in the last")

    def sum_up(self) -> None:
        ledger, verdict = self.ledger, self.verdict
        spans = sorted(ledger.health)
        if spans:
            usual = spans[int(len(spans) * 0.99)]
            verdict.health = {"median": statistics.median(spans), "p99": usual, "worst": spans[-1]}
            if usual > USUAL_HEALTH and len(spans) >= ENOUGH_LOOKS:
                ledger.breach(f"/health took {usual:.2f} s for one in a hundred")
        verdict.seconds = ledger.now
        verdict.requests = ledger.requests
        verdict.outcomes = dict(sorted(ledger.outcomes.items()))
        verdict.troubles = dict(sorted(ledger.troubles.items()))
        verdict.longest = ledger.longest
        verdict.breaches = ledger.breaches
        verdict.events = list(ledger.events)


def asking(program: Program) -> aiohttp.ClientSession:
    """As many connections as are wanted, without any limit but those of the callers themselves."""
    timeout = aiohttp.ClientTimeout(total=None)
    return aiohttp.ClientSession(program.url, connector=aiohttp.TCPConnector(limit=0), timeout=timeout)


async def watched(watch: Callable[[asyncio.Event], Awaitable[None]], over: asyncio.Event) -> None:
    await watch(over)
