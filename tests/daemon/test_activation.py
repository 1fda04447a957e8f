"""Which inherited sockets are ours, and which are of no use."""

from __future__ import annotations

import os
import socket
import sys

import pytest

from llamaswap_py.daemon.activation import inherited, opened

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="descriptors of other systems")


@pytest.mark.parametrize("pid", ["", "1", "nobody"])
def test_sockets_for_somebody_else_are_left_alone_and_told_to_no_model(pid: str) -> None:
    env = {"LISTEN_PID": pid, "LISTEN_FDS": "2", "LISTEN_FDNAMES": "a:b", "HOME": "/root"}
    assert inherited(env) == []
    assert env == {"HOME": "/root"}


@pytest.mark.parametrize("count", ["", "0", "some"])
def test_no_sockets_are_none(count: str) -> None:
    assert inherited({"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": count}) == []


def test_a_listening_socket_is_taken_and_inherited_by_nobody() -> None:
    with socket.create_server(("127.0.0.1", 0)) as held:
        descriptor = os.dup(held.fileno())
        os.set_inheritable(descriptor, True)
        with opened(descriptor) as taken:
            assert taken.getsockname() == held.getsockname()
            assert (taken.gettimeout(), os.get_inheritable(descriptor)) == (0.0, False)


@pytest.mark.parametrize(
    ("kind", "word"), [(socket.SOCK_DGRAM, "is not for TCP"), (socket.SOCK_STREAM, "does not listen")]
)
def test_a_socket_of_another_kind_is_refused_with_a_remedy(kind: socket.SocketKind, word: str) -> None:
    held = socket.socket(socket.AF_INET, kind).detach()
    with pytest.raises(ValueError, match=word):
        opened(held)
