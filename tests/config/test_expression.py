"""The language of the matrix: what is read, and the sentence for what is not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llamaswap_py.config.expression import (
    Both,
    Either,
    Expression,
    Name,
    Unreadable,
    Use,
    check_uses,
    evaluation_order,
    names,
    parse,
    uses,
)

A, B, C = Name("a"), Name("b"), Name("c")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a", A),
        (" a & b ", Both((A, B))),
        ("a|b|c", Either((A, B, C))),
        ("a & b | c", Either((Both((A, B)), C))),
        ("a & (b | c)", Both((A, Either((B, C))))),
        ("((a))", A),
        ("+s & a", Both((Use("s"), A))),
        ("qwen-3.6_x", Name("qwen-3.6_x")),
        ("größe1\n|\ta", Either((Name("größe1"), A))),
        ("+-a", Use("-a")),
    ],
)
def test_and_binds_tighter_than_or(text: str, found: Expression) -> None:
    assert parse(text) == found


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("  ", "the expression is empty"),
        ("a / b", "`/` at position 3 has no meaning here"),
        ("  a:b", "`:` at position 2 has no meaning here"),
        ("a & + b", "no set's name follows the `+` at position 5"),
        ("a & +", "no set's name follows the `+` at position 5"),
        ("(a | b", "a bracket is not closed"),
        ("a &", "the expression ends where a name should follow"),
        ("& a", "`&` stands where a name should"),
        ("()", "`)` stands where a name should"),
        ("a b", "`b` stands after the end"),
        ("a)", "`)` stands after the end"),
        ("(" * 200 + "a" + ")" * 200, "there are too many brackets within brackets"),
    ],
)
def test_what_is_no_expression_is_told_with_a_remedy(text: str, message: str) -> None:
    with pytest.raises(Unreadable) as mistake:
        parse(text)
    assert mistake.value.message == message
    assert mistake.value.remedy.endswith(".")


@given(st.text(alphabet="ab&|()+ .-_/é\n", max_size=30))
def test_any_text_is_read_or_told(text: str) -> None:
    found = outcome(text)
    assert found.message and found.remedy if isinstance(found, Unreadable) else names(found) + uses(found)


def outcome(text: str) -> Expression | Unreadable:
    try:
        return parse(text)
    except Unreadable as mistake:
        return mistake


def test_what_a_set_uses_comes_before_it() -> None:
    sets = {"x": parse("+z & +y & +gone"), "y": parse("a"), "z": parse("+y | b")}
    assert evaluation_order(sets) == ["y", "z", "x"]
    check_uses(sets)


def test_sets_that_go_in_a_circle_are_told() -> None:
    with pytest.raises(Unreadable) as mistake:
        check_uses({"ok": parse("a"), "x": parse("+y"), "y": parse("a | +z"), "z": parse("+y")})
    assert (mistake.value.name, mistake.value.message) == ("y", "the sets go in a circle: `y` uses `z` uses `y`")


def test_a_chain_of_sets_has_an_end() -> None:
    chain = {f"s{number}": Use(f"s{number + 1}") for number in range(2000)}
    with pytest.raises(Unreadable) as mistake:
        check_uses({**chain})
    assert mistake.value.message == "the sets use each other too deeply"
