"""A service manager that only listens: the other end of NOTIFY_SOCKET."""

from __future__ import annotations

import os
import socket
from types import TracebackType
from typing import Self

from tests.whole.program import LONG


class Manager:
    """Give `env` to the program; `hear` for what it says. An abstract name needs no folder."""

    def __init__(self, name: str = "") -> None:
        self.name = name or f"@llamaswap-test-{os.getpid()}"
        self.heard: list[dict[str, str]] = []

    @property
    def env(self) -> dict[str, str]:
        return {"NOTIFY_SOCKET": self.name}

    def __enter__(self) -> Self:
        self.line = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.line.bind("\0" + self.name[1:] if self.name.startswith("@") else self.name)
        self.line.settimeout(LONG)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.line.close()

    def hear(self, key: str) -> dict[str, str]:
        """The next message that says this; all are kept in `heard`."""
        while True:
            said = dict(line.split("=", 1) for line in self.line.recv(4096).decode().split("\n"))
            self.heard.append(said)
            if key in said:
                return said
