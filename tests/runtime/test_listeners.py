"""Who listens, as the kernel tells it and as its table shows it."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from llamaswap_py.runtime import listeners, ports

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux names sockets by their inodes")
WAYS = [listeners.told, listeners.read]


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def inode(server: socket.socket) -> int:
    return Path(f"/proc/self/fd/{server.fileno()}").stat().st_ino


@pytest.mark.parametrize("way", WAYS)
def test_both_families_are_found(way: Callable[[int], set[int]]) -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as four,
        socket.create_server(("::1", four.getsockname()[1]), family=socket.AF_INET6) as six,
    ):
        assert way(four.getsockname()[1]) == {inode(four), inode(six)}


@pytest.mark.parametrize("way", WAYS)
def test_who_is_merely_connected_does_not_listen(way: Callable[[int], set[int]], taken: int) -> None:
    with socket.create_connection(("127.0.0.1", taken)) as caller:
        assert way(caller.getsockname()[1]) == set()


def test_more_than_one_answer_holds_are_all_read() -> None:
    """The kernel tells them in several messages; every one of ours is among what it tells."""
    with ExitStack() as held:
        port = held.enter_context(reusing(0)).getsockname()[1]
        others = [held.enter_context(reusing(port)) for _ in range(400)]
        assert listeners.told(port) >= set(map(inode, others))
        assert listeners.told(port) == listeners.read(port)


def reusing(port: int) -> socket.socket:
    server = socket.socket()
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    server.bind(("127.0.0.1", port))
    server.listen()
    return server


def test_a_port_is_held_by_who_has_all_its_listeners(taken: int) -> None:
    assert ports.is_held(taken, os.getpid())
    assert not ports.is_held(taken, 1)


def test_a_port_that_nobody_listens_on_is_nobodys(taken: int) -> None:
    with socket.create_connection(("127.0.0.1", taken)) as caller:
        assert not ports.is_held(caller.getsockname()[1], os.getpid())
