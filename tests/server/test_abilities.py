"""The flags of what a model can do."""

from __future__ import annotations

import pytest

from llamaswap_py.config.values import Capabilities
from llamaswap_py.server.abilities import flags


@pytest.mark.parametrize(
    ("able", "names"),
    [
        (Capabilities(), []),
        (Capabilities(("text", "image"), ("text",)), ["vision"]),
        (Capabilities(("audio",), ("text",)), ["audio_transcriptions"]),
        (Capabilities(("text",), ("audio",), tools=True), ["audio_speech", "function_calling"]),
        (Capabilities(("text",), ("image",)), ["image_generation"]),
        (Capabilities(("image",), ("image",), reranker=True), ["vision", "image_to_image", "reranker"]),
    ],
)
def test_only_what_is_true_is_said(able: Capabilities, names: list[str]) -> None:
    assert flags(able) == dict.fromkeys(names, True)
