"""The matrix policy: the cheapest way to make room for a model."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from llamaswap_py.config.values import Matrix
from llamaswap_py.schedule.eviction.matrix import policy
from llamaswap_py.schedule.plan import Evict, Phase, Policy, Row
from tests.config.test_combination import MODELS, all_of, matrices
from tests.untraced import untraced

MATRIX = Matrix(
    sets=(("chat", "a & (b | c)"), ("solo", "d"), ("wide", "+chat & e")),
    vars={"v": "org/vision"},
    evict_costs={"c": 3},
)


def evicted(plan: Policy, wanted: str, *up: str, phase: Phase = Phase.READY) -> tuple[str, ...]:
    world = {model: Row(model, phase, 0, 0, 0.0, 0.0) for model in up}
    verdict = plan(wanted, world)
    assert isinstance(verdict, Evict)
    return verdict.models


@pytest.mark.parametrize(
    ("wanted", "up", "gone"),
    [
        ("a", (), ()),
        ("a", ("b",), ()),
        ("a", ("b", "c"), ("b",)),  # stopping c costs more
        ("b", ("a", "c"), ("c",)),  # but b and c are never together
        ("e", ("a", "c"), ()),  # the set of a set
        ("d", ("a", "b"), ("a", "b")),
        ("a", ("d",), ("d",)),
        ("stranger", ("a", "b"), ("a", "b")),  # in no combination: alone
        ("a", ("stranger",), ("stranger",)),
        ("a", ("a", "d"), ()),  # what is up already stays as it is
    ],
)
def test_a_matrix_says_who_goes(wanted: str, up: tuple[str, ...], gone: tuple[str, ...]) -> None:
    assert evicted(policy(MATRIX), wanted, *up) == gone


def test_of_equally_good_combinations_the_first_is_taken() -> None:
    assert evicted(policy(Matrix((("s", "(b | c) & a"),))), "a", "b", "c") == ("c",)
    assert evicted(policy(Matrix((("s", "c & a"), ("t", "b & a")))), "a", "b", "c") == ("b",)
    assert evicted(policy(Matrix((("s", "+t"), ("t", "b & a"), ("u", "c & a")))), "a", "b", "c") == ("c",)


def test_a_model_that_is_on_its_way_out_is_not_up() -> None:
    plan = policy(MATRIX)
    world = {
        "a": Row("a", Phase.STOPPING, 0, 0, 0.0, 0.0),
        "d": Row("d", Phase.READY, 0, 0, 0.0, 0.0),
    }
    assert plan("a", world) == Evict(("d",))
    assert evicted(plan, "a", "a", "d", phase=Phase.STARTING) == ()


@settings(max_examples=400)
@given(
    matrices(),
    st.sampled_from(MODELS),
    st.sets(st.sampled_from(MODELS)),
    st.dictionaries(st.sampled_from(MODELS), st.integers(1, 4)),
)
def test_the_decision_is_that_of_trying_every_combination(
    matrix: Matrix, wanted: str, up: set[str], costs: dict[str, int]
) -> None:
    matrix = Matrix(matrix.sets, evict_costs=costs)
    best = (sum(costs.get(model, 1) for model in up) + 1, frozenset[str]())
    for _, combination in all_of(matrix):
        cost = sum(costs.get(model, 1) for model in up - combination)
        if wanted in combination and cost < best[0]:
            best = (cost, combination)
    gone = () if wanted in up else tuple(sorted(up - best[1]))
    assert evicted(policy(matrix), wanted, *up) == gone


LADDER = [f"m{number}" for number in range(100)]
TEN = [[f"{bundle}{number}" for number in range(10)] for bundle in "abcd"]


@pytest.mark.fault("F50")
@pytest.mark.parametrize(
    ("text", "up", "wanted"),
    [
        (" & ".join(f"({' | '.join(names)})" for names in TEN), [name for names in TEN for name in names][1:], "a0"),
        (f"({' | '.join(LADDER)}) & ({' | '.join(LADDER)})", LADDER[1:], "m0"),
        (" & ".join([f"({' | '.join(LADDER[:10])})"] * 4), LADDER[1:10], "m0"),
    ],
    ids=["10 by 10 by 10 by 10", "any two of 100", "any four of ten"],
)
def test_ten_thousand_combinations_are_planned_in_five_milliseconds(text: str, up: list[str], wanted: str) -> None:
    plan = policy(Matrix((("s", text),)))
    spent = []
    for _ in range(5):
        with untraced():
            began = time.perf_counter()
            evicted(plan, wanted, *up)
            spent.append(time.perf_counter() - began)
    assert min(spent) < 0.005


def test_what_is_pinned_is_kept_where_a_combination_has_it() -> None:
    rule = policy(Matrix((("one", "w & a"), ("other", "w & b & c"))))
    world = {model: Row(model, Phase.READY, 0, 0, 0.0, 0.0, pinned=model == "a") for model in "abc"}
    assert rule("w", world) == Evict(("b", "c"))
    assert rule("w", {model: replace(row, pinned=False) for model, row in world.items()}) == Evict(("a",))
