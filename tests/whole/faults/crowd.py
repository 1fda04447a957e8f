"""Callers with bad manners: bare connections that send little, or read nothing."""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import httpx
import psutil

from tests.whole.program import LONG, Program

SMALL = 4096  # a receive buffer that is full at once


def connect(program: Program, sent: bytes = b"", buffer: int = 0) -> socket.socket:
    url = httpx.URL(program.url)
    opened = socket.socket()
    if buffer:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
    opened.settimeout(LONG)
    opened.connect((url.host, url.port or 0))
    opened.sendall(sent)
    return opened


@contextmanager
def crowd(program: Program, count: int, sent: bytes = b"", buffer: int = 0) -> Iterator[list[socket.socket]]:
    """So many at once, each of which has sent the same."""
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(connect(program, sent, buffer)) for _ in range(count)]


def head(method: str, path: str, *fields: str) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost", *fields, "", ""]
    return "\r\n".join(lines).encode()


def until(true: Callable[[], bool]) -> None:
    """Ask again and again; each question is a request of its own, so nothing is hurried."""
    deadline = time.monotonic() + LONG
    while not true():
        assert time.monotonic() < deadline, "it never came true"


def healthy(program: Program) -> bool:
    return httpx.get(f"{program.url}/health", timeout=LONG).text == "OK"


def memory(program: Program) -> int:
    size: int = psutil.Process(program.process.pid).memory_info().rss
    return size


def cpu(program: Program) -> float:
    times = psutil.Process(program.process.pid).cpu_times()
    return float(times.user + times.system)


def read_all(opened: socket.socket) -> bytes:
    data = b""
    with contextlib.suppress(ConnectionError):
        while piece := opened.recv(1 << 16):
            data += piece
    return data
