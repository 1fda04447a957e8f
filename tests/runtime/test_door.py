"""Knocking: refused and opened without a wait, with real sockets."""

from __future__ import annotations

import socket
from contextlib import closing

import pytest

from llamaswap_py.runtime.door import Door
from llamaswap_py.runtime.ports import pick


def test_where_nobody_listens_it_is_shut() -> None:
    door = Door("localhost", pick(None, ()))
    assert door.is_shut()
    with pytest.raises(ConnectionRefusedError):
        door.enter("127.0.0.1")


@pytest.mark.parametrize(("host", "family"), [("127.0.0.1", socket.AF_INET), ("::1", socket.AF_INET6)])
def test_what_a_knock_has_opened_is_entered(host: str, family: socket.AddressFamily) -> None:
    """One connection, not one for the knock and another for the caller."""
    with socket.create_server((host, 0), family=family) as server:
        door = Door("localhost", server.getsockname()[1])
        assert not door.is_shut()
        assert not door.is_shut()
        entered = door.enter(host)
        assert entered is not None
        with entered, server.accept()[0] as peer:
            peer.sendall(b"come in")
            entered.setblocking(True)
            assert entered.recv(20) == b"come in"
        server.setblocking(False)
        with pytest.raises(BlockingIOError):
            server.accept()


def test_what_was_opened_and_not_entered_is_closed() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, closing(Door("127.0.0.1", server.getsockname()[1])) as door:
        assert not door.is_shut()
        door.close()
        with server.accept()[0] as peer:
            assert peer.recv(1) == b""


def test_of_another_machine_nothing_is_known() -> None:
    """A knock there would have to wait for an answer."""
    door = Door("192.0.2.1", 9)
    assert not door.is_shut()
    assert door.enter("192.0.2.1") is None


def test_who_answered_is_asked_first() -> None:
    """And what was opened beside it is not kept."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        door = Door("localhost", server.getsockname()[1])
        assert not door.is_shut()
        door.prefer("::1")
        assert door.hosts == ["::1", "127.0.0.1"]
        with server.accept()[0] as peer:
            assert peer.recv(1) == b""
