"""Which sockets listen on a port: the Linux kernel is asked for them, or its table is read where it does not say."""

from __future__ import annotations

import contextlib
import socket
import struct
import sys
from collections.abc import Iterator

# The kernel's own words (linux/netlink.h, linux/inet_diag.h): a head, then what is asked or what is told.
SOCK_DIAG = 4
HEAD = struct.Struct("=IHHII")
BY_FAMILY, ALL_OF_THEM, REFUSED, DONE = 20, 0x301, 2, 3
QUESTION = struct.Struct("=BBxxI2s46x")
ANSWER = struct.Struct("=4x2s62xI")
REASON = struct.Struct("=i")

LISTEN = 10  # the state
PAGE = 4096  # of the table: a read makes no more of it than it asks for


def listening(port: int) -> set[str]:
    """As descriptors name them: `socket:[<inode>]`."""
    try:
        inodes = told(port)
    except OSError:  # in a sandbox, say
        inodes = read(port)
    return {f"socket:[{inode}]" for inode in inodes}


def told(port: int) -> set[int]:
    """Some fifty times as quick as the table, which the kernel makes of everything that is connected, too."""
    if sys.platform != "linux":
        raise OSError("only Linux has this protocol")
    wanted, found = port.to_bytes(2, "big"), set[int]()
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, SOCK_DIAG) as kernel:
        for family in (socket.AF_INET, socket.AF_INET6):
            question = QUESTION.pack(family, socket.IPPROTO_TCP, 1 << LISTEN, wanted)
            kernel.send(HEAD.pack(HEAD.size + len(question), BY_FAMILY, ALL_OF_THEM, 1, 0) + question)
            found.update(inode for at, inode in answers(kernel) if at == wanted)
    return found


def answers(kernel: socket.socket) -> Iterator[tuple[bytes, int]]:
    """Ports and inodes. All is there once the question is put: nothing here waits."""
    while True:
        data, start = kernel.recv(1 << 16, socket.MSG_DONTWAIT), 0
        while start < len(data):
            size, kind, *_ = HEAD.unpack_from(data, start)
            if kind == DONE:
                return
            if kind == REFUSED:
                raise OSError(-REASON.unpack_from(data, start + HEAD.size)[0], "the kernel tells no sockets")
            yield ANSWER.unpack_from(data, start + HEAD.size)
            start += (size + 3) & ~3


def read(port: int) -> set[int]:
    found: set[int] = set()
    for fields in (*rows("/proc/net/tcp"), *rows("/proc/net/tcp6")):
        if int(fields[1].rpartition(b":")[2], 16) == port:
            found.add(int(fields[9]))
    return found


def rows(path: str) -> Iterator[list[bytes]]:
    """The kernel lists those who listen first. What follows, every connection, is costly to make: it is not read."""
    with contextlib.suppress(OSError), open(path, "rb", buffering=PAGE) as file:  # noqa: PTH123  # none without IPv6
        file.readline()
        for row in file:
            fields = row.split()
            if int(fields[3], 16) != LISTEN:
                return
            yield fields
