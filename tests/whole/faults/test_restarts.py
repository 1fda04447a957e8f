"""The program is killed at any moment and started again on what it left."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sqlite3
import sys
from contextlib import closing
from itertools import count
from pathlib import Path

import httpx
import pytest

from tests.whole.faults.trees import STRAY, Alive, again, keeper_of, kill_at_once, together
from tests.whole.program import Program, config, model
from tests.whole.talk import CHAT, caller, chat_body, running

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="strays are found by the marks that Linux keeps")

KILLS = int(os.environ.get("LLAMASWAP_TEST_KILLS", "5"))  # a usual run takes few, 100 are the promise
AFTER = 2.0  # seconds, at most, until nothing is left of a killed program or of one that died with its keeper


class Scene:
    """A configuration that is saved again and again, requests that are recorded, and a server with a stray."""

    def __init__(self, folder: Path, alive: Alive) -> None:
        self.folder = folder
        self.alive = alive
        self.store = folder / "activity.db"
        self.ttls = count(1000)
        self.saved = 0
        self.rows = 0

    def text(self) -> str:
        self.saved = next(self.ttls)
        with_stray = self.alive.model("a", "", STRAY, unloadTimeout=1, ttl=self.saved)
        return together("a", "b") + config(with_stray, model("b"), store=f"{{path: {self.store}}}")

    async def ask(self, client: httpx.AsyncClient, name: str) -> None:
        while True:
            await client.post(CHAT, json=chat_body(name, "hello"))

    async def save(self, client: httpx.AsyncClient, path: Path) -> None:
        while True:
            fresh = path.with_suffix(".new")
            text = self.text()
            fresh.write_text(text)
            fresh.replace(path)
            await client.get("/health")

    async def live(self, program: Program, moment: float) -> None:
        """Until it is killed, with its keeper at times: then nobody is left to end what it started."""
        async with caller(program) as client:
            (await client.post(CHAT, json=chat_body("a", "hello"))).raise_for_status()
            assert (await running(client))["a"]["ttl"] == self.saved, "what was saved last is in force"
            tasks = [asyncio.create_task(self.ask(client, name)) for name in "ab"]
            tasks += [asyncio.create_task(self.save(client, program.path))]
            await asyncio.wait(tasks, timeout=moment)
            kill_at_once(*([keeper_of(program)] if random.random() < 0.5 else []), program.process.pid)
            program.process.wait()
            for told in await asyncio.gather(*tasks, return_exceptions=True):
                assert isinstance(told, httpx.HTTPError)

    def check_store(self) -> None:
        with closing(sqlite3.connect(self.store)) as database:
            assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            (rows,) = database.execute("SELECT COUNT(*) FROM activity").fetchone()
        assert rows >= self.rows, "what was written stays"
        self.rows = rows


async def test_l98_killed_at_any_moment_it_starts_clean_on_what_it_left(tmp_path: Path) -> None:
    """The last saved configuration serves, the records open whole, and what the dead one left running is gone."""
    flags: list[str] = []
    with Alive(tmp_path) as alive:
        scene = Scene(tmp_path, alive)
        text = scene.text()
        for number in range(KILLS):
            with Program(tmp_path, text, *flags) as program:
                assert alive.all_gone(AFTER), "a stray of the one before"
                flags = [again(program)]
                await scene.live(program, random.uniform(0.0, 1.0))
            scene.check_store()
            text = program.path.read_text()
            print(f"kill {number}: ttl {scene.saved}, {scene.rows} rows")
        with Program(tmp_path, text, *flags) as program:
            assert alive.all_gone(AFTER)
            program.process.send_signal(signal.SIGTERM)
            assert program.process.wait() == 0
    assert scene.rows > 0
