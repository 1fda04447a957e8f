"""When models are looked for, and what follows from a look."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from llamaswap_py.daemon.finder import Finder
from llamaswap_py.daemon.reload import Reload
from llamaswap_py.daemon.sources import Sources
from llamaswap_py.errors import ConfigError
from llamaswap_py.runtime.feed import ConfigLoaded, ConfigRefused, Event, Feed
from llamaswap_py.runtime.tasks import Tasks
from tests.library.tree import Machine

TEXT = "discover: [models]\n"


class Scene:
    """A file that names the machine's shelf, and everything that is done about it."""

    def __init__(self, root: Path, text: str = TEXT) -> None:
        self.machine = Machine(root)
        self.path = root / "config.yaml"
        self.path.write_text(text)
        self.sources = Sources(str(self.path), None)
        self.finder = Finder(self.sources, {})
        self.running: set[str] = set()
        self.events: list[Event] = []
        self.models: list[str] = []
        self.changed = asyncio.Event()

    async def begin(self, tasks: Tasks) -> Reload:
        await self.finder.begin()
        feed = Feed()
        feed.subscribe(self.hear)
        reading = self.sources.read({})
        self.models = list(reading.config.models)
        reload = Reload(self.sources, reading, lambda _: lambda: None, feed, self.finder)
        reload.start(tasks)
        self.finder.start(tasks, lambda: self.running, reload.rediscovered)
        return reload

    def hear(self, event: Event) -> None:
        self.events.append(event)
        if isinstance(event, ConfigLoaded):
            self.models = list(event.models)
        self.changed.set()

    async def news(self) -> None:
        async with asyncio.timeout(30):
            await self.changed.wait()
        self.changed.clear()

    def settle(self) -> bool:
        return self.finder.adopt(self.finder.examine(self.running))


@pytest.fixture
async def tasks() -> AsyncIterator[Tasks]:
    made = Tasks()
    yield made
    await made.close()


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path / "machine")


async def test_what_is_there_at_the_start_is_in_the_first_reading(scene: Scene, tasks: Tasks) -> None:
    scene.machine.model("a.gguf")
    with capture_logs() as logs:
        await scene.begin(tasks)
    assert scene.models == ["a"]
    assert [entry["event"] for entry in logs] == ["found 1 model: a"]


async def test_new_files_come_into_force_and_the_edited_configuration_does_not(scene: Scene, tasks: Tasks) -> None:
    """That one waits for its own reload."""
    await scene.begin(tasks)
    scene.path.write_text("models: {edited: {cmd: 'run ${PORT}'}}")
    scene.machine.model("a.gguf")
    scene.finder.news.set()
    await scene.news()
    assert scene.models == ["a"]


async def test_a_look_that_finds_nothing_new_changes_nothing(scene: Scene) -> None:
    scene.machine.model("a.gguf")
    await scene.finder.begin()
    assert not scene.settle()
    scene.machine.model("b.gguf")
    assert scene.settle()
    assert not scene.settle()


async def test_a_look_that_failed_takes_nothing_away(scene: Scene) -> None:
    scene.machine.model("a.gguf")
    await scene.finder.begin()
    assert not scene.finder.adopt(None)
    assert [each.id for each in scene.sources.discovered] == ["a"]


async def test_a_model_that_runs_outlives_its_file(scene: Scene) -> None:
    path = scene.machine.model("a.gguf")
    await scene.finder.begin()
    scene.running = {"a"}
    path.unlink()
    assert not scene.settle()
    scene.running = set()
    assert scene.settle()
    assert scene.sources.discovered == ()


async def test_other_shelves_are_looked_at_before_the_edited_file_comes_into_force(scene: Scene, tasks: Tasks) -> None:
    """So it may speak of their models at once."""
    reload = await scene.begin(tasks)
    (scene.machine.root / "more").mkdir()
    scene.machine.model("../more/b.gguf")
    scene.path.write_text("discover: [more]\ngroups: {g: {members: [b]}}\n")
    reload.now()
    assert scene.events == []
    await scene.news()
    assert (scene.models, len(scene.events)) == (["b"], 1)


async def test_a_group_that_loses_its_model_turns_the_change_down(scene: Scene, tasks: Tasks) -> None:
    path = scene.machine.model("a.gguf")
    scene.path.write_text(f"{TEXT}groups: {{g: {{members: [a]}}}}\n")
    await scene.begin(tasks)
    path.unlink()
    scene.finder.news.set()
    await scene.news()
    assert isinstance(scene.events[0], ConfigRefused)
    assert scene.models == ["a"]


async def test_a_broken_file_is_told_by_its_reading(scene: Scene, tasks: Tasks) -> None:
    reload = await scene.begin(tasks)
    scene.path.write_text("discover: [")
    reload.now()
    await scene.news()
    assert isinstance(scene.events[0], ConfigRefused)
    other = Scene(scene.machine.root / "other", "discover: [")
    with pytest.raises(ConfigError):
        await other.finder.begin()


async def test_without_shelves_nothing_is_looked_at(tmp_path: Path, tasks: Tasks) -> None:
    scene = Scene(tmp_path / "machine", "models: {}")
    await scene.begin(tasks)
    assert (scene.finder.library, scene.finder.is_late) == (None, False)


def test_flags_and_the_environment_name_shelves_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    sources = Sources(None, None, ("flag",))
    words = [shelf.word for shelf in sources.shelves({"LLAMASWAP_MODELS": f"{tmp_path}/one"})]
    assert words == ["models", "huggingface", "ollama", f"{tmp_path}/flag", f"{tmp_path}/one"]
    assert "demo" in sources.read({}).config.models
