"""Listening sockets for an address as the operator writes it."""

from __future__ import annotations

import ipaddress
import socket
import sys

import msgspec

BACKLOG = 1024  # a hundred clients at once are normal; the system may cap it lower


class Address(msgspec.Struct, frozen=True):
    host: str  # empty = every interface
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host or "localhost"
        return f"{host}:{self.port}"

    @property
    def loopback(self) -> bool:
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False


def parse(text: str) -> Address:
    """`:8080`, `host:8080`, `[::1]:8080`; ValueError says what is wrong."""
    host, colon, port = text.strip().rpartition(":")
    if not colon or not port.isdigit() or int(port) > 65535:
        raise ValueError(f"cannot listen on {text!r}: write host:port, as 127.0.0.1:8080 or :8080")
    return Address(host.removeprefix("[").removesuffix("]"), int(port))


def hosts(address: Address) -> list[str]:
    """Loopback means both loopbacks: half of the clients resolve localhost to one of them, half to the other."""
    if address.host in ("localhost", "127.0.0.1"):
        return ["127.0.0.1", "::1"]
    return ["0.0.0.0", "::"] if address.host in ("", "::") else [address.host]


def open_sockets(address: Address) -> list[socket.socket]:
    """The first must work; a second family that this machine lacks is left out. Port 0 is chosen once for all."""
    port = address.port
    sockets: list[socket.socket] = []
    for host in hosts(address):
        try:
            opened = open_socket(host, port)
        except OSError:
            if not sockets:
                raise
            continue
        port = opened.getsockname()[1]
        sockets.append(opened)
    return sockets


def open_socket(host: str, port: int) -> socket.socket:
    family, kind, protocol, _, where = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[
        0
    ]
    opened = socket.socket(family, kind, protocol)
    try:
        if sys.platform != "win32":
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        opened.bind(where)
        opened.listen(BACKLOG)
        opened.setblocking(False)
    except OSError:
        opened.close()
        raise
    return opened
