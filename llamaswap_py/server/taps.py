"""A log as pages are told it: text instead of bytes, and one message for all that is said within a moment."""

from __future__ import annotations

import asyncio
import codecs
from collections.abc import Callable, Iterator, Mapping

from llamaswap_py.runtime.output import Ring
from llamaswap_py.server import messages
from llamaswap_py.server.audience import Message

# Nobody reads faster, and a flood of lines costs fifty messages a second at most.
MOMENT_SECONDS = 0.02
MOMENT_BYTES = 64 * 1024


class LogTap:
    """Follows one ring while there are pages: bytes in, text of whole characters out, a moment at a time."""

    def __init__(self, source: str, ring: Ring, tell: Callable[[Message], None]) -> None:
        self.source = source
        self.ring = ring
        self.tell = tell
        self.pieces: list[bytes] = []
        self.held = 0
        self.lost = 0
        self.timer: asyncio.TimerHandle | None = None
        self.is_open = False

    def open(self) -> None:
        self.is_open = True
        self.decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self.decoder.decode(self.ring.history())  # which may end within a character
        self.ring.viewers.add(self)

    def close(self) -> None:
        self.is_open = False
        self.ring.viewers.discard(self)
        self.pieces.clear()
        self.held = 0
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None

    def push(self, data: bytes) -> None:
        if self.held + len(data) > MOMENT_BYTES:
            self.lost += len(data)
        else:
            self.pieces.append(data)
            self.held += len(data)
        if self.timer is None:
            self.timer = asyncio.get_running_loop().call_later(MOMENT_SECONDS, self.flush)

    def flush(self) -> None:
        """Say what was held back, so that what is said next comes after it."""
        if not self.is_open:
            return
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None
        text = self.decoder.decode(b"".join(self.pieces))
        size, self.held = self.held, 0
        self.pieces.clear()
        if text:
            self.tell(Message(messages.log_data(self.source, text), f"logData {self.source}", log_bytes=size))
        lost, self.lost = self.lost, 0
        if lost:
            self.tell(Message(messages.lost_log_data(self.source, lost), f"logData {self.source}", log_bytes=lost))

    def history(self) -> bytes:
        """All that was written, less the first bytes of a character whose last ones are still to come."""
        text = codecs.getincrementaldecoder("utf-8")("replace").decode(self.ring.history())
        return messages.log_data(self.source, text)


class Taps:
    """All logs. They are followed while there is a page that wants them."""

    def __init__(self, rings: Mapping[str, Ring], tell: Callable[[Message], None]) -> None:
        self.taps = [LogTap(source, ring, tell) for source, ring in rings.items()]

    def settle(self, wanted: bool) -> None:
        for tap in self.taps:
            if wanted and not tap.is_open:
                tap.open()
            elif tap.is_open and not wanted:
                tap.close()

    def flush(self) -> None:
        for tap in self.taps:
            tap.flush()

    def histories(self) -> Iterator[bytes]:
        return (tap.history() for tap in self.taps)
