"""Listening where the operator says."""

from __future__ import annotations

import socket

import pytest

from llamaswap_py.server.listen import Address, hosts, open_sockets, parse


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("127.0.0.1:8080", Address("127.0.0.1", 8080)),
        (":8080", Address("", 8080)),
        ("[::1]:9", Address("::1", 9)),
        ("localhost:0", Address("localhost", 0)),
    ],
)
def test_addresses_are_read_as_written(text: str, address: Address) -> None:
    assert parse(text) == address


@pytest.mark.parametrize("text", ["8080", "host", "host:", "host:x", "host:65536", ""])
def test_an_address_without_a_port_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match=r"127\.0\.0\.1:8080"):
        parse(text)


def test_loopback_is_told_from_the_rest() -> None:
    assert parse("localhost:1").loopback
    assert parse("127.0.0.1:1").loopback
    assert parse("[::1]:1").loopback
    assert not parse(":1").loopback
    assert not parse("192.168.1.2:1").loopback
    assert not parse("some.host:1").loopback


def test_an_address_prints_as_a_browser_takes_it() -> None:
    assert [str(parse(text)) for text in ("[::1]:9", ":80", "h:1")] == ["[::1]:9", "localhost:80", "h:1"]


def test_both_loopbacks_share_one_port() -> None:
    sockets = open_sockets(parse("127.0.0.1:0"))
    try:
        assert len({opened.getsockname()[1] for opened in sockets}) == 1
        assert sockets[0].family == socket.AF_INET
        assert hosts(parse("localhost:1")) == ["127.0.0.1", "::1"]
        assert hosts(parse("[::]:1")) == hosts(parse(":1")) == ["0.0.0.0", "::"], "every interface, of both families"
    finally:
        for opened in sockets:
            opened.close()


def test_a_port_that_is_taken_is_an_error_not_a_second_choice() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other, pytest.raises(OSError, match="in use"):
        open_sockets(Address("127.0.0.1", other.getsockname()[1]))
