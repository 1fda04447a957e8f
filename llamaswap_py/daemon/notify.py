"""Words to the service manager that started us (systemd's protocol): told where one listens, never needed."""

from __future__ import annotations

import os
import socket
import sys
import time
from collections.abc import MutableMapping

import structlog

log = structlog.get_logger("notify")

MICRO = 1_000_000


class Notify:
    """Takes what is meant for us out of the environment: a model's server must not speak in our name."""

    def __init__(self, env: MutableMapping[str, str]) -> None:
        self.address = address_of(env.pop("NOTIFY_SOCKET", ""))
        watched, period = env.pop("WATCHDOG_PID", ""), env.pop("WATCHDOG_USEC", "")
        self.watchdog = 0.0  # seconds within which a sign of life is expected; 0: none is
        if period.isdigit() and watched in ("", str(os.getpid())):
            self.watchdog = int(period) / MICRO

    def ready(self, status: str) -> None:
        self.tell("READY=1", f"STATUS={status}")

    def reloading(self) -> None:
        self.tell("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}")

    def stopping(self, seconds: float) -> None:
        """`seconds`: how long it may take."""
        self.tell("STOPPING=1", f"EXTEND_TIMEOUT_USEC={int(seconds * MICRO)}", "STATUS=answers in flight may finish")

    def alive(self) -> None:
        self.tell("WATCHDOG=1")

    def tell(self, *lines: str) -> None:
        """A manager that is gone, or does not read, is no reason for anything."""
        if not self.address or sys.platform == "win32":
            return
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
                line.setblocking(False)
                line.sendto("\n".join(lines).encode(), self.address)
        except OSError as error:
            log.debug(f"the service manager was not told {lines[0]}: {error}")


def address_of(written: str) -> bytes:
    """A path, or an abstract name behind an @."""
    if written.startswith("@"):
        return b"\0" + os.fsencode(written[1:])
    return os.fsencode(written) if written.startswith("/") else b""
