"""The reader of answers: every chunking, every breach, every limit."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llamaswap_py.wire.http1 import HEAD_LIMIT, LINE_LIMIT, Reader

OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"


@dataclass
class Reading:
    """What a reader made of a message."""

    body: bytes
    done: bool
    surplus: bool
    fault: str
    reusable: bool
    status: int


def read(pieces: list[bytes], method: str = "GET", closes: bool = False) -> Reading:
    reader, body = Reader(method), b""
    for piece in pieces:
        if reader.fault is None:
            body += reader.feed(piece)
    if closes and reader.fault is None:
        reader.end()
    fault = reader.fault.message if reader.fault else ""
    return Reading(body, reader.done, reader.surplus, fault, reader.reusable, reader.head.status if reader.head else 0)


def read_every_way(data: bytes, method: str = "GET", closes: bool = False) -> Reading:
    """The one reading that every chunking gives."""
    whole = read([data], method, closes)
    for at in range(1, len(data)):
        assert read([data[:at], data[at:]], method, closes) == whole, at
    assert read([data[at : at + 1] for at in range(len(data))], method, closes) == whole
    return whole


@pytest.mark.fault("S65")
@pytest.mark.parametrize(
    ("data", "body"),
    [
        (OK + b"Content-Length: 5\r\n\r\nhello", b"hello"),
        (OK + b"Content-Length: 0\r\n\r\n", b""),
        (OK + b"content-length:5\r\nContent-Length: 5, 5\r\n\r\nhello", b"hello"),
        (CHUNKED + b"5\r\nhello\r\n0\r\n\r\n", b"hello"),
        (CHUNKED + b'5\r\nhello\r\n00a;ext="1" \r\n0123456789\r\n1 \r\n!\r\n000\r\n\r\n', b"hello0123456789!"),
        (CHUNKED + b"5\r\nhello\r\n0\r\nX-Trailer: 1\r\nContent-Length: 9\r\n\r\n", b"hello"),
        (CHUNKED + b"6\r\n\r\n0\r\n\r\r\n0\r\n\r\n", b"\r\n0\r\n\r"),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 \r\nLink: x\r\n\r\n" + CHUNKED + b"1\r\nx\r\n0\r\n\r\n", b"x"),
        (b"HTTP/1.1 200\r\nContent-Length: 1\r\n\r\nx", b"x"),
        (b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 1\r\n\r\nx", b"x"),
        (b"HTTP/1.1 204 No Content\r\nConnection: x\r\n\r\n", b""),
        (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\n", b""),
    ],
)
def test_a_message_reads_the_same_at_every_chunking(data: bytes, body: bytes) -> None:
    reading = read_every_way(data)
    assert reading.body == body
    assert reading.done
    assert reading.reusable
    assert not reading.surplus


def test_the_answer_to_head_has_no_body_whatever_it_announces() -> None:
    for field in (b"Content-Length: 5\r\n\r\n", b"Transfer-Encoding: chunked\r\n\r\n"):
        reading = read_every_way(OK + field, "HEAD")
        assert reading.done
        assert reading.reusable


def test_without_a_length_the_body_lasts_until_close_and_the_connection_with_it() -> None:
    for first in (b"HTTP/1.0 200 OK\r\n\r\n", OK + b"\r\n"):
        reading = read_every_way(first + b"hello", closes=True)
        assert reading.body == b"hello"
        assert reading.done
        assert not reading.reusable


@pytest.mark.parametrize(
    "data",
    [
        OK + b"Connection: close\r\nContent-Length: 1\r\n\r\nx",
        b"HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nx",
    ],
)
def test_a_connection_that_will_close_is_not_used_again(data: bytes) -> None:
    reading = read_every_way(data)
    assert reading.done
    assert not reading.reusable


@pytest.mark.parametrize(
    ("data", "method"),
    [
        (OK + b"Content-Length: 1\r\n\r\nxy", "GET"),
        (OK + b"Content-Length: 0\r\n\r\nHTTP/1.1 200 OK\r\n\r\n", "GET"),
        (CHUNKED + b"0\r\n\r\nx", "GET"),
        (OK + b"Content-Length: 1\r\n\r\nx", "HEAD"),
        (b"HTTP/1.1 204 No Content\r\n\r\nx", "GET"),
    ],
)
def test_bytes_after_the_end_are_cut_and_spoil_the_connection(data: bytes, method: str) -> None:
    reading = read_every_way(data, method)
    assert reading.done
    assert reading.surplus
    assert not reading.reusable
    assert reading.body in (b"", b"x")


@pytest.mark.fault("S59")
@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (OK + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", "both Content-Length and Transfer-Encoding"),
        (OK + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\n", "two different lengths"),
        (OK + b"Content-Length: 5, 6\r\n\r\n", "two different lengths"),
        (OK + b"Content-Length: +5\r\n\r\n", "not a number"),
        (OK + b"Content-Length: 5_0\r\n\r\n", "not a number"),
        (OK + b"Content-Length: \r\n\r\n", "not a number"),
        (OK + b"Content-Length: -1\r\n\r\n", "not a number"),
        (OK + b"Content-Length: 9999999999999999999\r\n\r\n", "not a number"),
        (OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n", "other than chunked"),
        (OK + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", "other than chunked"),
        (OK + b"Transfer-Encoding: xchunked\r\n\r\n", "other than chunked"),
        (b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "other than chunked"),
        (b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n", "without being asked"),
        (b"HTTP/2 200 OK\r\n\r\n", "not HTTP/1"),
        (b"HTTP/1.1 2000 OK\r\n\r\n", "not HTTP/1"),
        (b"HTTP/1.1 099 OK\r\n\r\n", "not HTTP/1"),
        (b"HTTP/1.1  200 OK\r\n\r\n", "not HTTP/1"),
        (b"hello\r\n\r\n", "not HTTP/1"),
        (OK + b"X : 1\r\n\r\n", "not HTTP/1"),
        (OK + b": 1\r\n\r\n", "not HTTP/1"),
        (OK + b"X\r\n\r\n", "not HTTP/1"),
        (OK + b"X: 1\r\n folded\r\n\r\n", "not HTTP/1"),
        (OK + b"X: 1\nY: 2\r\n\r\n", "not HTTP/1"),
        (OK + b"X: 1\rY: 2\r\n\r\n", "not HTTP/1"),
        (OK + b"X: \0\r\n\r\n", "not HTTP/1"),
        (CHUNKED + b"\r\n\r\n", "chunk size that is none"),
        (CHUNKED + b"0x5\r\nhello\r\n", "chunk size that is none"),
        (CHUNKED + b"+5\r\nhello\r\n", "chunk size that is none"),
        (CHUNKED + b" 5\r\nhello\r\n", "chunk size that is none"),
        (CHUNKED + b"1_0\r\nhello\r\n", "chunk size that is none"),
        (CHUNKED + b"fffffffffffffffff\r\nhello\r\n", "chunk size that is none"),
        (CHUNKED + b"5;a\0b\r\nhello\r\n", "chunk size that is none"),
        (CHUNKED + b"5;a\rb\r\nhello\r\n", "chunk size that is none"),
        (CHUNKED + b"5\nhello\r\n0\r\n\r\n", "malformed chunk"),
        (CHUNKED + b"5\r\nhello!\r\n0\r\n\r\n", "longer than it said"),
        (CHUNKED + b"0\r\nX: 1\n\r\n\r\n", "malformed chunk"),
    ],
)
def test_a_breach_of_the_protocol_is_a_fault_at_every_chunking(data: bytes, fault: str) -> None:
    reading = read_every_way(data)
    assert fault in reading.fault
    assert not reading.done
    assert not reading.reusable


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (b"", "before it answered"),
        (b"HTTP/1.1 200", "before it answered"),
        (b"HTTP/1.1 100 Continue\r\n\r\n", "before it answered"),
        (OK + b"Content-Length: 5\r\n\r\nhell", "in the middle"),
        (CHUNKED + b"5\r\nhello\r\n", "in the middle"),
        (CHUNKED + b"5\r\nhello\r\n0\r\n", "in the middle"),
    ],
)
def test_a_close_before_the_end_is_a_fault(data: bytes, fault: str) -> None:
    assert fault in read_every_way(data, closes=True).fault


def test_a_close_after_the_end_is_none() -> None:
    assert read([OK + b"Content-Length: 0\r\n\r\n"], closes=True).fault == ""


@pytest.mark.parametrize(
    "data",
    [
        OK + b"X: " + b"a" * HEAD_LIMIT,
        OK + b"X: " + b"a" * HEAD_LIMIT + b"\r\n\r\n",
        b"HTTP/1.1 102 Processing\r\n\r\n" * 4000,
        CHUNKED + b"5;" + b"a" * LINE_LIMIT,
        CHUNKED + b"5;" + b"a" * LINE_LIMIT + b"\r\n",
        CHUNKED + b"0\r\n" + (b"X: " + b"a" * 1000 + b"\r\n") * 70,
        CHUNKED + b"1\r\nx" + b"y" * (LINE_LIMIT + 2),
    ],
)
def test_what_never_ends_ends_at_a_limit(data: bytes) -> None:
    for size in (len(data), 1000):
        assert read([data[at : at + size] for at in range(0, len(data), size)]).fault


def test_the_longest_head_and_line_are_read() -> None:
    head = OK + b"Content-Length: 0\r\nX: "
    assert read([head + b"a" * (HEAD_LIMIT - len(head)) + b"\r\n\r\n"]).done
    assert read([CHUNKED + b"1;" + b"a" * (LINE_LIMIT - 2) + b"\r\nx\r\n0\r\n\r\n"]).body == b"x"


def test_the_rest_of_a_chunk_is_known_wherever_it_was_cut() -> None:
    reader = Reader("GET")
    reader.feed(CHUNKED + b"5\r\n")
    for rest in (7, 6, 5, 4, 3, 2, 1):
        assert reader.rest_of_chunk() == rest
        reader.feed(b"hello\r\n"[7 - rest : 8 - rest])
    assert reader.rest_of_chunk() == 0


def test_body_short_of_its_length_can_be_handed_on_uncopied() -> None:
    reader = Reader("GET")
    assert not reader.within_length(b"hello")
    reader.feed(OK + b"Content-Length: 12\r\n\r\n")
    assert reader.within_length(b"hello")
    assert reader.within_length(b"hello")
    assert not reader.within_length(b"!!")
    assert reader.feed(b"!!") == b"!!"
    assert reader.done


@pytest.mark.fault("S56")
@given(st.lists(st.binary(min_size=1, max_size=50), max_size=8), st.lists(st.integers(1, 40), max_size=60))
def test_any_chunks_in_any_pieces_are_the_same_body(chunks: list[bytes], sizes: list[int]) -> None:
    data = CHUNKED + b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in chunks) + b"0\r\n\r\n"
    pieces = []
    for size in sizes:
        pieces.append(data[:size])
        data = data[size:]
    reading = read([*pieces, data])
    assert reading.body == b"".join(chunks)
    assert reading.done
