"""Orders are carried out, seats are left, and whoever orders a load hears how it ended."""

from __future__ import annotations

import asyncio

import pytest
from msgspec.structs import replace

from llamaswap_py.config.values import Matrix
from llamaswap_py.errors import ShuttingDown, StartBackoff, StartFailed, UnknownModel, Unloaded
from llamaswap_py.runtime.feed import ModelChanged
from llamaswap_py.schedule.plan import Phase
from tests.runtime.house import House, config_of, fake, house


async def turn() -> None:
    """One of the loop's."""
    over = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().call_soon(over.set_result, None)
    await over


async def wanted(at: House, model: str) -> None:
    """Until somebody's order to load it has been heard."""
    while model not in at.conductor.loads.waiting:
        await turn()


async def waits(at: House, model: str) -> None:
    """Until a caller waits for it."""
    while not at.conductor.scheduler.snapshot()[model].waiting:
        await turn()


async def test_a_lease_starts_its_model_and_the_seat_is_free_afterwards() -> None:
    async with house(config_of(fake("a"))) as at:
        async with at.conductor.lease("a") as run:
            (standing,) = at.conductor.standings()
            assert (standing.phase, standing.seated, standing.pid) == (Phase.READY, 1, run.child and run.child.pid)
            assert str(run.port) in standing.model.cmd
        (standing,) = at.conductor.standings()
        assert (standing.phase, standing.seated) == (Phase.READY, 0)


async def test_a_caller_who_is_cancelled_while_it_waits_is_forgotten() -> None:
    async with house(config_of(fake("a", "--load-seconds 1"))) as at:

        async def ask() -> None:
            async with at.conductor.lease("a"):
                raise AssertionError("it was cancelled before")

        asking = asyncio.create_task(ask())
        await at.until("a", Phase.STARTING)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        assert [row.waiting for row in at.conductor.standings()] == [0]
        assert not at.conductor.waiters
        await at.until("a", Phase.READY)


async def test_a_load_returns_when_the_model_is_ready_and_at_once_when_it_is() -> None:
    async with house(config_of(fake("a"))) as at:
        await asyncio.gather(at.conductor.load("a"), at.conductor.load("a"))
        pid = at.pid("a")
        await at.conductor.load("a")
        assert pid is not None
        assert at.pid("a") == pid


async def test_a_load_that_fails_says_why_and_a_request_then_hears_it_at_once() -> None:
    failing = fake("a", "--exit --exit-code 3 --stderr 'no such file'")
    async with house(config_of(failing)) as at:
        with pytest.raises(StartFailed, match=r"(?s)code 3.*no such file"):
            await at.conductor.load("a")
        with pytest.raises(StartBackoff, match="no such file"):
            async with at.conductor.lease("a"):
                pass
        assert [row.phase for row in at.conductor.standings()] == [Phase.FAILED]
        at.conductor.reset("a")
        assert [row.phase for row in at.conductor.standings()] == [Phase.DOWN]
        with pytest.raises(StartFailed):
            await at.conductor.load("a")


async def test_an_unload_while_it_loads_is_told_to_whoever_ordered_the_load() -> None:
    async with house(config_of(fake("a", "--load-seconds 60"))) as at:
        loading = asyncio.create_task(at.conductor.load("a"))
        await at.until("a", Phase.STARTING)
        await at.conductor.unload()
        with pytest.raises(Unloaded):
            await loading
        assert at.conductor.runs == {}


async def test_a_restart_gives_a_new_process_and_waits_for_it() -> None:
    async with house(config_of(fake("a"))) as at:
        await at.conductor.load("a")
        before = at.pid("a")
        await at.conductor.restart("a")
        assert at.pid("a") not in (None, before)
        assert [row.phase for row in at.conductor.standings()] == [Phase.READY]


async def test_an_unknown_model_is_neither_leased_nor_loaded() -> None:
    async with house(config_of(fake("a"))) as at:
        with pytest.raises(UnknownModel):
            async with at.conductor.lease("b"):
                pass
        with pytest.raises(UnknownModel):
            await at.conductor.load("b")


@pytest.mark.fault("R84")
async def test_a_new_plan_touches_only_what_differs_and_settings_take_effect_where_they_stand() -> None:
    groups = config_of(fake("a"), fake("b")).groups
    alone = tuple(replace(group, swap=False) for group in groups)
    old = config_of(fake("a"), fake("b"), groups=alone)
    async with house(old) as at:
        await asyncio.gather(at.conductor.load("a"), at.conductor.load("b"))
        pids = at.pid("a"), at.pid("b")
        new = config_of(fake("a", description="new"), fake("b", "-m other"), groups=alone)
        at.conductor.replan(new)
        await at.until("b", Phase.READY, run=3)
        assert at.pid("a") == pids[0]
        assert at.pid("b") != pids[1]
        assert at.conductor.standings()[0].model.description == "new"


async def test_after_closing_nothing_is_let_in_and_nothing_is_left() -> None:
    async with house(config_of(fake("a"))) as at:
        await at.conductor.load("a")
        seated = asyncio.Event()
        leave = asyncio.Event()

        async def sit() -> None:
            async with at.conductor.lease("a"):
                seated.set()
                await leave.wait()

        sitting = asyncio.create_task(sit())
        await seated.wait()
        closing = asyncio.create_task(at.conductor.close(30))
        begun = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().call_soon(begun.set_result, None)  # behind the first step of closing
        await begun
        with pytest.raises(ShuttingDown):
            async with at.conductor.lease("a"):
                pass
        with pytest.raises(ShuttingDown):
            await at.conductor.load("a")
        leave.set()
        await sitting
        await closing
        assert at.conductor.runs == {}
        last = at.events[-1]
        assert isinstance(last, ModelChanged)
        assert last.phase is Phase.DOWN


async def test_a_load_whose_model_is_removed_while_it_waits_is_told_so() -> None:
    both, alone = config_of(fake("a"), fake("b")), config_of(fake("a"))
    async with house(both) as at, at.conductor.lease("a"):
        loading = asyncio.create_task(at.conductor.load("b"))
        await wanted(at, "b")
        at.conductor.replan(alone)
        with pytest.raises(UnknownModel, match="removed"):
            await loading


async def test_a_load_whose_model_need_not_be_replaced_after_all_is_done() -> None:
    before, after = config_of(fake("a")), config_of(fake("a", "-m other"))
    async with house(before) as at, at.conductor.lease("a"):
        at.conductor.replan(after)
        loading = asyncio.create_task(at.conductor.load("a"))
        await wanted(at, "a")
        assert not loading.done()
        at.conductor.replan(before)
        await loading


async def test_a_load_that_waits_for_room_hears_of_the_shutdown_at_once() -> None:
    """Not when the last answer in flight has ended, and not that somebody unloaded it."""
    async with house(config_of(fake("a"), fake("b"))) as at, at.conductor.lease("a"):
        loading = asyncio.create_task(at.conductor.load("b"))
        await wanted(at, "b")
        closing = asyncio.create_task(at.conductor.close(3600))
        with pytest.raises(ShuttingDown):
            await loading
        at.conductor.hurry()
        await closing


async def test_a_matrix_says_who_stays_up() -> None:
    """What stands in one combination with the wanted model stays, the rest goes."""
    matrix = Matrix((("pair", "a & b"),))
    async with house(config_of(fake("a"), fake("b"), fake("c"), matrix=matrix)) as at:
        await at.conductor.load("c")
        await at.conductor.load("a")
        await at.conductor.load("b")
        assert {row.model.id for row in at.conductor.standings() if row.pid} == {"a", "b"}


async def test_a_model_of_higher_priority_is_served_first() -> None:
    """Though its caller came last."""
    models = fake("a"), fake("b"), fake("c")
    async with house(config_of(*models, priorities={"c": 1})) as at:
        served: list[str] = []

        async def ask(model: str) -> None:
            async with at.conductor.lease(model):
                served.append(model)

        async with at.conductor.lease("a"):
            asking = [asyncio.create_task(ask("b"))]
            await waits(at, "b")
            asking.append(asyncio.create_task(ask("c")))
            await waits(at, "c")
        await asyncio.gather(*asking)
        assert served == ["c", "b"]
