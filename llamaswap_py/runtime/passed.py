"""What of an answer has gone to its caller, and when: counted, and told to whoever listens. Called for every piece."""

from __future__ import annotations

import sys
from collections import deque

from llamaswap_py.runtime.sides import Tap
from llamaswap_py.wire.headers import Head
from llamaswap_py.wire.window import Piece

UNHEARD = deque[Piece](maxlen=0).append  # where nobody listens


def unweighed(sent: int) -> int:
    return sys.maxsize


class Passed:
    __slots__ = ("_hear", "_mark", "_tap", "_weigh", "first", "gap", "last", "sent")

    def __init__(self, tap: Tap | None, sent: int) -> None:
        self._tap = tap
        self._hear = tap.body if tap is not None else UNHEARD
        self._weigh = tap.weigh if tap is not None else unweighed
        self._mark = self._weigh(0)  # bytes: beyond it the tap is asked again
        self.sent = sent
        self.first: float | None = None  # when the first piece went
        self.last = 0.0  # when the one before went
        self.gap = 0.0  # the longest between two

    def piece(self, data: Piece, now: float) -> None:
        """One of the body, behind others."""
        if now - self.last > self.gap:  # noqa: PLR1730 - a call of `max` for every piece is dearer
            self.gap = now - self.last
        self.last = now
        self._hear(data)
        self.sent = sent = self.sent + len(data)
        if sent > self._mark:
            self._mark = self._weigh(sent)

    def slim(self) -> None:
        """Nothing goes for now."""
        if self._tap is not None:
            self._tap.slim()
            self._mark = self._weigh(self.sent)

    def beginning(self, data: Piece, now: float, head: Head | None, head_size: int, chunked: bool) -> None:
        """The first piece: it begins with the whole head, where there is one of the server's."""
        self.first = self.last = now
        if self._tap is not None and head is not None:
            self._tap.head(head, chunked)
            if len(data) > head_size:
                self._tap.body(data[head_size:])
        self.count(data)

    def later(self, data: Piece) -> None:
        """What is no piece of a steady stream."""
        self._hear(data)
        self.count(data)

    def count(self, data: Piece) -> None:
        self.sent += len(data)
        if self.sent > self._mark:
            self._mark = self._weigh(self.sent)
