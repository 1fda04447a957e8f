"""How fast a model has answered lately."""

from __future__ import annotations

from contextlib import closing

from llamaswap_py.observe.rows import Row
from llamaswap_py.observe.speeds import ANSWERS, Speeds, past
from llamaswap_py.observe.store import Store
from llamaswap_py.wire.usage import Usage


def row(model: str, speed: float) -> Row:
    return Row(1, model, "/v1/chat/completions", "application/json", 200, Usage(speed=speed))


def test_the_median_of_the_last_answers_that_have_a_speed() -> None:
    speeds = Speeds({"a": [1.0, 2.0]})
    assert speeds.see([row("a", 9.0), row("a", -1.0), row("b", 5.0), row("c", 0.0)]) == {"a", "b"}
    assert (speeds.of("a"), speeds.of("b"), speeds.of("c")) == (2.0, 5.0, None)
    speeds.see([row("a", 30.0)] * ANSWERS)
    assert speeds.of("a") == 30.0


def test_what_was_written_down_counts_the_newest_last() -> None:
    with closing(Store()) as store:
        store.add([row("a", float(speed)) for speed in range(1, ANSWERS + 3)] + [row("a", -1.0), row("b", -1.0)])
        assert past(store, ["a", "b", "nobody"]) == {"a": [float(speed) for speed in range(3, ANSWERS + 3)]}
