"""Server-sent events: where the last whole one of a byte stream ends, and about how many there are. Their contents are
nobody's business here."""

from __future__ import annotations

from llamaswap_py.wire.chunks import EVENT_END

# An event longer than this is passed on in pieces rather than held, so memory stays bounded and big
# events (an image in base64) still arrive; no error event can follow while such an event is open.
LONGEST_HELD = 16 * 1024 * 1024
SAMPLE = 4 * 1024  # bytes of a long stream whose events are counted


def events_in(text: bytes | memoryview) -> int:
    """Of a long stream about so many, by what stands in its middle: to count them all would cost as much as the rest
    of its record."""
    middle = max(0, len(text) - SAMPLE) // 2
    sample = bytes(text[middle : middle + SAMPLE])
    return round(sample.count(EVENT_END) * len(text) / len(sample)) if sample else 0


class Events:
    """Holds back a partial event until the rest of it came.

    An event ends with an empty line; a line ends with LF, CR or CRLF."""

    __slots__ = ("_limit", "held", "open")

    def __init__(self, limit: int = LONGEST_HELD) -> None:
        self.held = bytearray()  # the beginning of an event
        self._limit = limit
        self.open = False  # part of an unfinished event was passed on

    @property
    def clear(self) -> bool:
        """Nothing is held and nothing is half said: the next byte begins an event."""
        return not self.held and not self.open

    def feed(self, data: bytes) -> bytes:
        """Everything up to the last end of an event; what follows is kept for the next call."""
        # One byte back is enough: the end of an event is seen at two neighbouring bytes.
        start = max(0, len(self.held) - 1)
        fresh = self.clear
        self.held += data
        end = self._last_end(start, fresh)
        if end:
            self.open = False
        elif len(self.held) > self._limit:
            # The last byte stays, so that an end that straddles two pieces is still seen.
            end = len(self.held) - 1
            self.open = True
        whole = bytes(self.held[:end])
        del self.held[:end]
        return whole

    def rest(self) -> bytes:
        """What is held, for a stream that came to its proper end."""
        held, self.held = bytes(self.held), bytearray()
        return held

    def _last_end(self, start: int, fresh: bool) -> int:
        held = self.held
        end = max(held.rfind(b"\n\n", start), held.rfind(b"\n\r", start), held.rfind(b"\r\r", start)) + 2
        if end >= 2:
            return end + 1 if held[end - 1 : end + 1] == b"\r\n" else end
        # Empty lines where an event would begin are whole by themselves.
        return len(held) - len(held.lstrip(b"\r\n")) if fresh else 0
