"""Names exactly as configured, and those that look alike."""

from __future__ import annotations

from llamaswap_py.config.names import nearest, resolve
from tests.config.reading import read_loosely

CONFIG = read_loosely("models: {qwen-7b: {cmd: '${PORT}', aliases: [small, QWEN, both]}, both: {cmd: '${PORT}'}}")


def test_an_id_is_found_before_an_alias_and_only_exactly() -> None:
    assert resolve(CONFIG, "qwen-7b") == resolve(CONFIG, "small") == "qwen-7b"
    assert resolve(CONFIG, "both") == "both"
    assert resolve(CONFIG, "Small") is None
    assert resolve(CONFIG, " small") is None


def test_names_that_look_alike_are_offered_whatever_their_case() -> None:
    assert nearest(CONFIG, "QWEN-7B") == ["qwen-7b", "QWEN"]
    assert nearest(CONFIG, "smal") == ["small"]
    assert nearest(CONFIG, "zzzzzz") == []
