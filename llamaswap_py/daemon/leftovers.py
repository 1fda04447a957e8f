"""What a dead owner left: things its commands started elsewhere, and processes, when even its keeper was killed."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import structlog

from llamaswap_py.config import command
from llamaswap_py.errors import Refusal
from llamaswap_py.keeper import cgroups, table, trees
from llamaswap_py.keeper.process import Process
from llamaswap_py.launchers.keeper_link import KeeperLink
from llamaswap_py.launchers.records import Record, left, remove
from llamaswap_py.launchers.sweep import end_all

log = structlog.get_logger("leftovers")


async def settle(token: str | None, folder: Path, link: KeeperLink) -> None:
    """Each `cmdStop` that was not run, all at once; then whoever is still there is killed."""
    await asyncio.gather(*(stop_elsewhere(record, path, link) for path, record in left(folder)))
    if token is not None:
        await clear(token)


async def stop_elsewhere(record: Record, path: Path, link: KeeperLink) -> None:
    """Tried once: what fails now would fail at every start."""
    log.warning(f"model {record.model} was running when the proxy was killed: running its cmdStop")
    said = bytearray()
    argv = command.stop_argv(record.cmd_stop, record.process() or command.NOBODY)
    env = {**os.environ, **{key: value for key, _, value in (pair.partition("=") for pair in record.env)}}
    try:
        stopper = await link.spawn(argv, env, record.cwd, said.extend)
        done, _ = await asyncio.wait([stopper.exited], timeout=record.grace)
        stopper.kill_tree()
        await stopper.over()
        how = str(stopper.exited.result()) if done else f"no end within {record.grace:g} s"
    except Refusal as refusal:
        how = refusal.message
    if how != "exit code 0":
        words = said[-500:].decode("utf-8", "replace").strip()
        log.error(f"model {record.model}: what it started elsewhere may still run; its cmdStop: {how}. {words}")
    remove(path)


async def clear(token: str) -> None:
    """Kill whoever carries the mark. A keeper that is still at it does the same; two do no harm."""

    def find() -> list[Process]:
        return list(trees.leftovers(table.snapshot(), token).values())

    found = [process for process in find() if process.alive]
    if found:
        log.warning(f"ending {len(found)} processes that an earlier start left running")
    if survivors := await end_all(find):
        log.error(f"processes of an earlier start survive SIGKILL: {', '.join(str(row.pid) for row in survivors)}")
    for group in cgroups.left(cgroups.place(), token):
        cgroups.remove(group)
