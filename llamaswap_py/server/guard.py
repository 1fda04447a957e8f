"""Who may come in: keys on every closed door, Host and Origin on the doors that change state or read private things.

A web page anywhere can make a browser send requests to this machine; it cannot choose the Host and Origin the browser
writes. So control doors take no foreign Origin, and no Host that a stranger's DNS could point at us.
"""

from __future__ import annotations

import base64
import hmac
import ipaddress
from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

import msgspec

from llamaswap_py.errors import ForeignHost, ForeignOrigin, Unauthorized

LOCAL_SUFFIXES = (".localhost", ".local", ".lan", ".internal", ".home.arpa")

# Where a caller may put its key; none of them is sent on when keys are configured.
KEY_HEADERS = frozenset({"authorization", "x-api-key"})


class Guard(msgspec.Struct, frozen=True):
    keys: tuple[str, ...]
    allowed_hosts: frozenset[str]  # lower case, without ports
    machine_names: frozenset[str]

    @property
    def dropped_headers(self) -> frozenset[str]:
        """With keys set, the caller's key is ours and goes no further; without, it may be the child's own."""
        return KEY_HEADERS if self.keys else frozenset()

    def check_key(self, headers: Mapping[str, str]) -> None:
        if not self.keys:
            return
        if headers.get("Authorization", "")[:6].lower() == "basic ":
            self.check_page(
                headers
            )  # a browser that was told the password once sends it along with any page's requests
        offered = offered_key(headers).encode("utf-8", "surrogateescape")
        matches = [hmac.compare_digest(offered, key.encode()) for key in self.keys]
        if not any(matches):
            raise Unauthorized(
                "unauthorized: invalid or missing API key; send one of the configured apiKeys as"
                " `Authorization: Bearer <key>` or `x-api-key: <key>`"
            )

    def check_origin(self, headers: Mapping[str, str], order_by_get: bool = False) -> None:
        host = headers.get("Host", "")
        name = host_name(host)
        if not self.knows(name):
            raise ForeignHost(
                f"this route does not answer to the host name {name or '(none)'}: add it to allowedHosts in the"
                " configuration if it is yours"
            )
        self.check_page(headers)
        if order_by_get:
            self.check_referer(headers)

    def check_page(self, headers: Mapping[str, str]) -> None:
        """Not sent by a browser for a page of another origin. A link from another port of this host may be followed."""
        origin = headers.get("Origin")
        if origin is not None:
            self.check_same(origin, headers.get("Host", ""))
            return
        site = headers.get("Sec-Fetch-Site")
        if site == "cross-site" or (site == "same-site" and headers.get("Sec-Fetch-Dest") != "document"):
            raise ForeignOrigin("this route takes no requests that another web site makes a browser send")

    def check_referer(self, headers: Mapping[str, str]) -> None:
        """An order by GET is what a page gives by an image: over plain http a browser says no more of where that
        comes from. A page may forbid even this, so it is no more than a help against those that mean no harm."""
        referer = headers.get("Referer")
        if referer and "Sec-Fetch-Site" not in headers:
            self.check_same("/".join(referer.split("/", 3)[:3]), headers.get("Host", ""))

    def check_same(self, origin: str, host: str) -> None:
        authority = authority_of(origin)
        if authority and authority == host.lower():
            return
        if host_name(authority) in self.allowed_hosts:
            return
        raise ForeignOrigin(
            f"this route takes no requests from the web origin {origin}: add its host to allowedHosts in the"
            " configuration if it is yours"
        )

    def knows(self, name: str) -> bool:
        if not name:
            return False
        known = name == "localhost" or name in self.machine_names or name in self.allowed_hosts
        return known or name.endswith(LOCAL_SUFFIXES) or is_address(name)


def guard_of(keys: Sequence[str], allowed_hosts: Sequence[str], machine_name: str) -> Guard:
    machine = machine_name.lower().rstrip(".")
    names = {machine, machine.partition(".")[0]} - {""}
    return Guard(tuple(keys), frozenset(host_name(host) for host in allowed_hosts), frozenset(names))


def authority_of(origin: str) -> str:
    """Lower case; empty where it names none or is no URL at all."""
    try:
        return urlsplit(origin).netloc.lower()
    except ValueError:
        return ""


def host_name(authority: str) -> str:
    """The name of `name:port`, `[v6]:port` or either alone; lower case, no closing dot."""
    text = authority.strip().lower()
    if text.startswith("["):
        return text[1:].partition("]")[0]
    head, colon, tail = text.rpartition(":")
    name = head if colon and ":" not in head and tail.isdigit() else text
    return name.rstrip(".")


def is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name.partition("%")[0])
    except ValueError:
        return False
    return True


def offered_key(headers: Mapping[str, str]) -> str:
    """The password of Basic, the token of Bearer, or `x-api-key`, in this order; empty ones fall through."""
    scheme, _, credential = headers.get("Authorization", "").partition(" ")
    match scheme.lower():
        case "basic":
            key = basic_password(credential)
        case "bearer":
            key = credential
        case _:
            key = ""
    return key or headers.get("x-api-key", "")


def basic_password(credential: str) -> str:
    try:
        plain = base64.b64decode(credential, validate=True).decode()
    except ValueError:  # of base64, and of text
        return ""
    return plain.partition(":")[2]
