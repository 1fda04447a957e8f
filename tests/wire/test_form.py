"""Fields of queries and form bodies."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llamaswap_py.wire.form import read, with_field

PAIRS = st.lists(st.tuples(st.sampled_from(["model", "mo del", "x", "é"]), st.text(max_size=5)), max_size=6)


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        ("", {}),
        ("model=a&model=b", {"model": "a"}),
        ("model=a%2Fb+c&x", {"model": "a/b c", "x": ""}),
        ("m%6Fdel=a&&=y", {"model": "a"}),
    ],
)
def test_fields_are_read_by_name_and_the_first_counts(text: str, fields: dict[str, str]) -> None:
    assert read(text) == fields


def test_only_the_named_field_changes() -> None:
    assert with_field("a=%7e&model=x&b=+%20&m%6fdel=y&c", "model", "n/ m") == "a=%7e&model=n%2F+m&b=+%20&model=n%2F+m&c"
    assert with_field("a=b", "model", "x") == "a=b"


@given(PAIRS)
def test_what_a_browser_writes_is_read(pairs: list[tuple[str, str]]) -> None:
    first = dict(reversed(pairs))
    assert read(urlencode(pairs)) == first


@given(PAIRS, st.text(min_size=1, max_size=5))
def test_every_other_field_stays_as_it_was(pairs: list[tuple[str, str]], value: str) -> None:
    after = parse_qsl(with_field(urlencode(pairs), "model", value), keep_blank_values=True)
    assert after == [(name, value if name == "model" else other) for name, other in pairs]
