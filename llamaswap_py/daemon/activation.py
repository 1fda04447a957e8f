"""Sockets that the service manager holds open for us (systemd's protocol): no caller is refused between two lives."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import MutableMapping

FIRST = 3  # after the three standard descriptors


def inherited(env: MutableMapping[str, str]) -> list[socket.socket]:
    """Empty where none are meant for us; ValueError where they are of no use. Models neither see nor inherit them."""
    meant, count = env.pop("LISTEN_PID", ""), env.pop("LISTEN_FDS", "")
    env.pop("LISTEN_FDNAMES", None)
    if sys.platform == "win32" or meant != str(os.getpid()) or not count.isdigit():
        return []
    return [opened(descriptor) for descriptor in range(FIRST, FIRST + int(count))]


def opened(descriptor: int) -> socket.socket:
    os.set_inheritable(descriptor, False)
    found = socket.socket(fileno=descriptor)
    if trouble := wrong(found):
        found.close()
        raise ValueError(f"the socket {descriptor} from the service manager {trouble}")
    found.setblocking(False)
    return found


def wrong(found: socket.socket) -> str:
    if found.family not in (socket.AF_INET, socket.AF_INET6) or found.type != socket.SOCK_STREAM:
        return "is not for TCP: write host:port behind ListenStream="
    if not found.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
        return "does not listen: write Accept=no"
    return ""
