"""What comes into force and what is turned down."""

from __future__ import annotations

import resource
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from llamaswap_py.config.read import Reading
from llamaswap_py.daemon.descriptors import ENOUGH, raise_limit
from llamaswap_py.daemon.reload import Reload
from llamaswap_py.daemon.sources import Sources
from llamaswap_py.runtime.feed import ConfigLoaded, ConfigRefused, Event, Feed

GOOD = "models:\n  a:\n    cmd: run --port ${PORT}\n"


class Scene:
    def __init__(self, folder: Path) -> None:
        self.path = folder / "config.yaml"
        self.path.write_text(GOOD)
        sources = Sources(str(self.path), None)
        self.applied: list[Reading] = []
        self.events: list[Event] = []
        feed = Feed()
        feed.subscribe(self.events.append)
        self.reload = Reload(sources, sources.read({}), self.applied.append, feed)


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path)


def test_a_change_comes_into_force_and_is_announced(scene: Scene) -> None:
    scene.path.write_text(GOOD + "    ttl: 5\n")
    scene.reload.now()
    assert [reading.config.models["a"].ttl for reading in scene.applied] == [5]
    assert scene.events == [ConfigLoaded(("a",))]


def test_an_edit_that_changes_nothing_is_not_applied(scene: Scene) -> None:
    scene.path.write_text("# a remark\n" + GOOD)
    scene.reload.now()
    assert scene.applied == []
    assert scene.events == []


def test_a_broken_file_is_turned_down_with_every_mistake(scene: Scene) -> None:
    scene.path.write_text(GOOD + "    ttl: soon\nstartPort: -1\n")
    with capture_logs() as logs:
        scene.reload.now()
    assert scene.applied == []
    (event,) = scene.events
    assert isinstance(event, ConfigRefused)
    assert len(event.mistakes) == 2
    assert [entry["log_level"] for entry in logs] == ["error"] * 3
    assert "config.yaml:4:" in logs[0]["event"]


def test_a_model_that_is_wrong_disables_only_itself(scene: Scene) -> None:
    """Its mistake is logged as one; and a mistake that has become another one counts as a change."""
    scene.path.write_text(GOOD + "    ttl: soon\n  b:\n    cmd: run --port ${PORT}\n")
    with capture_logs() as logs:
        scene.reload.now()
    (reading,) = scene.applied
    assert set(reading.config.models) == {"a", "b"}
    assert set(reading.disabled) == {"a"}
    assert logs[0]["event"].startswith("model a is disabled: ")
    (event,) = scene.events
    assert isinstance(event, ConfigLoaded)
    assert event.models == ("a", "b")
    assert "models.a.ttl" in event.mistakes[0]
    scene.reload.now()
    assert len(scene.applied) == 1
    scene.path.write_text(GOOD + "    ttl: later\n  b:\n    cmd: run --port ${PORT}\n")
    scene.reload.now()
    assert len(scene.applied) == 2


def test_after_a_broken_file_the_good_one_comes_into_force(scene: Scene) -> None:
    scene.path.write_text("models: [")
    scene.reload.now()
    scene.path.write_text(GOOD + "    ttl: 9\n")
    scene.reload.now()
    assert len(scene.applied) == 1


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
