"""Where a server on this machine listens: whether anybody does is seen at once, without a turn of the loop."""

from __future__ import annotations

import errno
import os
import socket

LOOPBACK = ("127.0.0.1", "::1")  # nobody stands between, and the system says at once what has ended
UNDER_WAY = (errno.EINPROGRESS, errno.EALREADY, errno.EWOULDBLOCK)


class Door:
    """The addresses of one server, the one that answered last first, and what was opened by knocking there."""

    def __init__(self, host: str, port: int) -> None:
        self.hosts = list(LOOPBACK) if host == "localhost" else [host]
        self.port = port
        self.opened: dict[str, socket.socket] = {}

    def is_shut(self) -> bool:
        """Certainly: nobody listens there now. What was opened otherwise is for `enter`."""
        return not any(map(self.knock, self.hosts))

    def knock(self, host: str) -> bool:
        """False: refused."""
        if host in LOOPBACK and host not in self.opened:
            try:
                opened = connected(host, self.port)
            except OSError:  # refused; or a machine without this family
                return False
            if opened is not None:
                self.opened[host] = opened
        return True

    def enter(self, host: str) -> socket.socket | None:
        """A connection, where one is made without a wait; raises where it is refused."""
        return self.opened.pop(host, None) or (connected(host, self.port) if host in LOOPBACK else None)

    def prefer(self, host: str) -> None:
        """It was entered there."""
        self.hosts.sort(key=lambda other: other != host)
        self.close()

    def close(self) -> None:
        while self.opened:
            self.opened.popitem()[1].close()


def connected(host: str, port: int) -> socket.socket | None:
    """None where it would take a while after all."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    opened = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)  # unnamed, asyncio leaves Nagle's wait on
    opened.setblocking(False)
    trouble = opened.connect_ex((host, port))
    if trouble == errno.EINPROGRESS:
        trouble = opened.connect_ex((host, port))  # what has become of it
    if trouble in (0, errno.EISCONN):
        return opened
    opened.close()
    if trouble not in UNDER_WAY:
        raise OSError(trouble, os.strerror(trouble))
    return None
