"""The keeper's end of the line to the proxy: whole messages both ways, descriptors that come along, no waiting."""

from __future__ import annotations

import os
import selectors
import socket

from llamaswap_py.keeper import messages

TYPE_CHECKING = False
if TYPE_CHECKING:
    from llamaswap_py.keeper.messages import Message

CHUNK = 1 << 16


class Line:
    def __init__(self, line: socket.socket, selector: selectors.BaseSelector) -> None:
        self.line = line
        self.selector = selector
        self.reader = messages.Reader()
        self.outputs: list[int] = []  # descriptors that came along, in the order of their spawns
        self.unsaid: list[Message] = []
        self.unsent = bytearray()
        self.open = True
        selector.register(line, selectors.EVENT_READ)

    def receive(self) -> list[Message]:
        """What has come; `open` turns False at the end of the line."""
        try:
            data, descriptors, _, _ = socket.recv_fds(self.line, CHUNK, 16)
        except BlockingIOError:
            return []
        except OSError:
            data, descriptors = b"", []
        for descriptor in descriptors:
            os.set_inheritable(descriptor, False)
        self.outputs += descriptors
        self.open = bool(data)
        return list(self.reader.feed(data)) if data else []

    def say(self, message: Message) -> None:
        """With the next `flush`: the news of one turn wake the proxy once."""
        self.unsaid.append(message)

    def flush(self) -> None:
        for message in self.unsaid:
            self.unsent += messages.encode(message)
        self.unsaid.clear()
        try:
            while self.unsent:
                del self.unsent[: self.line.send(self.unsent)]
        except BlockingIOError:
            pass  # the proxy is slow to listen; the rest goes when it does
        except OSError:
            self.unsent.clear()  # nobody listens: `receive` will see the end
        wanted = selectors.EVENT_READ | (selectors.EVENT_WRITE if self.unsent else 0)
        if self.selector.get_key(self.line).events != wanted:
            self.selector.modify(self.line, wanted)

    def close(self) -> None:
        self.selector.unregister(self.line)
