"""Flags as llama-swap takes them."""

from __future__ import annotations

import pytest

from llamaswap_py.cli.terminal.flags import TRUTHS, Flag, Misspelt, Usage, Words, parse

FLAGS = (Flag("config", "a file", "FILE"), Flag("watch", "a switch"))
STRICT = Usage("llamaswap", "text", FLAGS, interspersed=False)
LOOSE = Usage("llamaswap ps", "text", FLAGS)


def words(values: dict[str, str], switches: set[str], *rest: str) -> Words:
    return Words({name: [value] for name, value in values.items()}, frozenset(switches), rest)


@pytest.mark.parametrize("argv", [["-config", "x"], ["--config", "x"], ["-config=x"], ["--config=x"]])
def test_one_dash_or_two_and_an_equals_sign_or_none(argv: list[str]) -> None:
    assert parse(STRICT, argv) == words({"config": "x"}, set())


def test_the_last_value_counts_where_one_is_wanted() -> None:
    read = parse(STRICT, ["-config", "x", "-watch", "--config=y", "-watch=false"])
    assert (read.value("config"), read.every("config"), read.switches) == ("y", ["x", "y"], frozenset())
    assert (read.value("other"), read.every("other")) == (None, ())


def test_a_value_may_look_like_a_flag_or_hold_equals_signs() -> None:
    assert parse(STRICT, ["-config", "-watch"]) == words({"config": "-watch"}, set())
    assert parse(STRICT, ["-config=a=b"]) == words({"config": "a=b"}, set())


def test_an_empty_value_is_as_none() -> None:
    assert parse(STRICT, ["-config="]).value("config") is None
    assert parse(STRICT, []).value("config") is None


@pytest.mark.parametrize(("text", "meaning"), TRUTHS.items())
def test_a_switch_takes_gos_spellings_of_true_and_false(text: str, meaning: bool) -> None:
    assert ("watch" in parse(STRICT, [f"--watch={text}"]).switches) is meaning


def test_a_switch_does_not_take_the_next_word() -> None:
    assert parse(STRICT, ["-watch", "false", "-config", "x"]) == words({}, {"watch"}, "false", "-config", "x")


def test_flags_end_at_two_dashes_and_a_single_dash_is_a_word() -> None:
    assert parse(LOOSE, ["a", "--", "-watch"]) == words({}, set(), "a", "-watch")
    assert parse(LOOSE, ["-", "-watch"]) == words({}, {"watch"}, "-")


def test_a_clients_flags_may_follow_its_words() -> None:
    assert parse(LOOSE, ["model", "-config", "x", "other"]) == words({"config": "x"}, set(), "model", "other")


@pytest.mark.parametrize("argv", [["-nope"], ["---watch"], ["-config"], ["-watch=yes"], ["-watch="], ["-=x"]])
def test_anything_else_is_misspelt(argv: list[str]) -> None:
    with pytest.raises(Misspelt):
        parse(STRICT, argv)
