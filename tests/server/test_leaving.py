"""Callers who go unseen."""

from __future__ import annotations

import socket
import sys
import time

import pytest

from llamaswap_py.server.leaving import is_gone


@pytest.mark.skipif(sys.platform == "win32", reason="there nobody tells")
def test_a_closed_connection_shows_behind_what_nobody_has_read() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        caller = socket.create_connection(listener.getsockname())
        ours, _ = listener.accept()
        with ours, caller:
            caller.sendall(b"not read")
            assert not is_gone(ours.fileno())
            caller.close()
            deadline = time.monotonic() + 30
            while not is_gone(ours.fileno()):
                assert time.monotonic() < deadline
