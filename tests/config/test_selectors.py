"""Selectors and profiles: what is read, and what cannot be meant."""

from __future__ import annotations

import pytest

from llamaswap_py.config.values import Profile, Selector
from tests.config.reading import config, mistake, mistakes

HOUSE = """
models:
  a: {cmd: "${PORT}", aliases: [alpha]}
  b: {cmd: "${PORT}"}
  c: {cmd: "${PORT}"}
peers:
  p: {proxy: "http://p", models: [far]}
"""
PAIR = "groups: {pair: {swap: false, members: [a, b]}, team: {members: [c]}}\n"


def selector(body: str, name: str = "s") -> str:
    return f"selectors: {{{name}: {body}}}\n"


def test_a_selector_says_what_its_keys_say() -> None:
    body = "{strategy: spillover, targets: [alpha, b, p/far], settings: {spillover: 3}, name: ' N ', description: d"
    body += ", unlisted: yes, metadata: {k: 1}}"
    found = config(HOUSE + PAIR + selector(body)).selectors
    assert found == {"s": Selector("s", "spillover", ("alpha", "b", "p/far"), 3, "N", "d", True, {"k": 1})}
    assert config(HOUSE + selector("{strategy: pin, targets: [far]}")).selectors["s"].spillover == 1


@pytest.mark.parametrize(
    ("text", "key", "message"),
    [
        (selector("{targets: [a]}"), "selectors.s.strategy", "the selector has no strategy"),
        (
            selector("{strategy: hot, targets: [a]}"),
            "selectors.s.strategy",
            "this must be one of pin, warm, spillover, and it is `hot`",
        ),
        (selector("{strategy: pin}"), "selectors.s.targets", "the selector has no targets"),
        (
            selector("{strategy: pin, targets: [s]}"),
            "selectors.s.targets[0]",
            "`s` is a selector, and one cannot lead to another",
        ),
        (selector("{strategy: pin, targets: [a, bb]}"), "selectors.s.targets[1]", "there is no model `bb`"),
        (selector("{strategy: pin, targets: [zzzzz]}"), "selectors.s.targets[0]", "there is no model `zzzzz`"),
        (
            selector("{strategy: warm, targets: [far]}"),
            "selectors.s.targets[0]",
            "`far` is a peer's, and `warm` knows only who is up here",
        ),
        (
            selector("{strategy: spillover, targets: [a, alpha]}"),
            "selectors.s.targets[1]",
            "`alpha` is the same model as `a`",
        ),
        (
            selector("{strategy: spillover, targets: [a], settings: {spillover: 0}}"),
            "selectors.s.settings.spillover",
            "this must be at least 1, and it is 0",
        ),
        (selector("{strategy: pin, targets: [b]}", "a"), "selectors.a", "`a` is already a name of the model `a`"),
        (
            selector("{strategy: pin, targets: [b]}", "alpha"),
            "selectors.alpha",
            "`alpha` is already a name of the model `a`",
        ),
        (
            selector("{strategy: pin, targets: [b]}", "p/far"),
            "selectors.p/far",
            "`p/far` is the full name of a peer's model",
        ),
        (selector("{strategy: pin, targets: [b]}", "' '"), "selectors. ", "the selector's name is empty"),
    ],
)
def test_what_a_selector_cannot_mean_is_told(text: str, key: str, message: str) -> None:
    found = mistake(HOUSE + text)
    assert (found.key, found.message) == (key, message)
    assert found.remedy


SPILL = selector("{strategy: spillover, targets: [a, b]}")


def test_what_spills_over_must_fit_into_one_group_without_swapping() -> None:
    assert config(HOUSE + PAIR + SPILL).selectors
    found = mistake(HOUSE + SPILL)  # both in the default group
    assert (found.key, found.remedy) == ("selectors.s.targets", "Put them into one group with `swap: false`.")
    assert mistake(HOUSE + PAIR + selector("{strategy: spillover, targets: [a, c]}")).key == "selectors.s.targets"
    assert config(HOUSE + selector("{strategy: spillover, targets: [a, p/far]}")).selectors


def test_what_spills_over_must_fit_into_one_combination_of_a_matrix() -> None:
    assert config(HOUSE + "matrix: {sets: {x: c, y: a & (b | c)}}\n" + SPILL).selectors
    found = mistake(HOUSE + "matrix: {sets: {x: a & c, y: b}}\n" + SPILL)
    assert found.remedy == "Write a set of the matrix that has them all."


def test_nothing_is_said_about_spilling_over_while_the_rule_itself_is_wrong() -> None:
    assert [each.key for each in mistakes(HOUSE + "matrix: {sets: {x: a &}}\n" + SPILL)] == ["matrix.sets.x"]


def test_a_profile_says_what_its_keys_say() -> None:
    text = HOUSE + selector("{strategy: pin, targets: [a]}")
    text += "profiles: {day: {description: d, pins: {gpt: a, x: alpha, y: far, z: s, off: , out: ''}}}"
    pins = {"gpt": "a", "x": "alpha", "y": "far", "z": "s", "off": "", "out": ""}
    assert config(text).profiles == {"day": Profile("day", pins, "d")}


@pytest.mark.parametrize(
    ("profiles", "key", "message"),
    [
        ("{day: [a, b]}", "profiles.day", "this must be a mapping, and it is a list"),
        ("{day: }", "profiles.day.pins", "the profile pins nothing"),
        ("{day: {pins: {}}}", "profiles.day.pins", "the profile pins nothing"),
        ("{'': {pins: {x: a}}}", "profiles.", "the profile's name is empty"),
        ("{day: {pins: {' ': a}}}", "profiles.day.pins. ", "the pinned name is empty"),
        ("{day: {pins: {p/far: a}}}", "profiles.day.pins.p/far", "`p/far` is the full name of a peer's model"),
        ("{day: {pins: {x: alpa}}}", "profiles.day.pins.x", "there is no model or selector `alpa`"),
        ("{day: {pins: {x: zzzzz}}}", "profiles.day.pins.x", "there is no model or selector `zzzzz`"),
    ],
)
def test_what_a_profile_cannot_mean_is_told(profiles: str, key: str, message: str) -> None:
    found = mistake(HOUSE + f"profiles: {profiles}")
    assert (found.key, found.message) == (key, message)
    assert found.line
    assert found.remedy
