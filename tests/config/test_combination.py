"""The heaviest combination, compared with writing all of them out."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from hypothesis import given, settings
from hypothesis import strategies as st

from llamaswap_py.config.combination import Search, Space
from llamaswap_py.config.expression import Both, Either, Expression, Name, evaluation_order, parse
from llamaswap_py.config.values import Matrix

MODELS = "abcdefg"


def every(expression: Expression, sets: dict[str, Expression]) -> Iterator[frozenset[str]]:
    """All combinations in their order: alternatives from left to right, the left of `&` slowest."""
    if isinstance(expression, Name):
        yield frozenset({expression.name})
    elif isinstance(expression, Either):
        for part in expression.parts:
            yield from every(part, sets)
    elif isinstance(expression, Both):
        for choice in itertools.product(*(list(every(part, sets)) for part in expression.parts)):
            yield frozenset().union(*choice)
    else:
        yield from every(sets[expression.name], sets)


def all_of(matrix: Matrix) -> Iterator[tuple[str, frozenset[str]]]:
    sets = {name: parse(text) for name, text in matrix.sets}
    for name in evaluation_order(sets):
        for combination in every(sets[name], sets):
            yield name, combination


@st.composite
def expressions(draw: st.DrawFn, uses: tuple[str, ...], depth: int = 3) -> str:
    atoms = [*MODELS, *(f"+{name}" for name in uses)]
    if depth == 0 or draw(st.booleans()):
        atom: str = draw(st.sampled_from(atoms))
        return atom
    parts = draw(st.lists(expressions(uses, depth - 1), min_size=1, max_size=3))
    sign = draw(st.sampled_from([" & ", "|"]))
    return f"({sign.join(parts)})"


@st.composite
def matrices(draw: st.DrawFn) -> Matrix:
    """Up to three sets, of which each may use those before it; written in any order."""
    names = ("x", "y", "z")[: draw(st.integers(1, 3))]
    sets = [(name, draw(expressions(names[:number], 2))) for number, name in enumerate(names)]
    return Matrix(tuple(draw(st.permutations(sets))))


@settings(max_examples=400)
@given(matrices(), st.dictionaries(st.sampled_from(MODELS), st.integers(1, 3), max_size=7))
def test_the_first_of_the_heaviest_is_found_as_by_writing_all_out(matrix: Matrix, weights: dict[str, int]) -> None:
    best: tuple[int, frozenset[str], str] = (0, frozenset(), "")
    for name, combination in all_of(matrix):
        weight = sum(weights.get(model, 0) for model in combination)
        if weight > best[0]:
            best = (weight, combination & weights.keys(), name)
    assert Space(matrix).heaviest(weights) == best


def test_parts_that_share_nothing_are_solved_one_by_one() -> None:
    text = " & ".join("(" + " | ".join(f"m{bundle}.{number}" for number in range(10)) + ")" for bundle in range(20))
    space = Space(Matrix((("s", text),)))  # 10 to the 20 combinations
    weights = {f"m{bundle}.{number}": 1 for bundle in range(20) for number in range(10)}
    weight, models, name = space.heaviest(weights)
    assert (weight, name) == (20, "s")
    assert models == {f"m{bundle}.0" for bundle in range(20)}


def test_a_set_that_is_used_twice_is_looked_at_once() -> None:
    space = Space(Matrix((("s", "a & b | c"), ("t", "+s & +s & (a | d)"))))
    weights = dict.fromkeys("abcd", 1)
    assert space.heaviest(weights) == (4, frozenset("abcd"), "t")
    search = Search(dict.fromkeys(space.bits.values(), 1))
    assert search.family(space.sets["s"]) is search.family(space.sets["s"])


def test_nothing_weighed_is_nothing_found() -> None:
    space = Space(Matrix((("s", "a & (b | a)"),), vars={"b": "long/name"}))
    assert space.heaviest({}) == (0, frozenset(), "")
    assert space.heaviest({"long/name": 2, "other": 5}) == (2, frozenset({"long/name"}), "s")
    assert Search({}).family(space.sets["s"]) == (0,)
