"""The schema for editors knows every key, and takes the files that are taken."""

from __future__ import annotations

from typing import Any

import pytest

from llamaswap_py.config.json_schema import schema
from llamaswap_py.config.schema import KEYS, SAME, Key

WHOLE = schema()


def place(path: str) -> dict[str, Any]:
    node: dict[str, Any] = WHOLE
    for step in path.split("."):
        node = node["additionalProperties"] if step == "*" else node["properties"][step]
    return node


@pytest.mark.parametrize("key", KEYS, ids=lambda key: key.path)
def test_every_key_stands_in_it_with_its_meaning_and_default(key: Key) -> None:
    found = place(key.path)
    assert found["description"] == key.about
    default = list(key.default) if isinstance(key.default, tuple) else key.default
    assert found.get("default") == default


@pytest.mark.parametrize(("second", "first"), SAME.items())
def test_what_stands_in_two_places_has_the_same_keys_in_both(second: str, first: str) -> None:
    a, b = place(second), place(first)
    assert (a.get("properties"), a["additionalProperties"]) == (b.get("properties"), b["additionalProperties"])


def test_unknown_keys_are_underlined_but_the_operators_own_are_not() -> None:
    assert WHOLE["additionalProperties"] is False
    assert list(WHOLE["patternProperties"]) == ["^x-"]
    assert place("models.*")["additionalProperties"] is False


def test_bounds_and_choices_are_told() -> None:
    assert place("startPort")["anyOf"][0] == {"type": ["integer", "null"], "minimum": 1, "maximum": 65535}
    assert place("logToStdout")["anyOf"][0]["enum"] == ["proxy", "upstream", "both", "none", None]
    assert place("selectors.*.strategy")["anyOf"][0]["enum"] == ["pin", "warm", "spillover", "", None]
    assert place("logLevel")["examples"] == ["debug", "info", "warn", "error"]
