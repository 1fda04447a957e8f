"""The caller's message at every chunking of the server's."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llamaswap_py.wire.answer import Answer
from llamaswap_py.wire.chunks import LAST_CHUNK, chunk
from llamaswap_py.wire.headers import Caller
from llamaswap_py.wire.http1 import Reader
from llamaswap_py.wire.window import unchunked

NEW = Caller("POST", (1, 1), True)
OLD = Caller("POST", (1, 0), False)
EVENTS = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
UNTIL_CLOSE = b"HTTP/1.0 200 OK\r\n\r\n"
BREAK = b"data: broken\n\n"


def carried(pieces: list[bytes], caller: Caller = NEW) -> tuple[bytes, Answer]:
    answer, out = Answer(caller, caller.method), b""
    for piece in pieces:
        out += b"".join(answer.parts(piece))
    return out, answer


def body_of(message: bytes, caller: Caller = NEW) -> bytes:
    """What the caller reads, by a reader that is tested by itself."""
    reader = Reader(caller.method)
    body = reader.feed(message)
    assert reader.fault is None
    reader.end()
    assert reader.done
    assert not reader.surplus
    return body


def ways(data: bytes) -> list[list[bytes]]:
    return [[data[:at], data[at:]] for at in range(len(data))] + [[data[at : at + 1] for at in range(len(data))]]


@pytest.mark.parametrize("caller", [NEW, OLD, Caller("HEAD", (1, 1), True)])
@pytest.mark.parametrize(
    ("data", "body"),
    [
        (EVENTS + chunk(b"data: 1\n\n") + chunk(b"data: 2\n\ndata: ") + chunk(b"3\n\n") + LAST_CHUNK, None),
        (CHUNKED + chunk(b"hello") + chunk(b"world") + LAST_CHUNK, b"helloworld"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhelloworld", b"helloworld"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", b""),
    ],
)
def test_the_caller_reads_the_servers_body_in_its_own_framing(caller: Caller, data: bytes, body: bytes | None) -> None:
    if caller.method == "HEAD":
        data, body = data.partition(b"\r\n\r\n")[0] + b"\r\n\r\n", b""
    for pieces in ways(data):
        out, answer = carried(pieces, caller)
        assert answer.done
        assert body_of(out, caller) == (b"data: 1\n\ndata: 2\n\ndata: 3\n\n" if body is None else body)
        assert answer.keeps_caller is not answer.needs_reset
        assert answer.reusable


def test_whole_chunks_of_whole_events_pass_untouched() -> None:
    answer = Answer(NEW, "POST")
    answer.feed(EVENTS)
    read = chunk(b"data: 1\n\n") + chunk(b"data: 2\n\n")
    assert answer.feed(read) is read
    assert answer.body_began


def test_of_a_read_that_ends_within_a_chunk_the_whole_ones_pass_untouched() -> None:
    events = [chunk(b"data: %d\n\n" % number) for number in range(3)]
    for cut in range(len(events[0]), 2 * len(events[0]) + 1):
        answer = Answer(NEW, "POST")
        answer.feed(EVENTS)
        first = answer.feed(b"".join(events)[:cut])
        assert first.startswith(events[0])
        assert unchunked(first + answer.feed(b"".join(events)[cut:])) == unchunked(b"".join(events))


def test_much_that_comes_with_the_head_is_all_there() -> None:
    """Whatever the body's framing is, and wherever the read ends."""
    text = b"".join(b"data: %d\n\n" % number for number in range(1000))
    chunks = b"".join(chunk(event + b"\n\n") for event in text.split(b"\n\n")[:-1]) + LAST_CHUNK
    length = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(text)
    for message in (EVENTS + chunks, CHUNKED + chunks, length + text):
        for cut in (0, 3, 8, 600):
            end = len(message) - cut
            passed, answer = carried([message[:end], *filter(None, [message[end:]])])
            assert body_of(passed) == text
            assert answer.done


def test_nothing_passes_behind_a_fault_of_the_framing() -> None:
    """Also where it stands right behind the head's end, and much follows."""
    answer = Answer(NEW, "POST")
    got = b"".join(
        (*answer.parts(EVENTS[:-1]), *answer.parts(EVENTS[-1:] + b"ZZ\r\n\r\n" + chunk(b"data: 1\n\n") * 200))
    )
    assert answer.fault is not None
    assert b"data: 1" not in got


def test_a_long_head_is_no_body_yet() -> None:
    answer = Answer(NEW, "POST")
    answer.parts(EVENTS[:-2] + b"X: " + b"x" * 2000 + b"\r\n\r\n")
    assert answer.head is not None
    assert not answer.body_began


def test_chunks_of_anything_else_pass_untouched() -> None:
    answer = Answer(NEW, "POST")
    answer.feed(CHUNKED)
    read = chunk(b"hello")
    assert answer.feed(read) is read
    assert answer.feed(chunk(b"hello")[:5]) == b"2\r\nhe\r\n"


def test_an_end_of_event_that_is_none_does_not_pass() -> None:
    """A chunk of one line feed ends in two of them, one of which is not of the event."""
    answer = Answer(NEW, "POST")
    answer.feed(EVENTS)
    assert answer.feed(chunk(b"data: 1") + chunk(b"\n")) == b""
    assert answer.feed(chunk(b"\n")) == chunk(b"data: 1\n\n")


def test_a_whole_chunk_that_ends_a_held_event_waits_for_its_turn() -> None:
    answer = Answer(NEW, "POST")
    answer.feed(EVENTS)
    assert answer.feed(chunk(b"data: 1")) == b""
    assert answer.feed(chunk(b"2\n\n")) == chunk(b"data: 12\n\n")


def test_a_body_of_known_length_passes_untouched() -> None:
    answer = Answer(NEW, "POST")
    answer.feed(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n")
    assert not answer.body_began
    read = b"hello"
    assert answer.feed(read) is read
    assert answer.body_began
    assert answer.feed(b"world") == b"world"
    assert answer.done


def test_a_body_until_close_ends_properly_for_who_can_be_told() -> None:
    for caller in (NEW, OLD):
        out, answer = carried([UNTIL_CLOSE, b"hello"], caller)
        assert not answer.done
        out += answer.end()
        assert answer.done
        assert body_of(out, caller) == b"hello"
        assert not answer.reusable
        assert answer.end() == b""


def test_an_early_close_is_a_fault_and_adds_nothing() -> None:
    for pieces in ([], [CHUNKED], [CHUNKED, chunk(b"hello")]):
        _, answer = carried(pieces)
        assert answer.end() == b""
        assert answer.fault is not None
        assert not answer.done


def test_the_last_event_needs_no_empty_line_if_the_message_ends_properly() -> None:
    out, answer = carried([EVENTS, chunk(b"data: 1"), LAST_CHUNK])
    assert answer.done
    assert out.endswith(chunk(b"data: 1") + LAST_CHUNK)


@pytest.mark.fault("S47")
@pytest.mark.parametrize("cut_at", range(len(chunk(b"data: 2\n\n"))))
def test_a_broken_stream_is_whole_events_and_then_the_error_event(cut_at: int) -> None:
    start = chunk(b"data: 1\n\n")
    out, answer = carried([EVENTS, start + chunk(b"data: 2\n\n")[:cut_at]])
    out += answer.cut(BREAK)
    text = out.partition(b"\r\n\r\n")[2]
    reader = Reader("GET")
    body = reader.feed(CHUNKED + text)
    # All of the second event's bytes are there once only its chunk's end is missing.
    assert body in (b"data: 1\n\n" + BREAK, b"data: 1\n\ndata: 2\n\n" + BREAK)
    assert not reader.done


def test_no_error_event_goes_into_bodies_that_are_no_events() -> None:
    for head in (CHUNKED, b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: 99\r\n\r\n"):
        _, answer = carried([head, b"data: 1"])
        assert answer.cut(BREAK) == b""


def test_no_error_event_goes_into_an_event_that_is_half_said() -> None:
    big = b"data: " + b"x" * (17 * 1024 * 1024)
    out, answer = carried([EVENTS, chunk(big)])
    assert len(out) > len(big)
    assert answer.cut(BREAK) == b""


def test_a_caller_without_chunks_gets_the_error_event_bare() -> None:
    _, answer = carried([EVENTS, chunk(b"data: 1\n\n")], OLD)
    assert answer.cut(BREAK) == BREAK
    assert answer.needs_reset


def test_nothing_comes_after_the_end() -> None:
    _, answer = carried([CHUNKED, LAST_CHUNK])
    assert answer.done
    assert answer.reusable
    assert answer.feed(b"HTTP/1.1 200 OK\r\n\r\n") == b""
    assert not answer.reusable


def test_after_a_change_of_protocol_everything_passes_until_the_close() -> None:
    head = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n"
    for pieces in ways(head + b"\x81\x00HTTP/1.1 200 OK\r\n\r\n"):
        answer = Answer(NEW, "GET", upgrade=True)
        out = b"".join(answer.feed(piece) for piece in pieces)
        assert answer.switched
        assert out.endswith(b"\r\n\r\n\x81\x00HTTP/1.1 200 OK\r\n\r\n")
        assert out.startswith(b"HTTP/1.1 101 ")
        assert (answer.end(), answer.done, answer.reusable, answer.keeps_caller) == (b"", True, False, False)
        assert answer.needs_reset


def test_a_server_that_stays_with_http_answers_as_usual() -> None:
    answer = Answer(NEW, "GET", upgrade=True)
    answer.feed(b"HTTP/1.1 426 Upgrade Required\r\nContent-Length: 2\r\n\r\nno")
    assert (answer.switched, answer.done, answer.keeps_caller, answer.chunked) == (False, True, True, False)


def test_an_empty_chunk_is_never_made_by_accident() -> None:
    assert chunk(b"") == b""


@pytest.mark.fault("S56")
@given(st.lists(st.sampled_from([b"data: x\n\n", b"data", b": y\r\n\r\n", b"\n", b"\n\n"]), max_size=20), st.data())
def test_events_in_any_chunks_and_pieces_arrive_byte_for_byte(chunks: list[bytes], draw: st.DataObject) -> None:
    data = EVENTS + b"".join(map(chunk, chunks)) + LAST_CHUNK
    cuts = sorted(draw.draw(st.lists(st.integers(0, len(data)), max_size=12)))
    pieces = [data[start:end] for start, end in zip([0, *cuts], [*cuts, len(data)], strict=True)]
    for caller in (NEW, OLD):
        out, answer = carried(pieces, caller)
        assert answer.done
        assert body_of(out, caller) == b"".join(chunks)


def test_whoever_listens_knows_where_the_head_ends_and_whether_chunks_follow() -> None:
    for head, framed in (
        (CHUNKED, True),
        (UNTIL_CLOSE, True),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", False),
    ):
        for pieces in ([head + b"5\r\nhello\r\n"], [head, b"5\r\nhello\r\n"]):
            out, answer = carried(pieces)
            assert out[: answer.head_size].endswith(b"\r\n\r\n")
            assert out.index(b"\r\n\r\n") + 4 == answer.head_size
            assert answer.chunked is framed
