"""Heads in both directions: what passes, what is ours, what is refused."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llamaswap_py.errors import BadRequest
from llamaswap_py.wire.address import Address
from llamaswap_py.wire.headers import (
    Caller,
    Framing,
    Head,
    UpstreamRequest,
    answer_head,
    framing,
    keep_limits,
    switch_head,
    upstream_head,
)

ADDRESS = Address("http", "localhost", 5800)
NAMES = ("Host", "host", "X", "x", "Connection", "X-Forwarded-For", "Content-Length", "Accept")
FIELDS = st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from(("", "a", "x", "host, accept", "1")))).map(tuple)


def sent(headers: Sequence[tuple[str, str]], method: str = "POST", body: bytes = b"{}", caller_ip: str = "") -> bytes:
    request = UpstreamRequest(method, "/v1", headers, body, caller_ip, frozenset({"x-api-key"}))
    return upstream_head(request, ADDRESS)


def head_of(*fields: tuple[bytes, bytes], status: int = 200, version: tuple[int, int] = (1, 1)) -> Head:
    return Head(version, status, b"", [b"%b: %b" % field for field in fields])


def caller_of(
    method: str = "GET",
    version: tuple[int, int] = (1, 1),
    keep_alive: bool = True,
    extra: tuple[tuple[str, str], ...] = (),
) -> Caller:
    return Caller(method, version, keep_alive, extra)


def test_what_concerns_only_the_callers_connection_goes_no_further() -> None:
    hop = [
        ("Connection", "keep-alive, X-Private"),
        ("X-Private", "1"),
        ("Keep-Alive", "timeout=5"),
        ("Proxy-Authorization", "x"),
        ("TE", "trailers"),
        ("Transfer-Encoding", "chunked"),
        ("Upgrade", "h2c"),
        ("Expect", "100-continue"),
        ("Content-Length", "999"),
        ("X-Api-Key", "ours"),
    ]
    kept = [("Host", "caller.example"), ("Authorization", "Bearer k"), ("accept", "*/*")]
    assert sent(hop + kept) == (
        b"POST /v1 HTTP/1.1\r\nHost: caller.example\r\nAuthorization: Bearer k\r\naccept: */*\r\n"
        b"Content-Length: 2\r\n\r\n"
    )


def test_the_host_survives_being_named_in_connection_and_is_ours_where_there_is_none() -> None:
    assert b"Host: here\r\n" in sent([("Connection", "host"), ("Host", "here")])
    assert b"Host: localhost:5800\r\n" in sent([])


def test_the_callers_address_is_appended_to_those_it_came_through() -> None:
    headers = [("X-Forwarded-For", "10.0.0.1"), ("x-forwarded-for", "10.0.0.2")]
    assert b"X-Forwarded-For: 10.0.0.1, 10.0.0.2, 10.0.0.3\r\n" in sent(headers, caller_ip="10.0.0.3")
    assert b"X-Forwarded-For" not in sent([])


def test_our_own_fields_follow_the_callers_and_may_not_split_the_message_either() -> None:
    def asked(name: str, body: bytes) -> bytes:
        fields = (("Host", "here"), ("X", "y"))
        request = UpstreamRequest("POST", "/v1", fields, body, own=(("X-Request-ID", name),), repeated=True)
        return upstream_head(request, ADDRESS)

    begin = b"POST /v1 HTTP/1.1\r\nHost: here\r\nX: y\r\nX-Request-ID: "
    for name, body in ((b"1", b"{}"), (b"2", b"[1]")):  # the caller's part is remembered, ours is not
        assert asked(name.decode(), body) == begin + b"%b\r\nContent-Length: %d\r\n\r\n" % (name, len(body))
    with pytest.raises(BadRequest):
        asked("1\r\nX: z", b"")


@given(FIELDS, FIELDS, st.sampled_from(["", "1.2.3.4"]))
def test_a_head_is_the_same_whether_its_fields_are_remembered_or_not(
    fields: tuple[tuple[str, str], ...], others: tuple[tuple[str, str], ...], caller_ip: str
) -> None:
    def head(of: tuple[tuple[str, str], ...], repeated: bool) -> bytes:
        return upstream_head(UpstreamRequest("POST", "/v1", of, b"{}", caller_ip, repeated=repeated), ADDRESS)

    for of in (fields, others, fields):
        assert head(of, repeated=True) == head(of, repeated=False)


def test_a_length_is_said_where_there_is_a_body_or_could_be() -> None:
    assert b"Content-Length" not in sent([], method="GET", body=b"")
    assert b"Content-Length: 1" in sent([], method="GET", body=b"x")
    assert b"Content-Length: 0" in sent([], method="POST", body=b"")


class Coming:
    """A body of which only the length matters here."""

    def __init__(self, length: int | None) -> None:
        self.length = length

    def invite(self) -> None:
        pass

    async def read(self) -> bytes:
        return b""


@pytest.mark.parametrize(
    ("length", "says"), [(None, b"Transfer-Encoding: chunked"), (0, b"Content-Length: 0"), (7, b"Content-Length: 7")]
)
def test_a_body_that_still_comes_is_framed_by_what_is_known_of_it(length: int | None, says: bytes) -> None:
    head = upstream_head(UpstreamRequest("POST", "/v1", (("Content-Length", "99"),), Coming(length)), ADDRESS)
    assert head.count(says) == 1
    assert b"99" not in head


def test_a_change_of_protocol_is_asked_for_and_agreed_to() -> None:
    fields = (("Connection", "keep-alive, Upgrade"), ("Upgrade", "websocket"), ("Sec-WebSocket-Key", "k"))
    asked = upstream_head(UpstreamRequest("GET", "/ws", fields, Coming(None), upgrade="websocket"), ADDRESS)
    assert asked.endswith(b"Sec-WebSocket-Key: k\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
    assert b"Transfer-Encoding" not in asked
    answer = head_of(
        (b"upgrade", b"websocket"),
        (b"Connection", b"upgrade"),
        (b"Content-Length", b"0"),
        (b"Sec-WebSocket-Accept", b"a"),
        (b"X-Ours", b"theirs"),
        status=101,
    )
    caller = Caller("GET", (1, 1), True, (("X-Ours", "ours"),))
    assert switch_head(answer, caller).split(b"\r\n") == [
        b"HTTP/1.1 101 Switching Protocols",
        b"Connection: Upgrade",
        b"upgrade: websocket",
        b"Sec-WebSocket-Accept: a",
        b"X-Ours: ours",
        b"",
        b"",
    ]


def test_bytes_that_were_not_utf8_leave_as_they_came() -> None:
    assert b"X: \xff\xc3\xa9\r\n" in sent([("X", b"\xff\xc3\xa9".decode("utf-8", "surrogateescape"))])


@pytest.mark.parametrize("evil", ["a\nb", "a\rb", "a\r\nb: c", "a\0b"])
def test_a_field_that_would_split_the_message_is_refused(evil: str) -> None:
    with pytest.raises(BadRequest):
        sent([("X", evil)])
    with pytest.raises(BadRequest):
        sent([(evil, "x")])


@pytest.mark.parametrize(("method", "target"), [("GET", "/a b"), ("GET", "/a\n"), ("GET X", "/"), ("GET", "/\0")])
def test_a_request_line_that_would_not_stay_one_is_refused(method: str, target: str) -> None:
    with pytest.raises(BadRequest):
        upstream_head(UpstreamRequest(method, target, ()), ADDRESS)


@pytest.mark.parametrize(
    ("method", "status", "version", "length", "expected"),
    [
        ("GET", 200, (1, 1), 5, Framing.LENGTH),
        ("GET", 200, (1, 0), 5, Framing.LENGTH),
        ("GET", 200, (1, 1), None, Framing.CHUNKED),
        ("GET", 200, (1, 0), None, Framing.CLOSE),
        ("HEAD", 200, (1, 1), 5, Framing.EMPTY),
        ("GET", 204, (1, 1), None, Framing.EMPTY),
        ("GET", 304, (1, 0), 5, Framing.EMPTY),
        ("GET", 200, (1, 1), 0, Framing.LENGTH),
    ],
)
def test_framing_follows_method_status_version_and_length(
    method: str, status: int, version: tuple[int, int], length: int | None, expected: Framing
) -> None:
    assert framing(caller_of(method, version), status, length) is expected


def test_the_callers_head_is_the_servers_less_its_framing_plus_ours() -> None:
    head = head_of(
        (b"content-type", b"text/event-stream"),
        (b"transfer-encoding", b"chunked"),
        (b"connection", b"close, x-hop"),
        (b"x-hop", b"1"),
        (b"keep-alive", b"timeout=5"),
        (b"access-control-allow-origin", b"http://a"),
        (b"x-accel-buffering", b"yes"),
        (b"server", b"s"),
    )
    extra = (("Access-Control-Allow-Origin", "*"), ("X-Request-Id", "7"))
    assert answer_head(head, caller_of(extra=extra), Framing.CHUNKED) == (
        b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nserver: s\r\nTransfer-Encoding: chunked\r\n"
        b"X-Accel-Buffering: no\r\nAccess-Control-Allow-Origin: *\r\nX-Request-Id: 7\r\n\r\n"
    )


def test_a_length_is_kept_where_it_is_true_and_said_once() -> None:
    twice = head_of((b"content-length", b"5"), (b"content-length", b"5"))
    assert answer_head(twice, caller_of(), Framing.LENGTH) == b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n"
    assert b"content-length: 5" in answer_head(twice, caller_of("HEAD"), Framing.EMPTY)
    no_content = head_of((b"content-length", b"5"), status=204)
    assert b"content-length" not in answer_head(no_content, caller_of(), Framing.EMPTY)


@pytest.mark.parametrize(
    ("version", "keep_alive", "framed", "line"),
    [
        ((1, 1), True, Framing.LENGTH, b""),
        ((1, 1), False, Framing.LENGTH, b"Connection: close\r\n"),
        ((1, 0), True, Framing.LENGTH, b"Connection: keep-alive\r\n"),
        ((1, 0), False, Framing.LENGTH, b"Connection: close\r\n"),
        ((1, 0), True, Framing.CLOSE, b"Connection: close\r\n"),
    ],
)
def test_connection_says_what_will_be_done(
    version: tuple[int, int], keep_alive: bool, framed: Framing, line: bytes
) -> None:
    written = answer_head(head_of(), caller_of("GET", version, keep_alive), framed)
    assert written == b"HTTP/1.%d 200 OK\r\n%b\r\n" % (version[1], line)


def test_the_servers_own_reason_is_kept_and_an_unknown_status_has_none() -> None:
    assert answer_head(Head((1, 1), 200, b"Fine", ()), caller_of(), Framing.EMPTY).startswith(b"HTTP/1.1 200 Fine\r\n")
    assert answer_head(Head((1, 1), 299, b"", ()), caller_of(), Framing.EMPTY).startswith(b"HTTP/1.1 299 \r\n")


def test_one_of_our_fields_that_would_split_the_message_is_our_mistake() -> None:
    with pytest.raises(ValueError, match="line break"):
        caller_of(extra=(("X", "a\r\nb"),))


@pytest.mark.parametrize(
    ("fields", "version", "persistent"),
    [
        ((), (1, 1), True),
        (((b"connection", b"Close"),), (1, 1), False),
        ((), (1, 0), False),
        (((b"connection", b"x, Keep-Alive"),), (1, 0), True),
    ],
)
def test_a_connection_persists_as_its_version_and_header_say(
    fields: tuple[tuple[bytes, bytes], ...], version: tuple[int, int], persistent: bool
) -> None:
    assert head_of(*fields, version=version).persistent is persistent


@pytest.mark.parametrize(
    ("value", "limits"),
    [
        (b"timeout=5, max=100", (5, 100)),
        (b"Timeout = 7", (7, None)),
        (b"max=3", (None, 3)),
        (b"nonsense", (None, None)),
    ],
)
def test_announced_limits_are_read(value: bytes, limits: tuple[int | None, int | None]) -> None:
    assert keep_limits(head_of((b"keep-alive", value))) == limits


def test_compressed_events_are_bytes_like_others() -> None:
    kind = (b"content-type", b"Text/Event-Stream; charset=utf-8")
    assert head_of(kind).event_stream
    assert not head_of(kind, (b"content-encoding", b"gzip")).event_stream
    assert not head_of().event_stream


def test_fields_are_texts_in_their_order() -> None:
    assert head_of((b"X-B", b"2"), (b"X-A", b"\xff")).fields() == [("X-B", "2"), ("X-A", "\ufffd")]
