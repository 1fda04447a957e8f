"""The whole is looked at while somebody follows, and told when it changed."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from llamaswap_py.runtime.tasks import Tasks
from llamaswap_py.server.audience import Message
from llamaswap_py.server.overview.watching import Watching, lasting

FOREVER = 3600.0


def said(event: bytes) -> Any:
    return json.loads(json.loads(event.partition(b"data:")[2])["data"])


class Scene:
    """Every look and what is told are waited for."""

    def __init__(self) -> None:
        self.tasks = Tasks()
        self.score = 90.0
        self.looks: asyncio.Queue[float] = asyncio.Queue()
        self.told: asyncio.Queue[Any] = asyncio.Queue()
        self.watching = Watching(self.look, self.tasks.start, self.tell, FOREVER)

    async def look(self) -> dict[str, Any]:
        self.looks.put_nowait(self.score)
        return {"health": {"score": self.score, "timestamp": str(self.looks.qsize())}, "gpus": None}

    def tell(self, message: Message) -> None:
        self.told.put_nowait(self.watching.last)

    async def again(self, score: float) -> None:
        self.score = score
        self.watching.soon()
        assert await self.looks.get() == score

    async def heard(self) -> float:
        told = await self.told.get()
        score: float = told["health"]["score"]
        return score


async def test_what_did_not_change_is_not_told_again() -> None:
    scene = Scene()
    assert said(scene.watching.opening()) == {"health": None, "gpus": None}
    scene.watching.open()
    assert (await scene.looks.get(), await scene.heard()) == (90.0, 90.0)
    await scene.again(90.0)
    await scene.again(70.0)
    assert await scene.heard() == 70.0
    assert said(scene.watching.opening())["health"]["score"] == 70.0
    await scene.tasks.close()


async def test_nothing_is_looked_at_while_nobody_follows() -> None:
    scene = Scene()
    scene.watching.open()
    assert (await scene.looks.get(), await scene.heard()) == (90.0, 90.0)
    scene.watching.close()
    scene.watching.soon()
    await scene.tasks.close()
    assert scene.looks.empty()
    scene.watching.open()
    assert (await scene.looks.get(), await scene.heard()) == (90.0, 90.0)
    await scene.tasks.close()


def test_the_moment_of_a_look_is_no_change() -> None:
    cards = [{"seen": "1", "temperature": 40}]
    assert lasting({"gpus": cards, "timestamp": "a"}) == lasting({"gpus": [{"seen": "2", "temperature": 40}]})
    assert lasting({"gpus": cards}) != lasting({"gpus": [{"seen": "1", "temperature": 41}]})
