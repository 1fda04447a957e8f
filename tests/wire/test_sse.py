"""Where events end, whatever ends their lines."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llamaswap_py.wire.sse import SAMPLE, Events, events_in

STREAMS = [
    b"data: 1\n\ndata: 2\n\n",
    b"data: 1\r\n\r\ndata: 2\r\n\r\n",
    b"data: 1\r\rdata: 2\r\r",
    b"event: a\ndata: 1\n\n: note\n\n\n\ndata: 2\r\n\n",
    b"\n\n\r\ndata: 1\n\r\ndata: 2\r\r\n",
]


def splits(data: bytes) -> list[list[bytes]]:
    """Every cut in two, and one byte at a time."""
    return [[data[:at], data[at:]] for at in range(len(data) + 1)] + [[data[at : at + 1] for at in range(len(data))]]


def ends_event(data: bytes) -> bool:
    """Said another way than the code does it: nothing, only empty lines, or an empty line at the end."""
    lines = re.split(rb"\r\n|\n|\r", data)
    return lines[-1] == b"" and (len(lines) == 1 or lines[-2] == b"" or not any(lines))


@pytest.mark.parametrize("stream", STREAMS)
def test_whole_events_go_out_however_they_came_in(stream: bytes) -> None:
    for pieces in splits(stream):
        events, out = Events(), b""
        for piece in pieces:
            out += events.feed(piece)
            assert ends_event(out)
        assert out == stream
        assert events.clear


def test_a_partial_event_waits_for_its_end() -> None:
    events = Events()
    assert events.feed(b"data: 1\n\ndata: 2\n") == b"data: 1\n\n"
    assert not events.clear
    assert events.feed(b"data: 3") == b""
    assert events.feed(b"\n\n") == b"data: 2\ndata: 3\n\n"
    assert events.clear


def test_what_is_held_can_be_had_at_the_proper_end_of_the_stream() -> None:
    events = Events()
    assert events.feed(b"data: 1") == b""
    assert events.rest() == b"data: 1"
    assert events.clear


@pytest.mark.fault("S58")
def test_an_event_over_the_limit_passes_in_pieces_and_is_known_to_be_open() -> None:
    events = Events(limit=8)
    assert events.feed(b"data: 1234") == b"data: 123"
    assert events.open
    assert not events.clear
    assert events.feed(b"56\n") == b""
    assert events.feed(b"\n") == b"456\n\n"
    assert not events.open
    assert events.clear


@given(st.lists(st.sampled_from([b"a", b"data: x", b"\n", b"\r", b"\r\n", b"\n\n"]), max_size=40), st.integers(4, 64))
def test_nothing_is_lost_added_or_reordered_and_every_cut_is_between_events(pieces: list[bytes], limit: int) -> None:
    events, out = Events(limit), b""
    for piece in pieces:
        out += events.feed(piece)
        assert events.open or ends_event(out)
        assert b"".join(pieces).startswith(out)
    assert out + events.rest() == b"".join(pieces)


def test_the_events_of_a_long_stream_are_counted_in_its_middle() -> None:
    text = b"".join(b"data: %b\n\n" % (b"x" * (10 + number % 7)) for number in range(SAMPLE))
    assert events_in(text[:SAMPLE]) == text[:SAMPLE].count(b"\n\n")
    assert abs(events_in(text) / SAMPLE - 1) < 0.01
