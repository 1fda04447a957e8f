"""The beginning and the end of a body, at every chunking."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from hypothesis import example, given
from hypothesis import strategies as st

from llamaswap_py.wire.chunks import LAST_CHUNK, chunk
from llamaswap_py.wire.window import (
    FIRST,
    LARGE,
    LAST,
    LONG,
    NEAR_END,
    NEAR_START,
    STILL,
    Body,
    Piece,
    Window,
    body_of,
    ending,
    ends_of,
    hold_events,
    holds_events,
    unchunked,
)


def filled(pieces: Sequence[Piece], limit: int = FIRST + LAST) -> Window:
    window, added, mark = Window(limit), 0, limit
    for piece in pieces:
        window.add(piece)
        added += len(piece)
        if added > mark:
            mark = window.weigh(added)
    return window


@given(st.lists(st.binary(min_size=1, max_size=200), max_size=20))
def test_up_to_the_limit_everything_is_there(pieces: list[bytes]) -> None:
    assert body_of(filled(pieces), chunked=False) == Body(b"".join(pieces), b"", True)


@given(st.integers(1, 3000), st.integers(LAST * 2, LAST * 6))
def test_of_a_long_body_the_beginning_and_the_end_are_held_and_little_more(size: int, total: int) -> None:
    text = b"".join(b"%08x" % number for number in range(total // 8))
    window = filled([text[at : at + size] for at in range(0, len(text), size)])
    body = body_of(window, chunked=False)
    assert not body.whole
    assert (text[: len(body.first)], text[-len(body.last) :]) == (body.first, body.last)
    assert len(body.first) >= FIRST
    assert len(body.last) >= LAST
    assert len(body.first) + len(body.last) < FIRST + 2 * LAST + 2 * size
    assert window.held == min(len(text), FIRST + 2 * LAST)
    assert window.size == len(text)


def test_one_piece_larger_than_all_bounds_is_beginning_and_end() -> None:
    body = body_of(filled([b"x" * (LAST * 4), b"end"]), chunked=False)
    assert body.first == b"x" * (LAST * 4)
    assert body.last == b"end"


def test_up_to_the_limit_it_need_not_be_asked_again() -> None:
    window = Window(5)
    assert window.weigh(0) == window.weigh(5) == 5
    window.add(b"a" * LAST * 2)
    assert window.weigh(6) == 6 + LAST


def test_of_one_large_read_the_beginning_is_held_up_to_the_end_of_an_event() -> None:
    events = b"data: 12345678\n\n" * 20_000
    for pieces in ([events], [b"data: 1\n\n", events], [chunk(events)]):
        window = filled([*pieces, b"data: last\n\n"], limit=1000)
        first = body_of(window, chunked=pieces[0] != events and len(pieces) == 1).first
        assert FIRST <= len(first) < FIRST + 32
        assert first.endswith(b"5678\n\n")


def test_the_beginning_of_a_long_body_ends_with_a_chunk_where_that_ends_with_an_event() -> None:
    events = chunk(b"data: 12345678\n\n") * 20_000
    first = body_of(filled([events], limit=1), chunked=False).first
    assert first.endswith(b"5678\n\n\r\n")
    assert holds_events(first)


def test_a_beginning_that_ends_with_its_last_chunk_keeps_that_chunk_whole() -> None:
    events = chunk(event_of(100)) + chunk(event_of(FIRST))
    assert body_of(filled([events, chunk(event_of(LAST))], limit=1), chunked=False).first == events


def test_what_was_shed_early_can_go_on() -> None:
    window = filled([b"a", b"b"])
    window.shed()
    window.add(b"c")
    assert body_of(window, chunked=False) == Body(b"ab", b"c", whole=False)
    window = filled([])
    window.shed()
    window.add(b"c")
    assert body_of(window, chunked=False) == Body(b"", b"c", whole=False)


def event_of(size: int) -> bytes:
    return b"data: " + b"x" * size + b"\n\n"


def test_while_nothing_comes_of_a_long_answer_its_ends_are_held_and_no_read() -> None:
    read = b"".join(chunk(event_of(100)) for _ in range(2500))
    whole = read[: len(read) // 2500 * 2000]
    window = filled([memoryview(whole)] * 3, limit=1 << 20)
    assert window.slim(STILL, chunked=True, events=True) >= 2 * len(whole)
    first, last = window.pieces()
    assert {type(piece) for piece in first + last} == {bytes}
    assert sum(map(len, first)) < FIRST + 200
    assert STILL < sum(map(len, last)) <= STILL + 200
    assert holds_events(bytes(first[0]))
    assert unchunked(bytes(last[0])).startswith(event_of(100))
    assert window.size == 3 * len(whole)
    assert window.slim(STILL, chunked=True, events=True) == 0
    window.add(chunk(event_of(5)))
    assert window.weigh(window.size) < window.limit
    assert body_of(window, chunked=True).last.endswith(event_of(100) + event_of(5))


def test_while_nothing_comes_a_short_answer_stays_whole() -> None:
    read = b"x" * 300_000
    window = filled([memoryview(read)[:1000], b"abc"])
    assert window.slim(STILL, chunked=False, events=False) == 0
    assert [type(piece) for piece in window.pieces()[0]] == [bytes, bytes]
    assert body_of(window, chunked=False) == Body(b"x" * 1000 + b"abc")


SIZES = st.one_of(st.integers(1, 300), st.integers(20_000, 40_000))


@given(st.lists(st.lists(SIZES, min_size=1, max_size=3), min_size=1, max_size=12), st.booleans(), st.booleans())
@example([[20_000, 22_000, 40_000]], False, False)
@example([[20_000, 22_000, 40_000]], True, True)
@example([[20_000, 22_000, 40_000]], True, False)
def test_what_stays_of_events_while_nothing_comes_is_whole_ones(
    pieces: list[list[int]], chunked: bool, together: bool
) -> None:
    """However they were framed, and the last of them are among them; a second time it stays as it is."""
    events = [[event_of(size) for size in sizes] for sizes in pieces]
    text = b"".join(map(b"".join, events))
    frame = chunk if chunked else bytes
    framed = [frame(b"".join(each)) if together else b"".join(map(frame, each)) for each in events]
    window = filled(framed, limit=1 << 20)
    window.slim(STILL, chunked, events=True)
    kept = body_of(window, chunked)
    window.slim(STILL, chunked, events=True)
    assert body_of(window, chunked) == kept
    if kept.whole:
        assert kept.first == text
    else:
        end = kept.last or kept.first
        assert text.endswith(end)
        assert end.startswith(b"data: ")
        assert len(end) >= min(STILL, len(text) - len(kept.first))


def test_what_is_no_event_ends_as_it_ends() -> None:
    assert ending(b"x" * 300_000, STILL, chunked=False, events=True) == b"x" * 300_000
    assert ending(b"x" * 10 + b"y" * LAST, LAST, chunked=False, events=False) == b"y" * LAST
    assert ending(chunk(b"x" * 10) + chunk(b"y" * LAST), LAST, chunked=True, events=False) == chunk(b"y" * LAST)
    assert filled([b"x" * 300_000], limit=1 << 20).slim(LAST, chunked=False, events=False) == 0


@given(st.lists(st.lists(st.binary(min_size=1, max_size=3000), min_size=1, max_size=3), max_size=60))
def test_the_framing_of_chunks_is_gone_from_both_parts(pieces: list[list[bytes]]) -> None:
    framed = [b"".join(map(chunk, contents)) for contents in pieces]
    text = b"".join(part for contents in pieces for part in contents)
    body = body_of(filled([*framed, LAST_CHUNK], limit=1000), chunked=True)
    assert text.startswith(body.first)
    assert text.endswith(body.last)
    assert not body.whole or body.first == text


def test_unframing_ends_at_what_is_no_chunk() -> None:
    assert unchunked(b"3\r\nabc\r\nnonsense\r\n") == b"abc"
    assert unchunked(b"3\r\nabc\r\n0\r\n\r\n3\r\nabc\r\n") == b"abc"
    assert unchunked(b"\r\n") == unchunked(b"") == b""


EVENTS = st.lists(
    st.sampled_from([b"data: 1\n\n", b"event: x\ndata: {}\n\n", b": \n\n", b"data: \r\n\r\n"]), max_size=8
)


@given(EVENTS, st.lists(st.integers(0, 120), max_size=6), st.booleans())
def test_no_event_is_cut_where_the_framing_is_said_to_hold_them(
    events: list[bytes], cuts: list[int], over: bool
) -> None:
    """Wherever the chunks end: if it says so, every chunk is whole events."""
    text = b"".join(events)
    places = sorted({0, len(text), *(cut for cut in cuts if cut < len(text))})
    chunks = [text[start:end] for start, end in pairwise(places)]
    framed = b"".join(map(chunk, chunks)) + (LAST_CHUNK if over else b"")
    assert holds_events(framed) == all(piece.endswith(b"\n\n") and b"\r" not in piece for piece in chunks)


@given(st.integers(1, 300), st.integers(1, 300))
def test_of_a_long_body_both_ends_are_looked_at(at_start: int, at_end: int) -> None:
    """However its chunks end between them."""
    whole = chunk(b"data: " + b"x" * 30 + b"\n\n")
    cut = chunk(b"data: x") + chunk(b"\n\n")
    start, end = whole * at_start, whole * at_end
    assert holds_events(start + whole * 400 + end + LAST_CHUNK)
    for text in (cut + start + whole * 400, whole * 400 + end + cut + LAST_CHUNK, cut * 2000):
        assert not holds_events(text)


def test_an_event_longer_than_what_is_looked_at_is_read_without_its_framing() -> None:
    assert not holds_events(chunk(b"data: " + b"x" * FIRST + b"\n\n") * 2)


@given(st.integers(LARGE, 2 * LONG))
def test_of_a_long_body_in_large_pieces_the_ends_are_taken_without_the_rest(size: int) -> None:
    text = b"".join(b"%08x" % number for number in range(LONG // 4))
    pieces = [text[at : at + size] for at in range(0, len(text), size)]
    assert ends_of(filled(pieces, limit=len(text))) == Body(text[:NEAR_START], text[-NEAR_END:], whole=False)


def test_of_a_body_in_small_pieces_or_one_that_is_short_no_ends_are_taken() -> None:
    text = b"x" * (2 * LONG)
    for pieces in ([text[:100]] * 1000, [text[: LONG - 1]]):
        assert ends_of(filled(pieces, limit=len(text))) is None


def test_of_a_long_body_that_is_not_held_as_a_whole_the_ends_are_taken() -> None:
    text = b"".join(b"%08x" % number for number in range(LONG // 2))
    for size in (100, LARGE, LONG):
        pieces = [text[at : at + size] for at in range(0, len(text), size)]
        assert ends_of(filled(pieces)) == Body(text[:NEAR_START], text[-NEAR_END:], whole=False)


def test_the_two_ends_of_a_body_hold_whole_events_where_their_chunks_do() -> None:
    whole, cut = chunk(b"data: 1\n\n"), chunk(b"data: 1") + chunk(b"\n\n")
    assert hold_events(whole * 3 + whole[:5], whole[-5:] + whole * 3)
    assert not hold_events(whole + cut + whole, whole * 3)
    assert not hold_events(whole * 3, whole + cut + whole)
    assert not hold_events(whole[:-2], whole * 3)
