"""Ports that are free, and strangers on those that are not, with real sockets."""

from __future__ import annotations

import errno
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing

import pytest

from llamaswap_py.keeper import table
from llamaswap_py.runtime import ports
from llamaswap_py.runtime.listeners import listening

# Listens on a free port of the address it is given, tells the port, and goes when its input ends.
SERVER = """
import socket, sys
family = socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET
with socket.create_server((sys.argv[1], 0), family=family) as server:
    print(server.getsockname()[1], flush=True)
    sys.stdin.read()
"""


class Server:
    """Another program that listens."""

    def __init__(self, host: str, **env: str) -> None:
        argv = [sys.executable, "-I", "-S", "-c", SERVER, host]
        self.process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={**os.environ, **env})
        assert self.process.stdout
        self.port = int(self.process.stdout.readline())
        found = table.look(self.process.pid)
        assert found
        self.started = found.started

    def close(self) -> None:
        self.process.communicate()


@pytest.fixture(params=["127.0.0.1", "0.0.0.0", "::1", "::"])
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    with closing(Server(request.param)) as server:
        yield server


def unused() -> int:
    return ports.pick(None, ())


def test_the_preferred_port_is_taken_when_free() -> None:
    """The configured number is used wherever it can be."""
    port = unused()
    assert ports.pick(port, ()) == port


def test_a_port_given_out_is_not_given_again() -> None:
    """Neither the preferred one nor one of the system's choice."""
    port = unused()
    assert ports.pick(port, {port}) != port


def test_a_listener_anywhere_makes_a_port_taken(server: Server) -> None:
    """On either family, a loopback or the wildcard: another port is found."""
    assert not ports.free(server.port)
    assert ports.pick(server.port, ()) != server.port


@pytest.mark.parametrize("port", [0, -1, 65536])
def test_no_such_port_is_never_free(port: int) -> None:
    """A number out of range gives another port, not an error."""
    assert ports.pick(port, ()) > 0


def test_nothing_free_says_so() -> None:
    """All taken is an error, not an endless search."""
    with pytest.raises(OSError, match="no free port"):
        ports.pick(None, range(65536))


@pytest.mark.fault("P24")
def test_lingering_connections_do_not_matter() -> None:
    """A port whose last connection is in TIME_WAIT can be used at once."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)) as caller:
            answered, _ = server.accept()
            answered.close()  # who closes first keeps the lingering end
            assert caller.recv(1) == b""
    assert ports.pick(port, ()) == port


def test_an_address_that_does_not_exist_is_no_listener() -> None:
    """A machine without IPv6 can still use every port; a busy or forbidden one cannot."""
    assert not ports.is_taken(OSError(errno.EADDRNOTAVAIL, ""))
    assert ports.is_taken(OSError(errno.EADDRINUSE, ""))
    assert ports.is_taken(OSError(errno.EACCES, ""))


@pytest.mark.fault("P23", "F20")
def test_an_older_listener_is_a_stranger(server: Server) -> None:
    """Somebody who listened before our run began is named."""
    found = ports.stranger(server.port, server.started + 1, ())
    assert found
    assert found.pid == server.process.pid
    assert f"(process {server.process.pid})" in str(found)


def test_a_younger_listener_is_not_accused(server: Server) -> None:
    """It may have been started by our run in a way we cannot see, a container say."""
    assert ports.stranger(server.port, server.started, ()) is None


@pytest.mark.fault("P23", "F20")
@pytest.mark.skipif(sys.platform != "linux", reason="only there another process shows its environment")
def test_a_server_of_another_proxy_is_a_stranger_however_young() -> None:
    """Two proxies may find one port free in the same moment: the mark says whose server got it."""
    with closing(Server("127.0.0.1", LLAMASWAP_RUN="theirs/7/")) as server:
        found = ports.stranger(server.port, server.started, (), "LLAMASWAP_RUN=ours/")
        assert found
        assert found.pid == server.process.pid
        assert ports.stranger(server.port, server.started, (), "LLAMASWAP_RUN=theirs/") is None


def test_our_own_listener_is_no_stranger(server: Server) -> None:
    """Whoever is in our tree may listen, whenever it began."""
    assert ports.stranger(server.port, server.started + 1, {server.process.pid}) is None


def test_nobody_listening_is_nobody() -> None:
    """No listener, no stranger; a port merely connected from is no listener."""
    assert ports.stranger(unused(), table.now(), ()) is None
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as caller:
        assert ports.stranger(caller.getsockname()[1], table.now(), ()) is None


def test_we_ourselves_can_be_the_stranger() -> None:
    """A port that the proxy itself listens on is not a run's."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        found = ports.stranger(server.getsockname()[1], table.now(), ())
    assert found
    assert found.pid == os.getpid()


def test_the_way_of_other_systems_agrees(server: Server) -> None:
    """Where there is no /proc the library finds the same."""
    epoch = 4e9  # seconds since 1970: later than any start
    found = ports.stranger_by_psutil(server.port, epoch, ())
    assert found
    assert found.pid == server.process.pid
    assert ports.stranger_by_psutil(server.port, epoch, {found.pid}) is None
    assert ports.stranger_by_psutil(server.port, 0.0, ()) is None


# Listens, and leaves the waiting to a child that holds the socket too; goes when its input ends.
WORKER = """
import os, socket, sys
with socket.create_server(("127.0.0.1", 0)) as server:
    print(server.getsockname()[1], flush=True)
    sys.stdin.readline()
    worker = os.fork()
    if not worker:
        sys.stdin.read()
        os._exit(0)
    print(worker, flush=True)
    os.waitpid(worker, 0)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere each process is asked by itself")
def test_an_old_servers_young_worker_is_still_a_stranger() -> None:
    """The eldest holder of the socket counts, and our tree's wrapper is no stranger for its worker."""
    argv = [sys.executable, "-I", "-S", "-c", WORKER]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0) as process:
        assert process.stdin
        assert process.stdout
        port = int(process.stdout.readline())
        process.stdin.write(b"\n")
        worker = int(process.stdout.readline())
        began = table.look(process.pid)
        assert began
        found = ports.stranger(port, began.started + 1, ())
        assert found
        assert found.pid == process.pid
        assert ports.eldest(worker, listening(port)) == process.pid
        assert ports.stranger(port, began.started + 1, {process.pid}) is None
