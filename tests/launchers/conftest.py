"""A real keeper for every test of this folder, and a witness of who lives."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from llamaswap_py.launchers.keeper_link import KeeperLink
from tests.fakes.loops import LOOPS
from tests.fakes.witness import Witness


def pytest_asyncio_loop_factories() -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Every test here runs on each loop we serve with."""
    return LOOPS


class Started:
    """The tasks a link asked for; none may end badly."""

    def __init__(self) -> None:
        self.tasks: list[asyncio.Task[None]] = []

    def start(self, name: str, coroutine: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(coroutine, name=name)
        self.tasks.append(task)
        return task


@pytest.fixture
async def link() -> AsyncIterator[KeeperLink]:
    started = Started()
    link = await KeeperLink.start(environ_token=secrets.token_hex(8), nofile=None, spawn_task=started.start)
    yield link
    await link.close()
    await asyncio.gather(*started.tasks)


@pytest.fixture
async def witness(tmp_path: Path) -> AsyncIterator[Witness]:
    witness = Witness(tmp_path)
    yield witness
    witness.close()
