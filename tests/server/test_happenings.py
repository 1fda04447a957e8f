"""What befalls the models' servers is counted as it is announced."""

from __future__ import annotations

from llamaswap_py.runtime.causes import OUT_OF_MEMORY
from llamaswap_py.runtime.feed import Feed, ModelChanged
from llamaswap_py.schedule.orders import Decision
from llamaswap_py.schedule.plan import Phase
from llamaswap_py.server.happenings import Happenings

FOR_B = Decision(0.0, "b", "", 1, 0.0, (), ("a",), "groups")


class Place:
    def __init__(self) -> None:
        self.now = 0.0
        self.feed = Feed()
        self.happenings = Happenings(self.feed, lambda: self.now)

    def tell(self, model: str, phase: Phase, why: str = "", seconds: float = 0.0, **more: object) -> None:
        self.feed.publish(ModelChanged(model, 1, phase, why, seconds, **more))  # type: ignore[arg-type]

    def values(self, name: str) -> dict[tuple[str, ...], float]:
        [score] = [one for one in self.happenings.scores() if one.metric.name == f"llamaswap_{name}"]
        return dict(score.values) or {labels: each[1] for labels, each in score.spreads.items()}


def test_a_swap_lasts_from_the_decision_until_the_other_is_ready() -> None:
    place = Place()
    place.tell("a", Phase.STOPPING, "evicted for b", decision=FOR_B)
    place.now = 1.0
    place.tell("a", Phase.DOWN, "stopped", over=True)
    place.tell("b", Phase.STARTING)
    place.now = 4.0
    place.tell("b", Phase.READY, seconds=3.0)
    assert place.values("swap_seconds_total") == {("b",): 4.0}
    assert place.values("evictions_total") == {("a", "groups"): 1}
    assert place.values("model_exits_total") == {("a", "evicted"): 1}
    assert place.values("model_load_seconds") == {("b",): 3.0}
    assert place.values("model_starts_total") == {("b",): 1}


def test_a_start_after_a_failure_is_a_restart_and_after_an_order_is_none() -> None:
    place = Place()
    for code in ("upstream_failed", ""):
        place.tell("a", Phase.STARTING)
        place.tell("a", Phase.READY)
        place.tell("a", Phase.FAILED if code else Phase.DOWN, "why", over=True, code=code)
    place.tell("a", Phase.STARTING)
    assert place.values("model_starts_total") == {("a",): 3}
    assert place.values("model_restarts_total") == {("a",): 1}
    assert place.values("model_exits_total") == {("a", "upstream_failed"): 1, ("a", "other"): 1}


def test_a_lack_of_memory_is_told_apart() -> None:
    place = Place()
    for why in ("it exited with 1", f"model a: {OUT_OF_MEMORY}"):
        place.tell("a", Phase.FAILED, why, over=True, code="model_start_failed")
    assert place.values("out_of_memory_total") == {("a",): 1}


def test_a_reset_and_the_end_of_another_run_are_no_starts() -> None:
    """A run's end is told after the next one's start, with that one's phase."""
    place = Place()
    place.tell("a", Phase.DOWN, "reset")
    place.tell("a", Phase.STARTING, "stopped", over=True)
    assert not place.values("model_starts_total")
