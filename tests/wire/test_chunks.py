"""Whole chunks are found however many there are, and whatever sizes were met before."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llamaswap_py.wire.chunks import CHUNK_END, CRLF, LONG, MISSES, MOST_SIZES, MOST_STEPS, Usual, learn, whole_chunks


@pytest.mark.parametrize(
    ("data", "ending", "passed"),
    [
        (b"5\r\nhello\r\n", b"\r\n", 10),
        (b"5\r\nhello\r\nA\r\n0123456789\r\n", b"\r\n", 25),
        (b"5\r\nhello\r\nA\r\n0123456789\r\n", b"lo\r\n", 10),
        (b"5\r\nhello\r\nA\r\n0123456789\r\n", b"89\r\n", 25),
        (b"5\r\nhello\r\n0\r\n\r\n", b"\r\n", 10),
        (b"5\r\nhello\r\n1", b"\r\n", 10),
        (b"5\r\nhello\r\nA\r\n012", b"\r\n", 10),
        (b"5\r\nhello\r\n05\r\nhello\r\n", b"\r\n", 10),
        (b"1\r\n\n\r\n", b"\n\n\r\n", 0),
        (b"2\r\n\n\n\r\n", b"\n\n\r\n", 7),
        (b"2\r\nx\n\r\n", b"\n\n\r\n", 0),
        (b"5\r\nhello\r", b"\r\n", 0),
        (b"5\r\nhello", b"\r\n", 0),
        (b"5", b"\r\n", 0),
        (b"05\r\nhello\r\n", b"\r\n", 0),
        (b"5;x\r\nhello\r\n", b"\r\n", 0),
        (b"5\r\nhello!!", b"\r\n", 0),
        (b"5\r\nhello!!5\r\nhello\r\n", b"\r\n", 0),
        (b"5\r\nhelloab5\r\nhello\r\n", b"\r\n", 0),
        (b"5\r\nhello\r\n5\r\nhelloab5\r\nhello\r\n", b"\r\n", 10),
        (b"5\r\nhello\r\n\r\n5\r\nhello\r\n", b"\r\n", 10),
        (b"5\r\nhello\r\n1000000\r\nhello\r\n", b"\r\n", 10),
        (b"", b"\r\n", 0),
    ],
)
def test_whole_plain_chunks_are_recognised(data: bytes, ending: bytes, passed: int) -> None:
    assert whole_chunks(data, ending) == passed


@given(st.lists(st.integers(1, 5000)), st.integers(0, 20))
def test_chunks_of_all_sizes_are_walked_through(sizes: list[int], cut: int) -> None:
    data = b"".join(b"%x\r\n%b\r\n" % (size, b"a" * size) for size in sizes)
    assert whole_chunks(data) == len(data)
    left, whole = max(0, len(data) - cut), 0
    for size in sizes:
        step = len(b"%x" % size) + size + 4
        if whole + step > left:
            break
        whole += step
    assert whole_chunks(data[:left]) == whole


@given(st.lists(st.integers(1, 500), min_size=1), st.integers(1, 300))
def test_chunks_are_walked_through_from_where_the_first_one_begins(sizes: list[int], before: int) -> None:
    data = b"".join(b"%x\r\n%b\r\n" % (size, b"a" * size) for size in sizes)
    assert whole_chunks(b"1" * before + data, b"a\r\n", before) == before + len(data)
    assert whole_chunks(b"1" * before + data, b"b\r\n", before) == before


def test_what_chunks_begin_with_is_remembered_up_to_a_bound() -> None:
    steps: dict[bytes, int] = {}
    for number in range(2 * MOST_STEPS):
        assert learn(steps, b"", b"5\r\n%x" % number) == 10
        assert len(steps) <= MOST_STEPS


def chunk_of(size: int, end: bytes = b"\n\n") -> bytes:
    return b"%x\r\n%b\r\n" % (size, (b"d" * size + end)[-size:])


def trained(*sizes: int) -> Usual:
    usual = Usual()
    data = b"".join(map(chunk_of, sizes)) * MISSES
    whole_chunks(data, CHUNK_END, 0, usual)
    assert usual.sizes
    return usual


def test_sizes_that_were_met_often_are_stepped_over_by_a_pattern() -> None:
    usual = trained(200, 201)
    data = b"".join(map(chunk_of, (200, 201, 200, 199, 200))) * 10
    assert usual.end(data, 0) == len(b"".join(map(chunk_of, (200, 201, 200))))
    assert whole_chunks(data, CHUNK_END, 0, usual) == len(data)


PARTS = st.one_of(
    st.sampled_from([chunk_of(200), chunk_of(201), chunk_of(300)]),
    st.sampled_from(
        [chunk_of(200, b"xx"), chunk_of(200)[:-1], chunk_of(200) + b"\n", b"0\r\n\r\n", CHUNK_END, b"C8\r\n"]
    ),
    st.integers(1, 400).map(chunk_of),
)


@given(st.lists(PARTS, min_size=1), st.integers(0, 100), st.integers(0, 50), st.sampled_from([CRLF, CHUNK_END]))
def test_what_was_met_before_changes_nothing(parts: list[bytes], start: int, cut: int, ending: bytes) -> None:
    """Whole, broken and cut ones, behind a long run of usual ones."""
    data = b"x" * start + chunk_of(200) * (LONG // 200) + b"".join(parts)
    data = data[: len(data) - cut]
    assert whole_chunks(data, ending, start, trained(200, 201)) == whole_chunks(data, ending, start, Usual())


def test_no_more_sizes_are_tried_than_a_few_and_the_last_ones_count() -> None:
    usual = trained(*range(100, 100 + 2 * MOST_SIZES))
    assert len(usual.sizes) == MOST_SIZES
    for _ in range(3):
        whole_chunks(chunk_of(500) * usual.patience, CHUNK_END, 0, usual)
    assert usual.sizes[0] == b"1f4"
    assert len(usual.sizes) == MOST_SIZES


def test_the_pattern_is_made_anew_ever_less_often() -> None:
    usual, made = Usual(), 0
    for number in range(100):
        before = usual.pattern
        whole_chunks(chunk_of(100 + number) * MISSES, CHUNK_END, 0, usual)
        made += usual.pattern is not before
    assert made == 6


def test_chunks_that_can_hold_no_event_make_no_pattern() -> None:
    usual = Usual()
    whole_chunks(chunk_of(1) * (2 * MISSES), CRLF, 0, usual)
    assert not usual.sizes
    assert usual.end(CHUNK_END * MISSES, 0) == 0
