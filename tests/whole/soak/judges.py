"""Who looks on while it goes on: health, records, evictions, processes. Each is a task that ends with the soak."""

from __future__ import annotations

import asyncio
import http.client
import threading
import time
from collections import Counter
from typing import Any

import aiohttp
import httpx

from tests.whole.program import LONG, Program
from tests.whole.soak import census
from tests.whole.soak.ledger import Ledger, pause
from tests.whole.soak.scene import TWICE

WORST_HEALTH = 5.0  # of any single one, however busy the machine is
USUAL_HEALTH = 1.0  # of 99 in a hundred
EVERY = 1.0


class Health(threading.Thread):
    """Asks four times a second, over a connection of its own each time, from a thread: no storm of ours delays it."""

    def __init__(self, program: Program, ledger: Ledger) -> None:
        super().__init__(daemon=True)
        url = httpx.URL(program.url)
        self.address = (url.host, url.port)
        self.ledger = ledger
        self.over = threading.Event()

    def run(self) -> None:
        while not self.over.wait(0.25):
            began = time.monotonic()
            told = self.ask()
            took = time.monotonic() - began
            self.ledger.health.append(took)
            if told != b"OK":
                self.ledger.breach(f"/health answered {told!r}")
            if took > WORST_HEALTH:
                self.ledger.breach(f"/health took {took:.1f} s")

    def ask(self) -> bytes:
        connection = http.client.HTTPConnection(*self.address, timeout=LONG)
        try:
            connection.request("GET", "/health")
            return connection.getresponse().read()
        except OSError as error:
            return repr(error).encode()
        finally:
            connection.close()


class Records:
    """Reads the rows as they are written: each id once, in order, with a status."""

    def __init__(self, session: aiohttp.ClientSession, ledger: Ledger) -> None:
        self.session = session
        self.ledger = ledger
        self.last = 0
        self.rows: Counter[tuple[str, int]] = Counter()
        self.gaps = 0

    async def watch(self, over: asyncio.Event) -> None:
        while not over.is_set():
            await self.read()
            await pause(over, EVERY)

    async def read(self) -> None:
        while rows := await self.page():
            for row in rows:
                self.take(row)

    async def page(self) -> list[dict[str, Any]]:
        wanted = {"min_id": str(self.last + 1), "limit": "999", "sort": "id", "order": "asc"}
        async with self.session.get("/api/metrics/activity", params=wanted) as answer:
            return list((await answer.json())["data"]) if answer.status == 200 else []

    def take(self, row: dict[str, Any]) -> None:
        if not 200 <= row["resp_status_code"] < 600:
            self.ledger.breach(f"a row without a status: {row}")
        if row["duration_ms"] < 0:
            self.ledger.breach(f"a row of negative length: {row}")
        self.gaps += row["id"] - self.last - 1
        self.last = row["id"]
        self.rows[row["model"], row["resp_status_code"]] += 1

    def compare(self) -> None:
        """With what the callers counted. Rows may be missing only of requests that ended while the disk was full."""
        ledger = self.ledger
        for model in {model for model, _ in ledger.statuses} - {"sockets"}:
            seen = sum(count for (name, _), count in ledger.statuses.items() if name == model)
            rows = sum(count for (name, _), count in self.rows.items() if name == model)
            if not seen - ledger.excused[model] <= rows <= seen + ledger.unsure[model]:
                left, excused = ledger.unsure[model], ledger.excused[model]
                ledger.breach(f"{model}: {rows} rows of {seen} requests; {left} left unheard, {excused} are excused")
        # A stream that began with news of the loading is 200 for its caller, and in its row what became of it.
        for (model, status), count in ledger.statuses.items():
            if self.rows[model, status] < count - ledger.excused[model] and model not in ("sockets", "slow"):
                ledger.breach(f"{model}: {self.rows[model, status]} rows of {count} with status {status}")


class Scheduling:
    """What `/running` says: whoever made room for another was serving nobody."""

    def __init__(self, session: aiohttp.ClientSession, ledger: Ledger) -> None:
        self.session = session
        self.ledger = ledger

    async def watch(self, over: asyncio.Event) -> None:
        while not over.is_set():
            told = await self.read()
            for evicted, why in told.get("evicted", {}).items():
                self.judge(evicted, why)
            await pause(over, EVERY)

    async def read(self) -> dict[str, Any]:
        async with self.session.get("/running") as answer:
            return dict(await answer.json())

    def judge(self, evicted: str, why: dict[str, Any]) -> None:
        busy = [each for each in why["candidates"] if each["model"] in why["chosen"] and each["seated"]]
        if busy:
            self.ledger.breach(f"{evicted} made room while it was busy: {why}")


class Processes:
    """No zombie stays, nobody of a model runs twice."""

    def __init__(self, program: Program, ledger: Ledger) -> None:
        self.program = program
        self.ledger = ledger
        self.dead: set[int] = set()
        self.read = 0

    async def watch(self, over: asyncio.Event) -> None:
        while not over.is_set():
            dead = await asyncio.to_thread(census.zombies, self.program)
            if still := dead & self.dead:
                self.ledger.breach(f"zombies stay: {still}")
            self.dead = dead
            self.listen()
            await pause(over, 3 * EVERY)

    def listen(self) -> None:
        """What the program says of itself."""
        lines = self.program.lines[self.read :]
        self.read += len(lines)
        for line in lines:
            if f"exit code {TWICE}" in line:
                self.ledger.breach(f"two lives of one model: {line}")
            if "Traceback" in line or "never retrieved" in line:
                self.ledger.breach(f"an error inside: {line}")
