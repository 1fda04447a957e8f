"""What may stand in the order to make a profile active."""

from __future__ import annotations

import pytest

from llamaswap_py.errors import BadRequest
from llamaswap_py.server.profiles import wanted


@pytest.mark.parametrize(
    ("body", "name"), [(b'{"name":"x"}', "x"), (b'{"name":null}', None), (b'{"name":"","more":1}', None)]
)
def test_a_name_or_none(body: bytes, name: str | None) -> None:
    assert wanted(body) == name


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "invalid profile request"),
        (b"[]", "invalid profile request"),
        (b"null", "invalid profile request"),
        (b"\xff{", "invalid profile request"),
        (b'{"name":"\xff"}', "invalid profile request"),
        (b"{}", "profile name is required"),
        (b'{"name":7}', "profile name must be a string or null"),
    ],
)
def test_anything_else_is_told_in_llama_swaps_words(body: bytes, said: str) -> None:
    with pytest.raises(BadRequest, match=f"^{said}$"):
        wanted(body)
