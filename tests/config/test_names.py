"""Who is meant by a name: exactly as configured, in one order, and by what is up where a selector says so."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llamaswap_py.config.names import Choice, Exhausted, SwitchedOff, Unknown, View, choose, nearest, resolve
from llamaswap_py.config.values import Remote
from tests.config.reading import config, read_loosely

CONFIG = read_loosely("models: {qwen-7b: {cmd: '${PORT}', aliases: [small, QWEN, both]}, both: {cmd: '${PORT}'}}")

HOUSE = config("""
models:
  a: {cmd: "${PORT}", aliases: [alpha, shared]}
  b: {cmd: "${PORT}"}
  c: {cmd: "${PORT}"}
groups: {g: {swap: false, members: [a, b, c]}}
peers:
  p: {proxy: "http://p", models: [far, shared, twice, lone]}
  q: {proxy: "http://q", models: [twice]}
selectors:
  first: {strategy: pin, targets: [b, a]}
  up: {strategy: warm, targets: [a, b, c]}
  share: {strategy: spillover, settings: {spillover: 2}, targets: [a, b, lone]}
  far: {strategy: pin, targets: [c]}
profiles:
  day: {pins: {a: b, gpt: share, off: , b: a}}
""")


def test_an_id_is_found_before_an_alias_and_only_exactly() -> None:
    assert resolve(CONFIG, "qwen-7b") == resolve(CONFIG, "small") == "qwen-7b"
    assert resolve(CONFIG, "both") == "both"
    assert resolve(CONFIG, "Small") is None
    assert resolve(CONFIG, " small") is None


def test_names_that_look_alike_are_offered_whatever_their_case() -> None:
    assert nearest(CONFIG, "QWEN-7B") == ["qwen-7b", "QWEN"]
    assert nearest(CONFIG, "smal") == ["small"]
    assert nearest(CONFIG, "zzzzzz") == []
    assert nearest(HOUSE, "shar") == ["share", "shared", "p/shared"]
    assert nearest(HOUSE, "p/fax") == ["p/far"]


@pytest.mark.parametrize(
    ("name", "target"),
    [
        ("a", "a"),
        ("alpha", "a"),
        ("shared", "a"),  # here before there
        ("p/shared", Remote("p", "shared")),
        ("q/twice", Remote("q", "twice")),
    ],
)
def test_names_are_understood_in_one_order(name: str, target: str | Remote) -> None:
    assert choose(HOUSE, name, View()) == Choice(name, target)


@pytest.mark.parametrize("name", ["twice", "nobody", "A", "gpt"])
def test_a_name_that_two_peers_have_or_nobody_is_nobodys(name: str) -> None:
    assert choose(HOUSE, name, View()) == Unknown(name)


def test_a_selector_is_stronger_than_a_peers_bare_name_and_pin_takes_its_first() -> None:
    assert choose(HOUSE, "far", View()) == Choice("c", "c", "far")
    assert choose(HOUSE, "first", View(phases={"a": "ready"})) == Choice("b", "b", "first")


def test_a_profile_speaks_first_and_a_pin_leads_to_no_pin() -> None:
    day = View(profile="day")
    assert choose(HOUSE, "a", day) == Choice("b", "b")
    assert choose(HOUSE, "b", day) == Choice("a", "a")
    assert choose(HOUSE, "alpha", day) == Choice("alpha", "a")
    assert choose(HOUSE, "gpt", day) == Choice("a", "a", "share")
    assert choose(HOUSE, "off", day) == SwitchedOff("off", "day")
    assert choose(HOUSE, "a", View(profile="night")) == Choice("a", "a")


@pytest.mark.parametrize(
    ("phases", "target"),
    [
        ({}, "a"),
        ({"c": "starting"}, "c"),
        ({"c": "ready", "b": "starting"}, "c"),
        ({"c": "ready", "b": "ready"}, "b"),
        ({"b": "stopping", "c": "failed"}, "a"),
    ],
)
def test_warm_takes_what_is_ready_then_what_is_starting_then_the_first(phases: dict[str, str], target: str) -> None:
    assert choose(HOUSE, "up", View(phases=phases)) == Choice(target, target, "up")


def share(phases: dict[str, str], turn: int = 0, **held: int) -> str:
    counts = {("share", name): count for name, count in held.items()}
    found = choose(HOUSE, "share", View(phases=phases, held=counts, turns={"share": turn}))
    return found.name if isinstance(found, Choice) else repr(found)


@pytest.mark.parametrize(
    ("phases", "held", "name"),
    [
        ({}, {}, "a"),
        ({"a": "ready"}, {"a": 1}, "a"),  # it has room for one more
        ({"a": "ready"}, {"a": 2}, "b"),  # it is full: the next is woken
        ({"a": "ready", "b": "starting"}, {"a": 2, "b": 1}, "b"),
        ({"a": "ready", "b": "stopping"}, {"a": 2}, "lone"),  # what is on its way out is passed over
        ({"a": "ready", "b": "failed"}, {"a": 2}, "lone"),  # what has just failed comes last
        ({"a": "ready", "b": "failed"}, {"a": 2, "lone": 2}, "b"),
        ({"a": "ready", "b": "ready"}, {"a": 3, "b": 2, "lone": 4}, "b"),  # everything is full: the least busy
        ({"b": "ready"}, {}, "b"),  # what is up is not passed over for what is not
    ],
)
def test_spillover_wakes_one_more_when_each_has_its_share(
    phases: dict[str, str], held: dict[str, int], name: str
) -> None:
    assert share(phases, **held) == name


def test_equally_busy_targets_take_turns() -> None:
    both = {"a": "ready", "b": "ready"}
    assert [share(both, turn) for turn in range(4)] == ["a", "b", "a", "b"]


def test_a_selector_whose_targets_are_all_going_is_exhausted() -> None:
    house = config("""
    models: {a: {cmd: "${PORT}"}, b: {cmd: "${PORT}"}}
    groups: {g: {swap: false, members: [a, b]}}
    selectors: {s: {strategy: spillover, targets: [a, b]}}
    """)
    assert choose(house, "s", View(phases={"a": "stopping", "b": "stopping"})) == Exhausted("s")


PHASES = st.dictionaries(st.sampled_from("abc"), st.sampled_from(["ready", "starting", "stopping", "failed"]))
HELD = st.dictionaries(st.sampled_from([("share", "a"), ("share", "b"), ("share", "lone")]), st.integers(0, 5))


@given(PHASES, HELD, st.integers(0, 9), st.sampled_from([*HOUSE.names, *HOUSE.selectors, *HOUSE.remotes, "x"]))
def test_every_choice_is_a_name_there_is(
    phases: dict[str, str], held: dict[tuple[str, str], int], turn: int, name: str
) -> None:
    found = choose(HOUSE, name, View("day", phases, held, {"share": turn}))
    if isinstance(found, Choice):
        assert found.target in (HOUSE.names.get(found.name), HOUSE.remotes.get(found.name))
    else:
        assert isinstance(found, Unknown)
