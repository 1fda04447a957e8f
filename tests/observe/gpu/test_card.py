"""What may be believed of what a tool says."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llamaswap_py.observe.gpu.card import RANGES, believed

GOOD: dict[str, Any] = {
    "index": 0,
    "name": "Tesla M10",
    "uuid": "GPU-1",
    "utilisation": 35,
    "temperature": 45,
    "power": 30.5,
    "power_limit": 53,
    "fan": 40,
    "memory_used": 2 * 2**30,
    "memory_total": 8 * 2**30,
    "memory_free": 6 * 2**30,
    "processes": {"12": 2**30},
}


def test_a_card_is_what_its_tool_says() -> None:
    card = believed("nvidia", GOOD)
    assert card is not None
    assert (card.name, card.vendor, card.utilisation, card.power) == ("Tesla M10", "nvidia", 35.0, 30.5)
    assert (card.memory_percent, card.processes, card.disbelieved) == (25.0, {12: 2**30}, ())
    assert card.key == ("nvidia", "GPU-1")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("utilisation", -1), ("utilisation", 101), ("utilisation", float("nan")), ("utilisation", "35"),
        ("utilisation", True), ("temperature", 4_294_967_295), ("temperature", float("inf")), ("power", -0.1),
        ("fan", 4_000_000_000), ("memory_used", 9 * 2**30), ("memory_used", -1), ("memory_free", 9 * 2**30),
        ("memory_total", 0), ("memory_total", 2**63),
    ],
)  # fmt: skip
def test_what_cannot_be_so_is_not_known_and_named(field: str, value: object) -> None:
    """Everything else is believed on."""
    card = believed("nvidia", GOOD | {field: value})
    assert card is not None
    assert getattr(card, field) is None
    assert card.disbelieved == (field,)
    assert card.uuid == "GPU-1"
    untouched = (set(RANGES) & set(GOOD)) - {field}
    assert all(getattr(card, name) == GOOD[name] for name in untouched)


def test_what_nobody_said_is_not_doubted() -> None:
    card = believed("amd", {"index": 1})
    assert card is not None
    assert (card.disbelieved, card.memory_percent, card.processes, card.key) == ((), None, None, ("amd", "1"))


@pytest.mark.parametrize("index", [None, -1, True, "0", 1.5])
def test_without_a_place_it_is_no_card(index: object) -> None:
    assert believed("amd", {"index": index}) is None


def test_a_process_whose_memory_cannot_be_so_is_not_there() -> None:
    processes = {"1": 5, "2": -5, "3": 9 * 2**30, "0": 1, "x": 1, "4": None}
    card = believed("nvidia", GOOD | {"processes": processes})
    assert card is not None
    assert card.processes == {1: 5}


def test_texts_are_short_and_printable() -> None:
    card = believed("nvidia", GOOD | {"name": "a\nb\x1b[31m" + "c" * 1000, "uuid": 7, "vendor": " "})
    assert card is not None
    assert card.name.startswith("ab[31mc")
    assert (len(card.name), card.uuid, card.vendor) == (200, None, "nvidia")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)


@given(st.dictionaries(st.sampled_from([*GOOD, "asleep", "vram_temperature"]), JSON))
def test_whatever_is_said_nothing_impossible_is_believed(told: dict[str, Any]) -> None:
    card = believed("nvidia", json.loads(json.dumps(told)))
    if card is None:
        return
    for name, (low, high) in RANGES.items():
        value = getattr(card, name)
        assert value is None or low <= value <= high
    assert card.memory_percent is None or 0 <= card.memory_percent <= 100
