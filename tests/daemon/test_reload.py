"""What comes into force and what is turned down."""

from __future__ import annotations

import asyncio
import resource
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from llamaswap_py.config.discovered import Discovered
from llamaswap_py.config.read import Reading
from llamaswap_py.daemon.descriptors import ENOUGH, raise_limit
from llamaswap_py.daemon.reload import Put, Reload
from llamaswap_py.daemon.sources import Sources
from llamaswap_py.runtime.feed import ConfigLoaded, ConfigRefused, Event, Feed
from llamaswap_py.runtime.tasks import Tasks

GOOD = "models:\n  a:\n    cmd: run --port ${PORT}\n"


class Scene:
    def __init__(self, folder: Path) -> None:
        self.path = folder / "config.yaml"
        self.path.write_text(GOOD)
        self.sources = Sources(str(self.path), None)
        self.applied: list[Reading] = []
        self.events: list[Event] = []
        self.readings = 0
        self.begun = asyncio.Event()
        self.may_end = threading.Event()
        self.may_end.set()
        feed = Feed()
        feed.subscribe(self.events.append)
        self.loop = asyncio.get_running_loop()
        self.reload = Reload(self.sources, self.sources.read({}), self.prepare, feed)

    def prepare(self, reading: Reading) -> Put:
        """In the reading's thread, as long as the test wants it to be there."""
        assert threading.get_ident() != threading.main_thread().ident
        self.readings += 1
        self.loop.call_soon_threadsafe(self.begun.set)
        assert self.may_end.wait(30)
        return lambda: self.applied.append(reading)

    async def now(self) -> None:
        async with asyncio.timeout(30):
            await self.ordered()

    def ordered(self) -> asyncio.Future[None]:
        settled = self.loop.create_future()
        self.reload.now(lambda: settled.set_result(None))
        return settled

    def ttls(self) -> list[float]:
        return [reading.config.models["a"].ttl for reading in self.applied]


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    tasks = Tasks()
    made = Scene(tmp_path)
    made.reload.start(tasks)
    yield made
    made.may_end.set()
    await tasks.close()


async def test_a_change_comes_into_force_and_is_announced(scene: Scene) -> None:
    scene.path.write_text(GOOD + "    ttl: 5\n")
    await scene.now()
    assert scene.ttls() == [5]
    assert scene.events == [ConfigLoaded(("a",))]


async def test_an_edit_that_changes_nothing_is_not_applied(scene: Scene) -> None:
    scene.path.write_text("# a remark\n" + GOOD)
    await scene.now()
    assert scene.applied == []
    assert scene.events == []


async def test_a_broken_file_is_turned_down_with_every_mistake(scene: Scene) -> None:
    scene.path.write_text(GOOD + "    ttl: soon\nstartPort: -1\n")
    with capture_logs() as logs:
        await scene.now()
    assert scene.applied == []
    (event,) = scene.events
    assert isinstance(event, ConfigRefused)
    assert len(event.mistakes) == 2
    assert [entry["log_level"] for entry in logs] == ["error"] * 3
    assert "config.yaml:4:" in logs[0]["event"]


async def test_a_model_that_is_wrong_disables_only_itself(scene: Scene) -> None:
    """Its mistake is logged as one; and a mistake that has become another one counts as a change."""
    scene.path.write_text(GOOD + "    ttl: soon\n  b:\n    cmd: run --port ${PORT}\n")
    with capture_logs() as logs:
        await scene.now()
    (reading,) = scene.applied
    assert set(reading.config.models) == {"a", "b"}
    assert set(reading.disabled) == {"a"}
    assert logs[0]["event"].startswith("model a is disabled: ")
    (event,) = scene.events
    assert isinstance(event, ConfigLoaded)
    assert event.models == ("a", "b")
    assert "models.a.ttl" in event.mistakes[0]
    await scene.now()
    assert len(scene.applied) == 1
    scene.path.write_text(GOOD + "    ttl: later\n  b:\n    cmd: run --port ${PORT}\n")
    await scene.now()
    assert len(scene.applied) == 2


async def test_after_a_broken_file_the_good_one_comes_into_force(scene: Scene) -> None:
    scene.path.write_text("models: [")
    await scene.now()
    scene.path.write_text(GOOD + "    ttl: 9\n")
    await scene.now()
    assert len(scene.applied) == 1


async def test_an_edit_during_a_reading_is_read_after_it_and_none_is_lost(scene: Scene) -> None:
    """However many come meanwhile, one more reading is enough for all: the last one wins."""
    scene.may_end.clear()
    scene.path.write_text(GOOD + "    ttl: 1\n")
    told = [scene.ordered()]
    async with asyncio.timeout(30):
        await scene.begun.wait()
        for ttl in range(2, 102):
            scene.path.write_text(f"{GOOD}    ttl: {ttl}\n")
            told.append(scene.ordered())
        scene.may_end.set()
        await asyncio.wait(told, return_when=asyncio.FIRST_COMPLETED)
        assert scene.ttls() == [1, 101]
        await asyncio.gather(*told)
    assert scene.readings == 2


async def test_found_models_come_into_force_although_the_edited_file_is_wrong(scene: Scene) -> None:
    """What was read last stays, with what stands beside it now."""
    scene.path.write_text(GOOD + "    ttl: 4\n")
    await scene.now()
    scene.path.write_text("models: [")
    edited = scene.ordered()
    scene.sources.discovered = (Discovered("b", "/b.gguf", {"cmd": "run b --port ${PORT}"}),)
    scene.reload.rediscovered(is_aimed=False)
    async with asyncio.timeout(30):
        await edited
    assert set(scene.applied[-1].config.models) == {"a", "b"}
    assert scene.ttls() == [4, 4]
    assert [type(event) for event in scene.events] == [ConfigLoaded, ConfigRefused, ConfigLoaded]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
async def test_whatever_fails_the_next_reading_is_none_the_worse(scene: Scene) -> None:
    """In the thread, or while it is put into force."""

    def fail() -> None:
        raise ValueError("a mistake of ours")

    def broken(_: Reading) -> Put:
        raise ValueError("another one")

    scene.path.write_text(GOOD + "    ttl: 1\n")
    with capture_logs() as logs:
        scene.reload.prepare = lambda _: fail
        await scene.now()
        scene.path.write_text(GOOD + "    ttl: 2\n")
        scene.reload.prepare = broken
        await scene.now()
    assert [entry["log_level"] for entry in logs] == ["error", "error"]
    scene.reload.prepare = scene.prepare
    scene.path.write_text(GOOD + "    ttl: 3\n")
    await scene.now()
    assert scene.ttls() == [3]


def test_the_limit_of_descriptors_is_raised_and_the_old_one_told() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    lower = min(256, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (lower, hard))
    try:
        raised = raise_limit()
        assert raised.before == lower
        assert raised.now == (min(hard, ENOUGH) if hard > 0 else ENOUGH)
        assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] > lower or hard == lower
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
