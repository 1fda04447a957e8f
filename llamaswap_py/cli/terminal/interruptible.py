"""Ctrl-C is heeded at any moment. One that comes just before a wait for bytes begins would end with the next byte only:
Python looks at signals between two steps, and the system wakes nobody for one that is over."""

from __future__ import annotations

import http.client
import select
import signal
import socket
import threading
from types import TracebackType
from typing import Any, Self


class Bell:
    """Rings with every signal, as long as it is entered. Signals are the main thread's: it never rings in another."""

    def __enter__(self) -> Self:
        self.heard, self.rung = socket.socketpair()
        for end in (self.heard, self.rung):
            end.setblocking(False)
        self.is_hung = threading.current_thread() is threading.main_thread()
        if self.is_hung:
            self.before = signal.set_wakeup_fd(self.rung.fileno(), warn_on_full_buffer=False)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.is_hung:
            signal.set_wakeup_fd(self.before)
        self.heard.close()
        self.rung.close()

    def silence(self) -> None:
        try:
            self.heard.recv(4096)
        except BlockingIOError:
            return


class Line(socket.socket):
    bell: Bell

    def recv_into(self, *into: Any, **how: Any) -> int:
        while True:
            ready = select.select([self, self.bell.heard], [], [])[0]
            self.bell.silence()
            if self in ready:
                return super().recv_into(*into, **how)


class Connection(http.client.HTTPConnection):
    def __init__(self, host: str, port: int | None, bell: Bell) -> None:
        super().__init__(host, port)
        self.bell = bell

    def connect(self) -> None:
        super().connect()
        line = Line(self.sock.family, self.sock.type, self.sock.proto, fileno=self.sock.detach())
        line.bell = self.bell
        self.sock = line
