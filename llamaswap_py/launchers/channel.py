"""A socket to the keeper as callbacks: messages in, messages with descriptors out, one call when it breaks."""

from __future__ import annotations

import asyncio
import os
import socket
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

from llamaswap_py.keeper import messages

if TYPE_CHECKING:
    from llamaswap_py.keeper.messages import Message

CHUNK = 1 << 16


class Channel:
    """Descriptors handed to `send` are ours to close: the kernel holds its own once they are under way."""

    def __init__(self, line: socket.socket, heard: Callable[[Message], None], lost: Callable[[], None]) -> None:
        self.line = line
        self.heard = heard
        self.lost = lost
        self.reader = messages.Reader()
        self.outbox: deque[tuple[memoryview, tuple[int, ...]]] = deque()
        self.loop = asyncio.get_running_loop()
        line.setblocking(False)
        self.loop.add_reader(line.fileno(), self.listen)

    @property
    def open(self) -> bool:
        return self.line.fileno() >= 0

    def send(self, message: Message, *descriptors: int) -> None:
        if not self.open:
            for descriptor in descriptors:
                os.close(descriptor)
            return
        self.outbox.append((memoryview(messages.encode(message)), descriptors))
        self.flush()

    def flush(self) -> None:
        try:
            while self.outbox:
                self.send_first()
        except BlockingIOError:
            self.loop.add_writer(self.line.fileno(), self.flush)
        except OSError:  # the other end is gone; what it still said is read before `listen` tells so
            self.drop()
        if not self.outbox:
            self.loop.remove_writer(self.line.fileno())

    def send_first(self) -> None:
        """Descriptors travel with the first byte of their message; the rest of a long one goes without."""
        data, descriptors = self.outbox[0]
        sent = socket.send_fds(self.line, [data], descriptors)
        for descriptor in descriptors:
            os.close(descriptor)
        if sent < len(data):
            self.outbox[0] = (data[sent:], ())
        else:
            self.outbox.popleft()

    def listen(self) -> None:
        try:
            data = self.line.recv(CHUNK)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        for message in self.reader.feed(data):
            self.heard(message)
        if not data:
            self.close()

    def close(self) -> None:
        """Safe twice; `lost` is told once."""
        if not self.open:
            return
        self.loop.remove_reader(self.line.fileno())
        self.loop.remove_writer(self.line.fileno())
        self.line.close()
        self.drop()
        self.lost()

    def drop(self) -> None:
        """What was not sent never will be."""
        for _, descriptors in self.outbox:
            for descriptor in descriptors:
                os.close(descriptor)
        self.outbox.clear()
