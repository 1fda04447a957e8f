"""What was heard of one answer on its way to the caller: the server's head, and the body's beginning and end.

It keeps references and counts; every question is left to later."""

from __future__ import annotations

from llamaswap_py.wire.headers import Head
from llamaswap_py.wire.window import LAST, STILL, Body, Piece, Window, body_of, ends_of, hold_events, holds_events

NOT_LOOKED_FOR = Body(b"")


class Heard:
    __slots__ = ("answer", "body", "chunked", "found", "weigh", "window")

    def __init__(self, limit: int) -> None:
        self.answer: Head | None = None
        self.chunked = False
        self.found: Body | None = NOT_LOOKED_FOR
        self.window = Window(limit)
        self.body = self.window.add  # called for every piece that is written: no step between them
        self.weigh = self.window.weigh

    def head(self, head: Head, chunked: bool) -> None:
        self.answer, self.chunked = head, chunked

    def slim(self, most: int) -> int:
        """Of a long answer that does not go on for now no more is held than its figures need; of one that is no stream
        of events only beyond `most` bytes. Returns how many were let go."""
        if self.answer is None or self.answer.coding:
            return 0  # what is compressed can be read as a whole only
        if self.answer.event_stream:
            return self.window.slim(STILL, self.chunked, events=True)
        return self.window.slim(LAST, self.chunked, events=False) if self.size > most else 0

    @property
    def size(self) -> int:
        return self.window.size

    @property
    def status(self) -> int:
        return self.answer.status if self.answer is not None else 0

    def read(self) -> Body:
        """What is held of the body."""
        return body_of(self.window, self.chunked)

    def read_ends(self) -> Body | None:
        """Both ends of a long body in the framing of its chunks, once it is over; None where they say nothing of
        events."""
        if self.found is NOT_LOOKED_FOR:
            ends = ends_of(self.window) if self.chunked else None
            self.found = ends if ends is not None and hold_events(ends.first, ends.last) else None
        return self.found

    def is_plain(self, most: int) -> bool:
        """It can be read where it lies: by its ends, or, up to so many bytes, as a whole."""
        return self.read_ends() is not None or (self.size <= most and self.read_framed() is not None)

    @property
    def pieces(self) -> tuple[Piece, ...]:
        """Of a body that is held as a whole."""
        return tuple(self.window.pieces()[0])

    def read_framed(self) -> Body | None:
        """The same with the framing of its chunks, which costs less; None where that cuts an event."""
        body = body_of(self.window, False)
        return body if self.chunked and holds_events(body.first) and holds_events(body.last) else None
