"""Servers behind TLS who take their leave as most do: a word, and the connection is closed at once."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import ssl
import threading
from pathlib import Path

import pytest
import trustme

from llamaswap_py.errors import Refusal
from llamaswap_py.runtime.pool import Pool
from llamaswap_py.runtime.relay import UpstreamRequest, relay
from llamaswap_py.runtime.upstream import Connection
from llamaswap_py.wire.address import Address
from tests.fakes.loops import LOOPS, PATIENCE, on_loop
from tests.runtime.test_relay import Collector, broken

REQUEST = UpstreamRequest("GET", "/v1", (("Host", "here"),), b"")
FIRST, REST = b"x" * 1000, b"y" * 200_000
HEAD = b"HTTP/1.1 200 OK\r\nConnection: close\r\n"


@pytest.fixture
def tls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    """A server's, whom our connections trust."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    return context


def serve(door: socket.socket, tls: ssl.SSLContext, head: bytes, on: threading.Event) -> None:
    """Answers one request in two parts, the second when told to."""
    door.settimeout(PATIENCE)
    plain, _ = door.accept()
    with tls.wrap_socket(plain, server_side=True) as secure:
        secure.recv(65536)
        secure.sendall(head + b"\r\n" + FIRST)
        on.wait(PATIENCE)
        secure.sendall(REST)
        secure.setblocking(False)
        with contextlib.suppress(ssl.SSLWantReadError):
            secure.unwrap()  # says so, and does not wait for an answer


@pytest.mark.parametrize("length", [True, False])
@pytest.mark.parametrize("loop", LOOPS)
def test_the_end_of_an_answer_waits_for_a_caller_who_does_not_read(
    loop: str, length: bool, tls: ssl.SSLContext
) -> None:
    async def scene() -> None:
        head = HEAD + (b"Content-Length: %d\r\n" % len(FIRST + REST) if length else b"")
        on, sink = threading.Event(), Collector((1, 0))
        sink.full = True
        with socket.create_server(("127.0.0.1", 0)) as door:
            pool = Pool(Address("https", "127.0.0.1", door.getsockname()[1]))
            serving = asyncio.create_task(asyncio.to_thread(serve, door, tls, head, on))
            asking = asyncio.create_task(relay(pool, REQUEST, sink, broken))
            await sink.waiting.wait()
            on.set()
            await serving
            assert not (await asyncio.wait({asking}, timeout=0.1))[0]  # it sees no end as long as nobody reads
            sink.drain.set_result(None)
            assert (await asking).complete
        assert sink.taken.endswith(b"\r\n\r\n" + FIRST + REST)

    on_loop(loop, scene)


LONG, LATER = b"x" * 3_000_000, b"y" * 5000 + b"z" * 131_072


class Busy:
    """Listens, and hears nothing more while the server sends the rest and closes; then has no room for it at once."""

    def __init__(self, connection: Connection, on: threading.Event, closed: threading.Event) -> None:
        self.connection, self.on, self.closed = connection, on, closed
        self.heard = b""
        self.full, self.over = asyncio.Event(), asyncio.Event()

    def received(self, data: bytes) -> None:
        self.heard += data
        if len(self.heard) == len(LONG):
            self.on.set()
            assert self.closed.wait(PATIENCE)
        elif len(self.heard) > len(LONG):
            self.connection.pause()
            self.full.set()

    def ended(self) -> None:
        pass

    def lost(self, why: Refusal | None) -> None:
        self.over.set()


def serve_and_leave(door: socket.socket, tls: ssl.SSLContext, on: threading.Event, closed: threading.Event) -> None:
    """Without a word of leave."""
    door.settimeout(PATIENCE)
    plain, _ = door.accept()
    secure = tls.wrap_socket(plain, server_side=True)
    secure.recv(65536)
    secure.sendall(LONG)
    on.wait(PATIENCE)
    secure.sendall(LATER[:5000])
    secure.sendall(LATER[5000:])
    os.close(secure.detach())
    closed.set()


@pytest.mark.parametrize("loop", LOOPS)
def test_what_was_deciphered_is_heard_though_the_server_is_gone(loop: str, tls: ssl.SSLContext) -> None:
    async def scene() -> None:
        on, closed = threading.Event(), threading.Event()
        with socket.create_server(("127.0.0.1", 0)) as door:
            serving = asyncio.create_task(asyncio.to_thread(serve_and_leave, door, tls, on, closed))
            connection = await Pool(Address("https", "127.0.0.1", door.getsockname()[1])).take()
            listener = Busy(connection, on, closed)
            connection.begin(listener, b"GET", b"")
            while not listener.over.is_set():
                await listener.full.wait()
                listener.full.clear()
                await asyncio.wait({asyncio.ensure_future(listener.over.wait())}, timeout=0.1)
                connection.resume()
                if listener.heard == LONG + LATER:
                    break
            await serving
        assert listener.heard == LONG + LATER

    on_loop(loop, scene)
