"""An answer in a stream that was begun before its server spoke, at every chunking."""

from __future__ import annotations

import pytest

from llamaswap_py.wire.chunks import LAST_CHUNK, chunk
from llamaswap_py.wire.continued import QUOTED, WORDS, Continued
from llamaswap_py.wire.headers import Caller

NEW = Caller("POST", (1, 1), True)
OLD = Caller("POST", (1, 0), True)
EVENTS = b"data: 1\n\ndata: 2\n\n"
STREAM = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
WHOLE = STREAM + chunk(b"data: 1\n\n") + chunk(b"data: 2\n\n") + LAST_CHUNK


def cuts(data: bytes) -> list[list[bytes]]:
    halves = [[data[:at], data[at:]] for at in range(1, len(data))]
    return [[data], [bytes([byte]) for byte in data], *halves]


def unchunked(data: bytes) -> bytes:
    """The body of whole chunks and the last one."""
    body = b""
    while data:
        size, _, data = data.partition(b"\r\n")
        body += data[: int(size, 16)]
        data = data[int(size, 16) + 2 :]
    return body


@pytest.mark.parametrize("pieces", cuts(WHOLE), ids=range(len(cuts(WHOLE))))
def test_the_events_go_on_and_the_head_is_swallowed(pieces: list[bytes]) -> None:
    answer = Continued(NEW, "POST")
    got = b"".join(answer.feed(piece) for piece in pieces)
    assert unchunked(got) == EVENTS
    assert got.endswith(LAST_CHUNK)
    assert answer.settled
    assert answer.done
    assert answer.fault is None
    assert answer.reusable
    assert answer.keeps_caller


def test_an_old_caller_gets_the_events_bare() -> None:
    answer = Continued(OLD, "POST")
    assert answer.feed(WHOLE) == EVENTS
    assert answer.needs_reset


def test_a_stream_of_known_length_or_until_close_goes_on_too() -> None:
    for head, closes in ((b"Content-Length: 18\r\n", False), (b"", True)):
        answer = Continued(NEW, "POST")
        got = answer.feed(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n" + head + b"\r\n" + EVENTS)
        got += answer.end() if closes else b""
        assert unchunked(got) == EVENTS
        assert answer.done


@pytest.mark.parametrize(
    ("head", "body", "said"),
    [
        (b"400 Bad Request", b'{"error":{"code":400,"message":"too\\nlong"}}', "answered 400 Bad Request: too long"),
        (b"503 ", b'{"error":"busy"}', "answered 503 Service Unavailable: busy"),
        (b"500 Oh", b"it\r\n<b>broke</b>", "answered 500 Oh: it <b>broke</b>"),
        (b"500 Oh", b"[1]", "answered 500 Oh: [1]"),
        (b"599 ", b"", "the model's server answered 599"),
        (b"200 OK", b'{"choices":[]}', "something else than the stream of events"),
    ],
)
def test_another_answer_is_a_fault_with_its_words(head: bytes, body: bytes, said: str) -> None:
    """At every chunking, and whether it has a length or ends with the connection."""
    whole = b"HTTP/1.1 %b\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (head, len(body), body)
    for pieces in cuts(whole):
        answer = Continued(NEW, "POST")
        assert b"".join(answer.feed(piece) for piece in pieces) == b""
        assert_fault(answer, said)
    answer = Continued(NEW, "POST")
    answer.feed(b"HTTP/1.1 %b\r\n\r\n%b" % (head, body))
    assert answer.end() == b""
    assert_fault(answer, said)


def assert_fault(answer: Continued, said: str) -> None:
    assert answer.settled
    assert not answer.done
    assert answer.fault is not None
    assert said in answer.fault.message
    assert answer.cut(b"data: no\n\n") == chunk(b"data: no\n\n")


def test_compressed_events_cannot_follow_plain_ones() -> None:
    answer = Continued(NEW, "POST")
    answer.feed(STREAM.replace(b"\r\n\r\n", b"\r\nContent-Encoding: gzip\r\n\r\n") + chunk(b"\x1f\x8b") + LAST_CHUNK)
    assert_fault(answer, "something else")


def test_endless_words_are_not_read_to_their_end() -> None:
    answer = Continued(NEW, "POST")
    answer.feed(b"HTTP/1.1 500 Oh\r\n\r\n" + b"x" * (WORDS - 1))
    assert not answer.settled
    assert answer.fault is None
    answer.feed(b"x" * 10)
    assert_fault(answer, "x" * QUOTED)
    assert answer.fault is not None
    assert len(answer.fault.message) < QUOTED + 100


def test_a_server_that_leaves_while_it_says_something_else_has_said_it() -> None:
    answer = Continued(NEW, "POST")
    answer.feed(b"HTTP/1.1 500 Oh\r\nContent-Length: 99\r\n\r\nhalf")
    answer.end()
    assert_fault(answer, "answered 500 Oh: half")


def test_a_server_that_leaves_in_the_middle_or_before_it_spoke_is_a_fault() -> None:
    for sent in (b"", b"HTTP/1.1 2", STREAM + chunk(b"data: 1\n\n")):
        answer = Continued(NEW, "POST")
        answer.feed(sent)
        answer.end()
        assert_fault(answer, "closed the connection")
