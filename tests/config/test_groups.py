"""Groups from either place, their members, and what excludes what."""

from __future__ import annotations

import pytest

from llamaswap_py.config.values import Group
from tests.config.reading import config, mistake, mistakes, read_loosely, warning, warnings

MODELS = "models: {c: {cmd: '${PORT}'}, b: {cmd: '${PORT}', aliases: [bee]}, a: {cmd: '${PORT}'}}\n"


def test_without_groups_all_models_share_one_place() -> None:
    assert config(MODELS).groups == (Group("(default)", ("a", "b", "c")),)
    assert config("").groups == (Group("(default)", ()),)


@pytest.mark.parametrize("where", ["groups: {0}", "routing: {{router: {{settings: {{groups: {0}}}}}}}"])
def test_groups_are_read_from_either_place(where: str) -> None:
    text = where.format("{x: {members: [c, a], swap: no, exclusive: off, persistent: true}, y: {}}")
    assert config(MODELS + text).groups == (
        Group("x", ("c", "a"), swap=False, exclusive=False, persistent=True),
        Group("y", ()),
        Group("(default)", ("b",)),
    )


@pytest.mark.parametrize(
    ("groups", "key", "message"),
    [
        ("{x: {members: [a, a]}}", "groups.x.members[1]", "`a` is already in the group `x`"),
        ("{x: {members: [a]}, y: {members: [a]}}", "groups.y.members[0]", "`a` is already in the group `x`"),
        ("{x: {members: [aa]}}", "groups.x.members[0]", "there is no model `aa`"),
        ("{x: {members: [zzz]}}", "groups.x.members[0]", "there is no model `zzz`"),
        ("{x: {members: [bee]}}", "groups.x.members[0]", "there is no model `bee`"),
        ("{x: [a]}", "groups.x", "this must be a mapping, and it is a list"),
    ],
)
def test_a_member_is_a_model_and_in_one_group_only(groups: str, key: str, message: str) -> None:
    found = mistake(MODELS + "groups: " + groups)
    assert (found.line, found.key, found.message) == (2, key, message)


def test_the_remedy_for_a_wrong_member_names_the_right_one() -> None:
    texts = [f"{MODELS}groups: {{x: {{members: [{name}]}}}}" for name in ("bee", "zzz", "A")]
    assert [mistake(text).remedy for text in texts] == [
        "Groups need ids: write `b`.",
        "Add it under `models`, or remove it here.",
        "Did you mean `a`?",
    ]


def test_the_generated_groups_name_is_not_to_be_had() -> None:
    text = MODELS + "groups: {(default): {swap: false, members: [a]}}"
    assert warning(text).line == 2
    assert read_loosely(text).groups == (Group("(default)", ("a", "b", "c")),)


def test_the_two_places_exclude_each_other() -> None:
    found = mistake(MODELS + "groups: {x: {members: [a]}}\nrouting: {router: {use: group}}\n")
    assert (found.key, found.remedy) == ("groups", "Move it to `routing.router.settings.groups`.")
    assert mistakes(MODELS + "groups: {}\nrouting: {router: {settings: {groups: {x: {members: [a]}}}}}\n") == []


def test_groups_and_a_matrix_exclude_each_other_in_the_older_place() -> None:
    assert mistake(MODELS + "groups: {x: {members: [a]}}\nmatrix: {sets: {s: a}}\n").key == "matrix"


@pytest.mark.parametrize(
    "text",
    [
        "matrix: {sets: {s: a}}",
        "routing: {router: {use: matrix, settings: {matrix: {sets: {s: a}}, groups: {x: {members: [zzz]}}}}}",
    ],
)
def test_under_the_matrix_the_groups_do_not_count(text: str) -> None:
    assert not warnings(MODELS + text)
    assert read_loosely(MODELS + text).groups == (Group("(default)", ("a", "b", "c")),)


def test_the_matrix_rule_needs_a_matrix_and_there_is_no_third_rule() -> None:
    assert mistake("routing: {router: {use: matrix}}").key == "routing.router.use"
    assert (
        mistake("routing: {router: {use: memory}}").message == "this must be one of group, matrix, and it is `memory`"
    )


def test_a_matrix_beside_the_group_rule_is_left_alone_and_told() -> None:
    text = MODELS + "routing: {router: {settings: {matrix: {sets: {s: a}}, groups: {x: {members: [a]}}}}}"
    assert read_loosely(text).groups[0] == Group("x", ("a",))
    assert warning(text).key == "routing.router.settings.matrix"
