"""Addresses of model servers, and the targets under them."""

from __future__ import annotations

import pytest

from llamaswap_py.wire.address import Address


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://localhost:5800", Address("http", "localhost", 5800)),
        ("http://localhost", Address("http", "localhost", 80)),
        (" https://host ", Address("https", "host", 443)),
        ("http://[::1]:9/base/?k=v", Address("http", "::1", 9, "/base/", "k=v")),
        ("HTTP://Host:0", Address("http", "host", 0)),
    ],
)
def test_a_proxy_url_becomes_an_address(url: str, expected: Address) -> None:
    assert Address.parse(url) == expected


@pytest.mark.parametrize("url", ["", "localhost:80", "ftp://host", "http://", "http://host:99999", "http://host:x"])
def test_what_is_no_address_is_a_value_error(url: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        Address.parse(url)


@pytest.mark.parametrize(
    ("base", "asked", "target"),
    [
        ("", "/v1/x", "/v1/x"),
        ("", "", "/"),
        ("", "/v1?", "/v1?"),
        ("", "//v1", "//v1"),
        ("/", "/v1", "/v1"),
        ("/base", "/v1", "/base/v1"),
        ("/base/", "/v1", "/base/v1"),
        ("/base", "v1", "/base/v1"),
        ("/base", "/a%2Fb%20c?q=%3F", "/base/a%2Fb%20c?q=%3F"),
        ("/base?key=1", "/v1", "/base/v1?key=1"),
        ("/base?key=1", "/v1?a=2", "/base/v1?key=1&a=2"),
        ("/base", "/v1?a=?b", "/base/v1?a=?b"),
        ("/base", "/v1?", "/base/v1"),
    ],
)
def test_the_base_and_the_path_meet_in_one_slash_and_queries_are_merged(base: str, asked: str, target: str) -> None:
    assert Address.parse(f"http://host{base}").target(asked) == target


@pytest.mark.parametrize(
    ("address", "authority", "text"),
    [
        (Address("http", "host", 80), "host", "http://host"),
        (Address("http", "host", 443, "/b"), "host:443", "http://host:443/b"),
        (Address("https", "::1", 443), "[::1]", "https://[::1]"),
        (Address("http", "::1", 8080), "[::1]:8080", "http://[::1]:8080"),
    ],
)
def test_the_authority_is_what_a_host_header_says(address: Address, authority: str, text: str) -> None:
    assert address.authority == authority
    assert str(address) == text


@pytest.mark.parametrize("url", ["http://a..b:8080", f"http://{'x' * 64}.example"])
def test_what_no_resolver_would_take_is_no_host(url: str) -> None:
    with pytest.raises(ValueError, match="no host's name"):
        Address.parse(url)
