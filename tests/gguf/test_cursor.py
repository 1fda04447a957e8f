"""Moving through a file: over the ends of chunks, past what is of no interest, never beyond what is there."""

from __future__ import annotations

import struct

import pytest

from llamaswap_py.gguf.cursor import (
    FIRST_CHUNK,
    LARGEST_HEADER,
    LEAP_FROM,
    LONGEST_TEXT,
    Broken,
    Cursor,
    Truncated,
)


def cursor(data: bytes, may_leap: bool = True) -> Cursor:
    return Cursor(lambda offset, size: data[offset : offset + size], may_leap)


def text(value: bytes) -> bytes:
    return struct.pack("<Q", len(value)) + value


@pytest.mark.parametrize("before", range(FIRST_CHUNK - 12, FIRST_CHUNK + 2))
def test_a_value_may_lie_across_the_end_of_a_chunk(before: int) -> None:
    moving = cursor(bytes(before) + text(b"hello") + b"\x07\0\0\0")
    moving.skip(before)
    assert moving.text() == "hello"
    assert moving.number("I") == 7
    assert moving.offset == before + 17


def test_a_text_may_be_longer_than_a_chunk() -> None:
    assert cursor(text(b"x" * (FIRST_CHUNK * 3)) + b"y").text() == "x" * FIRST_CHUNK * 3


def test_what_is_no_text_is_read_with_marks() -> None:
    assert cursor(text(b"a\xffb")).text() == "a\ufffdb"


@pytest.mark.parametrize("size", [0, 1, 8, 12])
def test_an_end_within_a_value_is_told(size: int) -> None:
    moving = cursor(text(b"hello")[:size])
    with pytest.raises(Truncated, match=f"at byte {size}"):
        moving.text()


@pytest.mark.parametrize("beyond", [0, 1])
def test_what_is_skipped_must_be_there(beyond: int) -> None:
    moving = cursor(bytes(FIRST_CHUNK * 2))
    moving.number("B")
    if beyond:
        with pytest.raises(Truncated):
            moving.skip(FIRST_CHUNK * 2)
    else:
        moving.skip(FIRST_CHUNK * 2 - 1)
        assert moving.offset == FIRST_CHUNK * 2


def test_a_length_that_no_header_has_is_broken() -> None:
    with pytest.raises(Broken, match="a text of"):
        cursor(struct.pack("<Q", LONGEST_TEXT + 1)).text()
    with pytest.raises(Broken, match="before byte 0"):
        cursor(b"").skip(LARGEST_HEADER + 2)


@pytest.mark.parametrize("may_leap", [True, False])
@pytest.mark.parametrize("count", [0, 1, LEAP_FROM - 1, LEAP_FROM, LEAP_FROM * 4])
def test_texts_are_passed_by_walking_and_by_leaping(count: int, may_leap: bool) -> None:
    texts = b"".join(text(b"token%d" % number) for number in range(count))
    moving = cursor(texts + text(b"tokenizer.next") + b"end", may_leap)
    moving.skip_texts(count)
    assert moving.text() == "tokenizer.next"
    assert moving.has_leapt == (may_leap and count >= LEAP_FROM)


@pytest.mark.parametrize("behind", [b"", text(b"general.file_type"), text(b"x") * 40_000])
def test_where_no_key_is_seen_to_leap_to_the_texts_are_walked_through(behind: bytes) -> None:
    texts = text(b"token") * LEAP_FROM
    moving = cursor(texts + behind)
    moving.skip_texts(LEAP_FROM)
    assert moving.offset == len(texts)
    assert not moving.has_leapt


def test_a_key_right_at_the_nearest_place_is_not_leapt_to() -> None:
    """Its length would lie before what was searched."""
    texts = text(b"") * (LEAP_FROM - 1) + text(b"tokenizer.")
    moving = cursor(texts)
    moving.skip_texts(LEAP_FROM)
    assert moving.offset == len(texts)


@pytest.mark.parametrize("cut", [1, 5, 9])
def test_texts_that_are_not_all_there_are_told(cut: int) -> None:
    texts = text(b"token") * 10
    with pytest.raises(Truncated):
        cursor(texts[:-cut]).skip_texts(10)


@pytest.mark.parametrize("length", [LARGEST_HEADER + 1, 2**63, 2**64 - 1])
def test_a_text_among_many_of_a_length_that_no_header_has_is_broken(length: int) -> None:
    with pytest.raises(Broken):
        cursor(text(b"token") + struct.pack("<Q", length)).skip_texts(3)
