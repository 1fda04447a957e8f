"""Advice: when it is given, and with which figures."""

from __future__ import annotations

import pytest

from llamaswap_py.observe.insight.advice import Evidence, OfCard, OfModel, advice, score

GIB = 2**30
CALM = Evidence(3600.0, [OfModel("a", ttl=60, starts=1, waits=100)], [OfCard("Card", 4 * GIB, 8 * GIB, 50.0, 80.0)])


def test_who_does_well_is_left_alone() -> None:
    assert advice(CALM) == []
    assert score([]) == 100
    assert advice(Evidence(0.0)) == []


@pytest.mark.parametrize(
    ("at", "name", "figures"),
    [
        (
            Evidence(100.0, [OfModel("a", evictions=2, swap_seconds=8), OfModel("b", evictions=1, swap_seconds=4)]),
            "model-thrash",
            {"seconds_lost_to_swaps": 12, "of_seconds": 100.0, "evictions": {"a": 2, "b": 1}},
        ),
        (
            Evidence(100.0, [OfModel("a", ttl=60, starts=4, idle_ends=4, load_seconds=11.127)]),
            "ttl-too-short",
            {"ttl_seconds": 60, "ended_for_idleness": 4, "loaded_again": 3, "load_seconds_mean": 11.13},
        ),
        (
            Evidence(1.0, memory_used=95 * GIB, memory_total=100 * GIB, swap_used=GIB),
            "memory-nearly-full",
            {"used_bytes": 95 * GIB, "total_bytes": 100 * GIB, "percent": 95.0, "swap_used_bytes": GIB},
        ),
        (
            Evidence(1.0, cards=[OfCard("Card", 9 * GIB, 10 * GIB)]),
            "gpu-memory-nearly-full",
            {"used_bytes": 9 * GIB, "total_bytes": 10 * GIB, "percent": 90.0},
        ),
        (Evidence(1.0, cards=[OfCard("Card", temperature=81.0)]), "gpu-hot", {"temperature_celsius": 81.0}),
        (
            Evidence(1.0, [OfModel("a", waits=5, wait_seconds=2.0)]),
            "queue-waits",
            {"requests": 5, "wait_seconds_mean": 2.0},
        ),
        (
            Evidence(1.0, [OfModel("a", size=30 * GIB, parameters=9, quantisation="Q8_0")], [OfCard("C", 0, 24 * GIB)]),
            "model-too-large",
            {"model_bytes": 30 * GIB, "memory_bytes": 24 * GIB, "quantisation": "Q8_0"},
        ),
        (
            Evidence(1.0, [OfModel("a", size=5 * GIB, parameters=8 * 10**9, quantisation="Q4_K_M")], (), 0, 24 * GIB),
            "quantisation-headroom",
            {
                "quantisation": "Q4_K_M", "model_bytes": 5 * GIB, "memory_bytes": 24 * GIB, "suggested": "Q8_0",
                "suggested_bytes_about": 8_500_000_000,
            },
        ),
    ],
)  # fmt: skip
def test_each_piece_has_the_figures_behind_it(at: Evidence, name: str, figures: dict[str, object]) -> None:
    (found,) = advice(at)
    assert (found.id, found.figures) == (name, figures)
    assert score([found]) < 100


@pytest.mark.parametrize(
    "at",
    [
        Evidence(1000.0, [OfModel("a", evictions=9, swap_seconds=99)]),  # a tenth of the time is the least
        Evidence(10.0, [OfModel("a", evictions=2, swap_seconds=9)]),
        Evidence(100.0, [OfModel("a", ttl=0, starts=9, idle_ends=9)]),
        Evidence(100.0, [OfModel("a", ttl=60, starts=3, idle_ends=3)]),
        Evidence(1.0, cards=[OfCard("Card"), OfCard("Card", None, 8 * GIB, None, 3.0)]),
        Evidence(1.0, [OfModel("a", waits=4, wait_seconds=99)]),
        Evidence(1.0, [OfModel("a", size=5 * GIB, parameters=8 * 10**9, quantisation="MXFP4")], (), 0, 24 * GIB),
        Evidence(1.0, [OfModel("a", size=5 * GIB, parameters=8 * 10**9, quantisation="Q4_K_M")], (), 0, 6 * GIB),
    ],
)
def test_what_is_little_or_not_known_is_no_reason(at: Evidence) -> None:
    assert advice(at) == []


def test_a_card_that_is_idle_while_callers_wait() -> None:
    at = Evidence(1.0, [OfModel("a", waits=9, wait_seconds=3)], [OfCard("Card", busy=20.0)])
    assert [each.id for each in advice(at)] == ["queue-waits", "gpu-underused"]
    assert advice(at)[0].row()["model"] == "a"
    assert "model" not in advice(at)[1].row()


def test_the_most_urgent_comes_first() -> None:
    at = Evidence(1.0, [OfModel("a", waits=9, wait_seconds=3)], [OfCard("Card", temperature=90.0)])
    found = advice(at)
    assert [each.priority for each in found] == ["high", "medium"]
    assert score(found) == 65
    assert score(found * 9) == 0
