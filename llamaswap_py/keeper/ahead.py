"""A child forked before anybody orders one: while an old server dies, half of the way of a new one can be gone.

It has done by then what all commands need alike, and becomes what its line tells it, or goes with that line's end.
"""

from __future__ import annotations

import marshal
import math
import os
import socket

from llamaswap_py.keeper import birth, trees

TYPE_CHECKING = False
if TYPE_CHECKING:
    from llamaswap_py.keeper.messages import Message

SECONDS = 1.0  # so long it waits for a start to follow the stop
PREFIX = 4  # bytes of an order's length
LARGEST = 100_000  # bytes of an order: the line takes them without a wait


class Ahead:
    def __init__(self) -> None:
        self.line: socket.socket | None = None
        self.pid = self.told = -1
        self.until = math.inf
        self.pids: set[int] = set()  # that wait, or were not needed and are not reaped yet

    def expect(self, serial: int, now: float) -> None:
        """`serial`: of any run of this proxy."""
        if self.line is None:
            try:
                self.fork(trees.unassigned(serial))
            except OSError:  # a limit: whoever needs one may have more luck, or is told
                return
        self.until = now + SECONDS

    def fork(self, serial: int) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            try:
                self.pid, self.told = birth.fork(lambda: heard(theirs, ours), serial)
            except OSError:
                ours.close()
                raise
        ours.setblocking(False)
        self.line = ours
        self.pids.add(self.pid)

    def born(self, order: Message, output: int, group: str) -> tuple[int, int]:
        """As `birth.fork`."""
        if self.line is not None and tell(self.line, (order, group), output):
            self.line.close()
            self.line, self.until = None, math.inf
            self.pids.discard(self.pid)
            return self.pid, self.told
        self.dismiss()
        return birth.fork(lambda: (order, output, group), order["serial"])

    def lapse(self, now: float) -> None:
        if now >= self.until:
            self.dismiss()

    def reaped(self, pid: int) -> None:
        if pid in self.pids:
            self.pids.remove(pid)
            if pid == self.pid:
                self.dismiss()

    def dismiss(self) -> None:
        if self.line is not None:
            self.line.close()
            os.close(self.told)
        self.line, self.until = None, math.inf


def tell(line: socket.socket, order: tuple[Message, str], output: int) -> bool:
    text = marshal.dumps(order)
    data = len(text).to_bytes(PREFIX, "big") + text
    try:
        return len(data) <= LARGEST and socket.send_fds(line, [data], [output]) == len(data)
    except OSError:  # it is gone
        return False


def heard(line: socket.socket, others: socket.socket) -> birth.Destiny:
    """In the child."""
    others.close()  # else it would keep its own line open
    data, descriptors, _, _ = socket.recv_fds(line, LARGEST, 1)
    while data and len(data) < PREFIX + int.from_bytes(data[:PREFIX], "big"):  # a read ends where descriptors do
        more = line.recv(LARGEST)
        data = data + more if more else b""
    if not data:
        os._exit(0)  # nobody needs it
    os.set_inheritable(descriptors[0], False)
    order, group = marshal.loads(data[PREFIX:])  # noqa: S302 - from its parent: a moment ago it was the same process
    return order, descriptors[0], group
