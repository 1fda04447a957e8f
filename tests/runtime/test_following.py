"""Who waits for another model's end is started by the keeper: with the process that was ordered at the stop, or, where
something has changed meanwhile, with another."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import MappingProxyType

import pytest
from msgspec.structs import replace

from llamaswap_py.config.values import Config, Model
from llamaswap_py.errors import StartFailed
from llamaswap_py.runtime import ports
from llamaswap_py.runtime.following import Ordered
from llamaswap_py.schedule.plan import Phase
from tests.runtime.house import House, config_of, fake, house
from tests.runtime.test_conductor import turn, waits

SLOW = "--ignore-sigterm"  # it ends when it is killed


def numbered(*models: Model) -> Config:
    """Each with a port that is free."""
    return replace(config_of(*models), ports=MappingProxyType({model.id: ports.offered() for model in models}))


class Cards:
    seen = True

    async def memory_back(self, leader: int) -> None:
        """At once."""


@asynccontextmanager
async def swapping(config: Config, asked: str = "b") -> AsyncIterator[tuple[House, Ordered | None, asyncio.Task[int]]]:
    """a is being stopped for another one, whose caller gets the number of its process."""

    async def ask(at: House) -> int:
        async with at.conductor.lease(asked) as run:
            assert run.child is not None
            return run.child.pid

    async with house(config) as at:
        await at.conductor.load("a")
        asking = asyncio.create_task(ask(at))
        await waits(at, asked)
        yield at, at.conductor.following.ordered, asking
        asking.cancel()
        await asyncio.wait([asking])


async def test_it_is_started_with_what_was_ordered() -> None:
    config = numbered(fake("a"), fake("b"))
    async with swapping(config) as (at, ordered, asking):
        assert ordered is not None
        assert ordered.port == config.ports["b"]
        assert await asking == ordered.child.pid
        assert str(config.ports["b"]) in at.logs.model("b").history().decode()
        assert at.conductor.following.ordered is None
        assert at.conductor.ground.taken_ports == {ordered.port}


async def test_whose_caller_leaves_is_not_started() -> None:
    async with swapping(numbered(fake("a", SLOW), fake("b"))) as (at, ordered, asking):
        assert ordered is not None
        asking.cancel()
        await asyncio.wait([asking])
        await ordered.child.gone
        await turn()  # of those who hear of it
        assert not ordered.child.pid
        assert at.conductor.following.ordered is None
        assert ordered.port not in at.conductor.ground.taken_ports


async def test_of_an_edited_model_the_new_command_is_started() -> None:
    config = numbered(fake("a", SLOW), fake("b"))
    async with swapping(config) as (at, ordered, asking):
        assert ordered is not None
        edited = {**config.models, "b": fake("b", "--stderr edited")}
        at.conductor.replan(replace(config, models=MappingProxyType(edited)))
        await ordered.child.gone
        assert not ordered.child.pid
        at.conductor.hurry()
        assert await asking
        assert b"edited" in at.logs.model("b").history()


async def test_for_whom_more_is_waited_than_the_end_of_processes_nothing_is_ordered(tmp_path: Path) -> None:
    """What a cmdStop ends is nobody's process, and a card gives memory back when it likes."""
    stop = f"touch {tmp_path / 'stopped'}"
    for a, b in ((fake("a", cmd_stop=stop), fake("b")), (fake("a"), fake("b", cmd_stop=stop))):
        async with swapping(numbered(a, b)) as (_, ordered, asking):
            assert ordered is None
            assert await asking

    async with house(numbered(fake("a"), fake("b"))) as at:
        at.conductor.ground.cards = Cards()
        await at.conductor.load("a")
        loading = asyncio.create_task(at.conductor.load("b"))
        await at.until("a", Phase.STOPPING)
        assert at.conductor.following.ordered is None
        await loading


async def test_a_port_that_another_has_is_not_asked_for() -> None:
    config = numbered(fake("a"), fake("b"))
    with socket.socket() as stranger:
        stranger.bind(("127.0.0.1", config.ports["b"]))
        stranger.listen()
        async with swapping(config) as (at, ordered, asking):
            assert ordered is None
            assert await asking
            assert at.conductor.ground.taken_ports.isdisjoint(config.ports.values())


async def test_why_it_cannot_be_run_is_told_as_ever() -> None:
    missing = Model("b", "/no/such/command --port ${PORT}")
    async with swapping(numbered(fake("a"), missing)) as (_, ordered, asking):
        assert ordered is not None
        with pytest.raises(StartFailed, match="does not exist"):
            await asking


async def test_one_that_ends_at_once_was_started_once(tmp_path: Path) -> None:
    count = tmp_path / "count"
    dying = Model("b", f"sh -c 'echo run >> {count}; exit 3' ${{PORT}}")
    async with swapping(numbered(fake("a"), dying)) as (_, ordered, asking):
        assert ordered is not None
        with pytest.raises(StartFailed, match="exit code 3"):
            await asking
    assert count.read_text() == "run\n"


async def test_a_keeper_that_dies_meanwhile_takes_nobodys_start_with_it() -> None:
    async with swapping(numbered(fake("a", SLOW), fake("b"))) as (at, ordered, asking):
        assert ordered is not None
        at.link.keeper.kill()
        assert await asking != ordered.child.pid


async def test_where_cards_appear_meanwhile_nothing_follows_by_itself() -> None:
    async with swapping(numbered(fake("a", SLOW), fake("b"))) as (at, ordered, asking):
        assert ordered is not None
        at.conductor.ground.cards = Cards()
        other = asyncio.create_task(at.conductor.load("b"))
        await ordered.child.gone
        assert not ordered.child.pid
        at.conductor.hurry()
        assert await asking
        await other


async def test_another_model_that_starts_first_does_not_get_it() -> None:
    async with swapping(numbered(fake("a"), fake("b"))) as (at, ordered, asking):
        assert ordered is not None
        assert at.conductor.following.take(fake("b")) is None
        assert at.conductor.ground.dropped == {ordered.child}
        assert await asking != ordered.child.pid
        assert ordered.child.gone.done()
        assert not at.conductor.ground.dropped


async def test_beside_one_that_was_dropped_and_is_not_gone_nobody_is_ordered_or_started() -> None:
    async with swapping(numbered(fake("a", SLOW), fake("b"))) as (at, ordered, asking):
        assert ordered is not None
        os.kill(at.link.pid, signal.SIGSTOP)
        try:
            at.conductor.following.dismiss()
            at.conductor.following.look_ahead(at.conductor.scheduler, at.conductor.runs, at.conductor.config)
            assert at.conductor.following.ordered is None
            waiting = asyncio.create_task(at.conductor.ground.until_dropped_are_gone())
            await waits(at, "b")
            assert not waiting.done()
        finally:
            os.kill(at.link.pid, signal.SIGCONT)
        await waiting
        assert ordered.child.gone.done()
        at.conductor.hurry()
        assert await asking


async def test_whose_start_is_broken_off_before_it_was_taken_is_over_when_that_is_gone() -> None:
    """A model whose server cannot be reached by what its `proxy` says."""
    odd = fake("b", proxy="http://localhost:many")
    async with swapping(numbered(fake("a"), odd)) as (at, ordered, asking):
        assert ordered is not None
        with pytest.raises(StartFailed, match="cannot be reached"):
            await asking
        assert ordered.child.gone.done()
        assert not at.conductor.ground.taken_ports
