"""What is whole and simple, and what is left to a parser of all of HTTP."""

from __future__ import annotations

from timeit import repeat

import pytest

from llamaswap_py.wire.asked import LARGEST_HEAD, MOST_FIELDS, fields_of, known_head, simple

HEAD = b"POST /v1/x HTTP/1.1\r\nHost: here\r\nContent-Length: 2\r\nX-A:  b c \r\n\r\n"


def test_a_whole_request_of_the_usual_kind_is_simple() -> None:
    asked = simple(HEAD + b"{}")
    assert asked is not None
    assert (asked.known.path, asked.length, asked.body) == ("/v1/x", b"2", b"{}")
    assert asked.known.before == ((b"Host", b"here"),)
    assert asked.known.length == b"Content-Length"
    assert asked.known.after == ((b"X-A", b"b c"),)


def test_a_body_may_still_be_on_its_way() -> None:
    for body, lacks in ((b"", 2), (b"{", 1), (b"{}", 0)):
        asked = simple(HEAD + body)
        assert asked is not None
        assert (asked.body, asked.lacks) == (body, lacks)


def test_heads_that_differ_in_nothing_but_the_length_are_read_once() -> None:
    first, second = simple(HEAD + b"{}"), simple(HEAD.replace(b": 2", b": 12") + b"x" * 12)
    assert first is not None
    assert second is not None
    assert first.known is second.known
    assert (first.length, second.length) == (b"2", b"12")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        HEAD + b"{}x",
        HEAD[:-2] + b"{}",
        HEAD.replace(b"POST", b"PUT") + b"{}",
        HEAD.replace(b"POST", b"post") + b"{}",
        HEAD.replace(b"1.1", b"1.0") + b"{}",
        HEAD.replace(b"/v1/x", b"/v1/x?y=z") + b"{}",
        HEAD.replace(b"/v1/x", b"/v1/%78") + b"{}",
        HEAD.replace(b"/v1/x", b"http://here/v1/x") + b"{}",
        HEAD.replace(b"/v1/x", b" /v1/x") + b"{}",
        HEAD.replace(b"Host: here\r\n", b"") + b"{}",
        HEAD.replace(b"Host: here", b"Host : here") + b"{}",
        HEAD.replace(b"Host: here", b"Host: here\r\nhost: there") + b"{}",
        HEAD.replace(b"Host: here", b"Host: here\r\n folded") + b"{}",
        HEAD.replace(b"Host: here", b"Host: here\n") + b"{}",
        HEAD.replace(b"Host: here", b"Host: h\xc3\xa4re") + b"{}",
        HEAD.replace(b"Host: here", b"Host: he\x00re") + b"{}",
        HEAD.replace(b"Host", b"Ho st") + b"{}",
        HEAD.replace(b"Host: here", b"Host: here\r\nno colon") + b"{}",
        HEAD.replace(b": 2", b": +2") + b"{}",
        HEAD.replace(b": 2", b": 2, 2") + b"{}",
        HEAD.replace(b": 2", b": 2 ") + b"{}",
        HEAD.replace(b": 2", b": 0x2") + b"{}",
        HEAD.replace(b": 2", b": 2\r\ncontent-length: 2") + b"{}",
        HEAD.replace(b"X-A", b"Transfer-Encoding") + b"{}",
        HEAD.replace(b"X-A", b"Expect") + b"{}",
        HEAD.replace(b"X-A", b"Upgrade") + b"{}",
        HEAD.replace(b"X-A", b"Content-Encoding") + b"{}",
        HEAD.replace(b"X-A:  b c ", b"Connection: close") + b"{}",
        HEAD.replace(b"X-A:  b c ", b"Connection: keep-alive, upgrade") + b"{}",
        HEAD.replace(b"b c", b"b" * LARGEST_HEAD) + b"{}",
        HEAD.replace(b"X-A: ", b"".join(b"X-%d: y\r\n" % number for number in range(MOST_FIELDS)) + b"X-A: ") + b"{}",
    ],
)
def test_whatever_is_special_or_in_doubt_is_not(data: bytes) -> None:
    assert simple(data) is None


def test_a_connection_that_is_kept_is_nothing_special() -> None:
    assert simple(HEAD.replace(b"X-A:  b c ", b"Connection: Keep-Alive") + b"{}") is not None


def test_a_head_without_a_length_is_not_known() -> None:
    """Only `simple` asks, and has found one."""
    with pytest.raises(ValueError, match="content-length"):
        known_head(b"POST /v1/x HTTP/1.1\r\nHost: here\r\n")


@pytest.mark.parametrize("value", [b" " * 7000, b"\t" * 7000, b"a " * 3500, b"a" + b" " * 7000])
def test_no_value_takes_long_to_be_looked_at(value: bytes) -> None:
    """Whoever sends it has shown no key yet."""
    odd, usual = (HEAD.replace(b"b c", each) for each in (value + b"\x80", b"b" * 7000))

    def seconds(head: bytes) -> float:
        return min(repeat(lambda: fields_of(head[:-2], len(b"POST /v1/x HTTP/1.1\r\n")), number=1, repeat=20))

    assert simple(odd + b"{}") is None
    assert simple(usual + b"{}") is not None
    assert seconds(odd) < 50 * seconds(usual)
