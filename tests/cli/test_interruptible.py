"""A signal that came before a wait for bytes ends it, as one that comes in it does."""

from __future__ import annotations

import http.client
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import closing

import pytest

from llamaswap_py.cli.terminal.interruptible import Bell, Connection, Line

HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello"


class Interrupted(Exception):
    pass


def interrupt(*_: object) -> None:
    raise Interrupted


@pytest.fixture
def interrupting() -> Iterator[None]:
    before = signal.signal(signal.SIGUSR1, interrupt)
    yield
    signal.signal(signal.SIGUSR1, before)


@pytest.fixture
def lines() -> Iterator[tuple[Line, socket.socket]]:
    ours, theirs = socket.socketpair()
    with Bell() as bell, Line(ours.family, ours.type, fileno=ours.detach()) as line, theirs:
        line.bell = bell
        yield line, theirs


def test_a_bell_that_rang_before_the_wait_is_silent_behind_it(lines: tuple[Line, socket.socket]) -> None:
    """Whatever the signal was for has been done by then; the wait for bytes goes on."""
    line, theirs = lines
    for _ in range(3):
        line.bell.rung.send(b"!")
    theirs.sendall(b"late")
    into = bytearray(9)
    assert line.recv_into(into) == 4
    with pytest.raises(BlockingIOError):
        line.bell.heard.recv(1)


@pytest.mark.skipif(sys.platform == "win32", reason="there is no such signal")
def test_a_signal_ends_the_wait_for_an_answers_rest(interrupting: None) -> None:
    go, may_go = socket.socketpair()
    sender = threading.Thread(target=raise_when_told, args=(may_go,))
    sender.start()  # before there is a signal: a thread that starts is no place for one
    with (
        go,
        may_go,
        socket.create_server(("127.0.0.1", 0)) as server,
        Bell() as bell,
        closing(Connection("127.0.0.1", server.getsockname()[1], bell)) as connection,
    ):
        connection.request("GET", "/")
        peer, _ = server.accept()
        with peer:
            peer.sendall(HEAD)
            response = connection.getresponse()
            assert response.read1(64) == b"hello"
            with pytest.raises(Interrupted):
                read_once_more(go, response)
        sender.join()


def raise_when_told(may_go: socket.socket) -> None:
    may_go.recv(1)
    signal.raise_signal(signal.SIGUSR1)


def read_once_more(go: socket.socket, response: http.client.HTTPResponse) -> None:
    go.send(b"!")
    response.read1(64)


def test_the_bell_of_before_hangs_again() -> None:
    with socket.socket() as other:
        other.setblocking(False)
        first = signal.set_wakeup_fd(other.fileno(), warn_on_full_buffer=False)
        try:
            with Bell() as bell, Bell():
                assert signal.set_wakeup_fd(bell.rung.fileno()) != other.fileno()
        finally:
            assert signal.set_wakeup_fd(first) == other.fileno()


def test_in_another_thread_it_is_silent_and_bytes_still_come(lines: tuple[Line, socket.socket]) -> None:
    _, theirs = lines
    got: list[bytes] = []

    def read() -> None:
        ours, far = socket.socketpair()
        with Bell() as bell, Line(ours.family, ours.type, fileno=ours.detach()) as line, far:
            line.bell = bell
            far.sendall(b"there")
            into = bytearray(9)
            got.append(bytes(into[: line.recv_into(into)]))

    reader = threading.Thread(target=read)
    reader.start()
    reader.join()
    assert got == [b"there"]
    theirs.close()
