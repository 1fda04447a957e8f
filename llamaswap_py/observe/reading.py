"""What a finished request comes to: its row, and what is kept of it. Bytes in, values out."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import NamedTuple

from llamaswap_py.errors import Refusal
from llamaswap_py.observe.captures import Dense, dense
from llamaswap_py.observe.details import Know
from llamaswap_py.observe.finished import Finished
from llamaswap_py.observe.heard import Heard
from llamaswap_py.observe.rows import UNKNOWN, Row
from llamaswap_py.wire.coding import CODINGS, inflated
from llamaswap_py.wire.sse import events_in
from llamaswap_py.wire.usage import NOTHING, Usage, error_of, usage_of, usage_of_ends
from llamaswap_py.wire.window import Body, Piece

STREAM = "text/event-stream"
LIGHT = 512 * 1024  # bytes of an answer, which are read within a millisecond,
LIGHT_STREAM = 32 * 1024  # of a stream of events, in whatever chunks; of a longer one both ends must be enough,
LIGHT_FAILURE = 16 * 1024  # and of one that may be anything
LARGEST_INFLATED = 64 * 1024 * 1024  # a compressed answer that holds more is not opened


def is_light(finished: Finished) -> bool:
    """It takes no longer to read than a request may wait for."""
    answer = finished.heard.answer
    if answer is None:
        return True
    if answer.coding in CODINGS:
        return False
    if finished.status != 200:
        return finished.weight <= LIGHT_FAILURE
    if not answer.event_stream:
        return finished.weight <= LIGHT
    return finished.weight <= LIGHT_STREAM or finished.heard.is_plain(LIGHT)


class Read:
    """A finished request that was read."""

    __slots__ = ("capture", "row", "weight")

    def __init__(self, finished: Finished, know: Know) -> None:
        self.weight = finished.weight
        self.capture: Dense | None = None
        answer = finished.heard.answer
        content_type = finished.content_type or (answer.content_type if answer is not None else "")
        usage, error, details = NOTHING, finished.error, UNKNOWN
        try:
            text = long_text(finished, content_type) or text_of(finished, content_type)
        except NotOpened as reason:
            what = "decompression" if finished.status == 200 else "decode"
            error = error or f"response {what} failed: {reason}"
        else:
            if finished.status == 200:
                usage = text.usage
            elif not error:
                error = error_of(finished.status, b"" if finished.private else text.body.first)
            self.capture = captured(finished, text)
            details = know(finished, text.events)
        took = finished.seconds * 1000
        self.row = Row(
            int(finished.when),
            finished.model,
            finished.path,
            content_type,
            finished.status,
            usage,
            int(max(took, usage.milliseconds)),
            error,
            finished.metadata,
            details=details,
        )

    def let_go(self) -> int:
        """Of its capture; how many bytes that were."""
        size = self.capture.size if self.capture is not None else 0
        self.capture = None
        return size


class Text(NamedTuple):
    """What is read of an answer."""

    body: Body
    usage: Usage  # where it is a success
    events: int  # about; 0 where it is no stream, or not held as a whole
    pieces: Sequence[Piece] = ()  # all of it, where it is held as a whole
    framed: bool = False  # in the framing of its chunks


def long_text(finished: Finished, content_type: str) -> Text | None:
    """Of a long stream, where its ends say enough. What lies between is not looked at, but for a count of events."""
    heard = finished.heard
    if finished.status != 200 or STREAM not in content_type or coding_of(heard) in CODINGS:
        return None
    ends = heard.read_ends()
    usage = usage_of_ends(ends) if ends is not None else None
    if ends is None or usage is None:
        return None
    pieces = heard.pieces
    longest = max(pieces, key=len)
    return Text(ends, usage, round(events_in(longest) * heard.size / len(longest)), pieces, framed=True)


def text_of(finished: Finished, content_type: str) -> Text:
    heard, coding = finished.heard, coding_of(finished.heard)
    streamed = STREAM in content_type
    # Events that are whole in the framing of their chunks can be read where they stand.
    framed = heard.read_framed() if streamed and coding not in CODINGS else None
    body = framed or (opened(heard) if coding in CODINGS else heard.read())
    usage = usage_of(finished.path, content_type, body) if finished.status == 200 else NOTHING
    events = events_in(body.first) if body.whole and streamed else 0
    return Text(body, usage, events, (body.first,) if body.whole and body.first else (), framed is not None)


def coding_of(heard: Heard) -> str:
    return heard.answer.coding if heard.answer is not None else ""


class Unstored:
    """The captures of what was read and is not stored yet: of more than will be kept, the last ones."""

    def __init__(self) -> None:
        self.reads: deque[Read] = deque()
        self.size = 0

    def hold(self, one: Read, most: int) -> None:
        if one.capture is None:
            return
        self.reads.append(one)
        self.size += one.capture.size
        while self.size > most and len(self.reads) > 1:
            self.size -= self.reads.popleft().let_go()

    def clear(self) -> None:
        self.reads.clear()
        self.size = 0


class NotOpened(Exception):
    """The compressed body cannot be read; the sentence says why."""


def opened(heard: Heard) -> Body:
    """A compressed body as plain bytes."""
    body = heard.read()
    if not body.first:
        return body
    if not body.whole:
        raise NotOpened(f"it is compressed and {heard.size} bytes long, more than is held")
    try:
        return Body(inflated(body.first, LARGEST_INFLATED))
    except Refusal as why:
        raise NotOpened("it is cut off, no such coding, or far larger than it looks") from why


def captured(finished: Finished, text: Text) -> Dense | None:
    asked, answer = finished.asked, finished.heard.answer
    if asked is None or answer is None or not finished.heard.window.whole:
        return None
    if finished.status == 200 and not text.pieces:
        return None
    return dense(finished.path, asked, answer, text.pieces if finished.status == 200 else (), text.framed)
