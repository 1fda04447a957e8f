"""A proxy in small, to be killed: starts the kinds of tree it is told to through a keeper, and waits for ever."""

from __future__ import annotations

import asyncio
import os
import sys

from llamaswap_py.launchers.keeper_link import KeeperLink
from tests.fakes.witness import FAMILY


def ignore(_: bytes) -> None:
    """Nobody reads what they say."""


async def own(fifo: str, kinds: list[str]) -> None:
    tasks: list[object] = []
    link = await KeeperLink.start(
        environ_token="owner",
        nofile=None,
        spawn_task=lambda name, work: tasks.append(asyncio.create_task(work, name=name)),
    )
    children = []
    for kind in kinds:
        argv = [sys.executable, "-I", "-S", FAMILY, fifo, kind]
        children.append(await link.spawn(argv, os.environ, None, ignore))
    await asyncio.gather(*(child.gone for child in children))


if __name__ == "__main__":
    asyncio.run(own(sys.argv[1], sys.argv[2:]))
