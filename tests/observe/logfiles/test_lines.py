"""Pieces in, whole lines out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llamaswap_py.observe.logfiles import lines
from llamaswap_py.observe.logfiles.lines import CONTINUED, CUT, LONGEST, Lines


def fed(data: bytes, cuts: list[int]) -> bytes:
    """What comes out, of pieces cut there."""
    made, places = Lines(), sorted({min(cut, len(data)) for cut in cuts})
    pieces = [data[begin:end] for begin, end in zip([0, *places], [*places, len(data)], strict=True)]
    return b"".join([*map(made.feed, pieces), made.end()])


@given(st.lists(st.binary(max_size=20)), st.lists(st.integers(0, 200)))
def test_however_it_is_cut_the_same_whole_lines_come_out(texts: list[bytes], cuts: list[int]) -> None:
    data = b"\n".join(texts)
    assert fed(data, cuts) == (data if data.endswith(b"\n") or not data else data + b"\n")


def test_nothing_is_given_out_before_its_line_is_whole() -> None:
    made = Lines()
    assert made.feed(b"one\ntw") == b"one\n"
    assert made.feed(b"o") == b""
    assert made.feed(b"\nthr") == b"two\n"
    assert made.end() == b"thr\n"
    assert made.end() == b""


@given(st.integers(1, 4), st.lists(st.integers(0, 5 * LONGEST), max_size=4), st.booleans())
def test_a_line_without_end_is_split_with_a_mark_at_the_same_places(times: int, cuts: list[int], ends: bool) -> None:
    data = b"short\n" + b"x" * (times * LONGEST + 7) + (b"\nmore\n" if ends else b"")
    out = fed(data, cuts)
    assert out == fed(data, [])
    assert all(len(line) <= LONGEST + len(CUT) for line in out.split(b"\n"))
    assert out.count(CUT) >= times
    assert out.replace(CUT + CONTINUED, b"").removesuffix(b"\n") == data.removesuffix(b"\n")


def test_a_character_is_not_torn_where_a_line_is_split() -> None:
    data = b"a" + "€".encode() * LONGEST
    fed(data, []).decode()


def test_what_is_no_text_is_split_all_the_same() -> None:
    data = b"\x80" * (LONGEST + 1)
    assert fed(data, []).replace(CUT + CONTINUED, b"") == data + b"\n"


def test_lines_of_the_greatest_length_are_whole() -> None:
    data = (b"x" * LONGEST + b"\n") * 3
    assert fed(data, []) == data
    assert not lines.has_long(data)


@pytest.mark.parametrize(
    ("before", "lost", "after", "out", "count"),
    [
        (b"a\n", b"b\nc\n", b"d\n", b"a\nd\n", 2),  # between lines
        (b"a\nb", b"b\nc\n", b"d\n", b"a\nd\n", 2),  # the first in its middle
        (b"a\n", b"b\nc", b"c\nd\n", b"a\nd\n", 2),  # the last in its middle
        (b"a\nb", b"b", b"b\nd\n", b"a\nd\n", 1),  # one line in its middle
    ],
)
def test_of_a_line_that_is_lost_in_part_nothing_is_left(
    before: bytes, lost: bytes, after: bytes, out: bytes, count: int
) -> None:
    for cut in range(len(after) + 1):
        made = Lines()
        told = made.feed(before)
        assert made.gap(lost.count(b"\n"), lost.endswith(b"\n")) == count
        assert told + made.feed(after[:cut]) + made.feed(after[cut:]) == out
