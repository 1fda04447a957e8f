"""The beginning and the end of an answer that may be too long to hold: references to its pieces, never copies."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from llamaswap_py.wire.chunks import CHUNK_END, CRLF, EVENT_END, LONGEST_SIZE, PLAIN_SIZE, chunk

# Anthropic's first event names the input tokens; Responses' first event repeats the whole request's settings.
FIRST = 16 * 1024
# The last events name what was spent; those of Responses repeat the whole text before it.
LAST = 64 * 1024
STILL = 16 * 1024  # of the last events, while nothing more comes
LONG, LARGE = 64 * 1024, 4 * 1024  # a long body, and a large piece of one
# Where to look first in a stream: its first event is short, and the last ones hold their numbers at their ends.
NEAR_START, NEAR_END = 2 * 1024, 4 * 1024


Piece = bytes | memoryview  # what was read, or a part of that


class Body(NamedTuple):
    """What is left of a body: its beginning and its end, which are all of it where nothing was dropped between."""

    first: bytes
    last: bytes = b""
    whole: bool = True


class Window:
    """`add` is an append and nothing more; who adds calls `weigh` in time, and up to `limit` bytes everything is held.
    Pieces are dropped as wholes, so what is framed in each piece stays framed."""

    __slots__ = ("_counted", "_first", "_pieces", "_size", "add", "limit", "whole")

    def __init__(self, limit: int = FIRST + LAST) -> None:
        self.limit = limit
        self.whole = True
        self._first: list[Piece] = []
        self._pieces: list[Piece] = []
        self._size = 0  # of everything that was added, as far as it was
        self._counted = 0  # of the pieces
        self.add = self._pieces.append  # called for every piece of an answer: no step between

    def weigh(self, added: int) -> int:
        """About so many bytes were added; at how many this must be called again."""
        if added <= self.limit and self.whole:
            return self.limit
        self.shed()
        return added + LAST  # so that a piece is looked at twice, not every time

    def shed(self) -> None:
        """Drop all but the beginning and the end."""
        self._count()
        if self.whole:
            self.whole = False
            self._split()
        self._drop()
        self._counted = len(self._pieces)

    def slim(self, last: int, chunked: bool, events: bool) -> int:
        """Nothing more comes for now: of the end no more than `last` bytes are held (of events, whole ones and so many
        at least), and of nothing the read that brought it. Returns how many bytes were let go."""
        before = self._held()
        if before > FIRST + LAST:
            self.shed()
            self._pieces[:] = [ending(b"".join(self._pieces), last, chunked, events)]
            self._counted = len(self._pieces)
        for pieces in self.pieces():
            pieces[:] = [bytes(piece) for piece in pieces]
        return before - self._held()

    def _held(self) -> int:
        return sum(len(piece) for pieces in self.pieces() for piece in pieces)

    @property
    def size(self) -> int:
        """Of everything that was added."""
        self._count()
        return self._size

    @property
    def held(self) -> int:
        """In bytes, about."""
        return self.size if self.whole else min(self.size, FIRST + 2 * LAST)

    def _count(self) -> None:
        """Each piece once."""
        if self._counted < len(self._pieces):
            self._size += sum(map(len, self._pieces[self._counted :]))
            self._counted = len(self._pieces)

    def pieces(self) -> tuple[list[Piece], list[Piece]]:
        """Of the beginning and of the end; where nothing was dropped, all are of the beginning."""
        return (self._pieces, []) if self.whole else (self._first, self._pieces)

    def _split(self) -> None:
        size = at = 0
        while at < len(self._pieces) and size < FIRST:
            size += len(self._pieces[at])
            at += 1
        self._first = self._pieces[:at]
        del self._pieces[:at]
        if self._first:
            last = bytes(self._first[-1])
            # Of a read that brought much, no more than whole events: it would be held as long as the answer lasts.
            self._first[-1], *rest = cut(last, max(0, len(last) - (size - FIRST)), is_chunked(self._first[0]))
            self._pieces[:0] = rest

    def _drop(self) -> None:
        at, size = len(self._pieces), 0
        while at > 0 and size < LAST:
            at -= 1
            size += len(self._pieces[at])
        del self._pieces[:at]


def is_chunked(beginning: Piece) -> bool:
    size, end, _ = bytes(beginning[:LONGEST_SIZE]).partition(CRLF)
    return bool(end) and PLAIN_SIZE.fullmatch(size) is not None


def cut(read: bytes, near: int, chunked: bool) -> tuple[Piece, ...]:
    """In two behind the first event that ends behind `near`, if one does; the second is framed like the first."""
    end = read.find(CHUNK_END, near) + len(CHUNK_END)
    if len(CHUNK_END) <= end < len(read):
        return read[:end], memoryview(read)[end:]
    end = read.find(EVENT_END, near) + len(EVENT_END)
    if end < len(EVENT_END) or read.startswith(CRLF, end):
        return (read,)
    if chunked:  # and within a chunk, so that what follows becomes one
        return read[:end], chunk(unchunked(read)[len(unchunked(read[:end])) :])
    return read[:end], memoryview(read)[end:]


def ending(framed: bytes, last: int, chunked: bool, events: bool) -> bytes:
    """What comes last of whole chunks, as one chunk; or of what has no chunks."""
    body = unchunked(framed) if chunked else framed
    start = max(0, len(body) - last)
    if events:
        start = body.rfind(EVENT_END, 0, start) + len(EVENT_END)
        if start < len(EVENT_END):  # none begins there
            return framed
    return chunk(body[start:]) if chunked else body[start:]


def body_of(window: Window, chunked: bool) -> Body:
    """The bytes of a window; `chunked`: without the framing of chunks."""
    first, last = (b"".join(pieces) for pieces in window.pieces())
    if chunked:
        first, last = unchunked(first), unchunked(last)
    return Body(first, last, window.whole)


def holds_events(framed: bytes) -> bool:
    """In the framing of its chunks no event is cut; of a long body where its numbers stand, at both ends."""
    return cuts_none(framed) if len(framed) <= FIRST else hold_events(framed[:NEAR_START], framed[-NEAR_END:])


def hold_events(start: bytes, end: bytes) -> bool:
    """The same of both ends, each of which is cut somewhere."""
    start, end = start[: start.rfind(CHUNK_END) + len(CHUNK_END)], end[end.find(CHUNK_END) + len(CHUNK_END) :]
    return CHUNK_END in start and cuts_none(start) and cuts_none(end)


def ends_of(window: Window) -> Body | None:
    """Of a long body its two ends, which may be cut: nothing long is copied for them. None where it is held as a whole
    in small pieces, which are better joined."""
    first, last = window.pieces()
    if window.size < LONG or (window.whole and window.size < len(first) * LARGE):
        return None
    return Body(joined(first, NEAR_START), joined((last or first)[::-1], -NEAR_END), whole=False)


def joined(pieces: Iterable[Piece], size: int) -> bytes:
    """The first bytes of them, so many; where it is negative the last ones, of pieces that are told from the end."""
    found = b""
    for piece in pieces:
        if len(found) >= abs(size):
            break
        missing = abs(size) - len(found)
        found = b"".join((found, piece[:missing]) if size > 0 else (piece[-missing:], found))
    return found


def cuts_none(framed: bytes) -> bool:
    """Each chunk but the last ends with an event: two counts, for a walk over chunks costs far more. A return that ends
    no line counts too, which is on the safe side."""
    others = framed.count(b"\r") - 2 * framed.count(CHUNK_END)
    return others == (2 if framed.endswith(b"0\r\n\r\n") else 0)


def unchunked(data: bytes) -> bytes:
    """The contents of whole chunks; ends at what is none, and at the last chunk."""
    parts: list[bytes] = []
    at = 0
    while (end := data.find(b"\r\n", at)) > 0:
        try:
            size = int(data[at:end], 16)
        except ValueError:
            break
        if not size:
            break
        parts.append(data[end + 2 : end + 2 + size])
        at = end + 2 + size + 2
    return b"".join(parts)
