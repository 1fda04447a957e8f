"""Who may come in."""

from __future__ import annotations

import base64

import pytest
from multidict import CIMultiDict

from llamaswap_py.errors import ForeignHost, ForeignOrigin, Unauthorized
from llamaswap_py.server.guard import Guard, guard_of, host_name, offered_key

GUARD = guard_of(["secret", "other"], ["llm.example.org", "proxy.example:8443"], "Box.office")
OPEN = guard_of([], [], "box")


def headers(**values: str) -> CIMultiDict[str]:
    return CIMultiDict({name.replace("_", "-"): value for name, value in values.items()})


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1:8080",
        "[::1]:8080",
        "[fe80::1%25eth0]",
        "192.168.1.7:8080",
        "localhost",
        "LOCALHOST:1",
        "app.localhost:8080",
        "box:8080",
        "box.office",
        "Box.Office.:8080",
        "studio.local",
        "studio.lan:80",
        "llm.internal",
        "llm.home.arpa",
        "llm.example.org",
        "LLM.example.org:9999",
        "proxy.example:1",
    ],
)
def test_hosts_that_can_only_be_this_machine_are_known(host: str) -> None:
    GUARD.check_origin(headers(Host=host))


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "", "box.evil", "local"]
)
def test_a_host_that_a_strangers_dns_could_point_here_is_refused_and_the_key_named(host: str) -> None:
    with pytest.raises(ForeignHost, match="allowedHosts"):
        GUARD.check_origin(headers(Host=host))


@pytest.mark.parametrize("origin", ["http://localhost:8080", "https://localhost:8080", "http://llm.example.org"])
def test_our_own_origin_and_allowed_ones_may_order(origin: str) -> None:
    GUARD.check_origin(headers(Host="localhost:8080", Origin=origin))


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://localhost:3000", "", "file://"])
def test_a_foreign_origin_is_refused_and_the_key_named(origin: str) -> None:
    with pytest.raises(ForeignOrigin, match="allowedHosts"):
        GUARD.check_origin(headers(Host="localhost:8080", Origin=origin))


def test_a_request_that_another_site_embeds_is_refused_even_without_an_origin() -> None:
    with pytest.raises(ForeignOrigin):
        GUARD.check_origin(headers(Host="localhost:8080", Sec_Fetch_Site="cross-site"))
    GUARD.check_origin(headers(Host="localhost:8080", Sec_Fetch_Site="same-origin"))


@pytest.mark.parametrize("referer", ["http://evil.example/page", "http://localhost:3000/", "about:blank", "http://["])
def test_an_order_by_get_is_not_taken_from_another_page_that_is_named(referer: str) -> None:
    with pytest.raises(ForeignOrigin):
        GUARD.check_origin(order_by_get=True, headers=headers(Host="localhost:8080", Referer=referer))


def test_an_order_by_get_is_taken_from_our_own_page_and_from_whoever_is_no_page() -> None:
    GUARD.check_origin(order_by_get=True, headers=headers(Host="localhost:8080"))
    GUARD.check_origin(
        order_by_get=True, headers=headers(Host="localhost:8080", Referer="http://localhost:8080/ui/#/models")
    )
    GUARD.check_origin(order_by_get=True, headers=headers(Host="localhost:8080", Referer="http://llm.example.org/wiki"))
    GUARD.check_origin(
        order_by_get=True,
        headers=headers(Host="10.0.0.1", Referer="http://elsewhere.example/", Sec_Fetch_Site="same-origin"),
    )


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


@pytest.mark.parametrize(
    "sent",
    [
        {"Authorization": "Bearer secret"},
        {"Authorization": "bearer other"},
        {"X-Api-Key": "secret"},
        {"Authorization": basic("anybody", "secret")},
        {"Authorization": "Bearer ", "X-Api-Key": "secret"},
        {"Authorization": basic("anybody", ""), "X-Api-Key": "other"},
    ],
)
def test_a_key_is_taken_from_any_of_its_three_places(sent: dict[str, str]) -> None:
    GUARD.check_key(CIMultiDict(sent))


@pytest.mark.parametrize(
    "sent",
    [
        {},
        {"Authorization": "Bearer wrong"},
        {"Authorization": "Bearer wrong", "X-Api-Key": "secret"},
        {"Authorization": "secret"},
        {"Authorization": "Basic ???"},
        {"Authorization": "Basic " + base64.b64encode(b"\xff\xfe").decode()},
        {"X-Api-Key": "SECRET"},
        {"X-Api-Key": "sécret"},
    ],
)
def test_a_wrong_or_missing_key_is_unauthorized(sent: dict[str, str]) -> None:
    with pytest.raises(Unauthorized):
        GUARD.check_key(CIMultiDict(sent))


def test_without_keys_everybody_may_and_a_childs_own_key_passes_through() -> None:
    OPEN.check_key(CIMultiDict())
    assert not OPEN.dropped_headers
    assert GUARD.dropped_headers == {"authorization", "x-api-key"}


@pytest.mark.parametrize(
    ("authority", "name"),
    [("a:1", "a"), ("a", "a"), ("[::1]:1", "::1"), ("::1", "::1"), ("A.B.:80", "a.b"), ("a:b", "a:b"), ("", "")],
)
def test_the_name_in_an_authority(authority: str, name: str) -> None:
    assert host_name(authority) == name


def test_no_key_is_the_empty_text() -> None:
    assert offered_key({}) == ""
    assert isinstance(OPEN, Guard)


@pytest.mark.parametrize(
    "offer", [{"x-api-key": "\udcff"}, {"Authorization": "Bearer s\udcff"}, {"Authorization": "Basic \xe9"}]
)
def test_a_key_of_odd_bytes_is_a_wrong_key(offer: dict[str, str]) -> None:
    with pytest.raises(Unauthorized):
        GUARD.check_key(CIMultiDict(offer))


def test_an_origin_that_is_no_url_is_a_foreign_one() -> None:
    with pytest.raises(ForeignOrigin):
        GUARD.check_origin(headers(Host="localhost:8080", Origin="http://["))


def test_a_page_of_another_port_of_this_host_shows_nothing_of_ours_but_may_link_here() -> None:
    with pytest.raises(ForeignOrigin):
        GUARD.check_origin(headers(Host="localhost:8080", Sec_Fetch_Site="same-site", Sec_Fetch_Dest="image"))
    GUARD.check_origin(headers(Host="localhost:8080", Sec_Fetch_Site="same-site", Sec_Fetch_Dest="document"))


def test_a_password_that_a_browser_sends_along_by_itself_counts_for_our_own_pages_only() -> None:
    """A key that a script had to name counts for every page."""
    guard = guard_of(["secret"], [], "box")
    password = "Basic " + base64.b64encode(b"me:secret").decode()
    guard.check_key(headers(Host="localhost:8080", Authorization=password))
    guard.check_key(headers(Host="localhost:8080", Authorization=password, Origin="http://localhost:8080"))
    for foreign in ({"Origin": "http://evil.example"}, {"Sec_Fetch_Site": "cross-site"}):
        with pytest.raises(ForeignOrigin):
            guard.check_key(headers(Host="localhost:8080", Authorization=password, **foreign))
        guard.check_key(headers(Host="localhost:8080", Authorization="Bearer secret", **foreign))
