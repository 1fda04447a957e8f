"""The caller's message, made from the bytes of a model's server: new head, caller's framing, whole events only.

Bytes in, bytes out; what to do with them is the relay's business."""

from __future__ import annotations

from collections.abc import Sequence

from llamaswap_py.errors import UpstreamFailed
from llamaswap_py.wire.chunks import CHUNK_END, CRLF, LAST_CHUNK, chunk, whole_chunks
from llamaswap_py.wire.headers import Caller, Framing, Head, answer_head, framing, switch_head
from llamaswap_py.wire.http1 import BETWEEN_CHUNKS, DONE, HEAD_END, Reader
from llamaswap_py.wire.sse import Events
from llamaswap_py.wire.window import Piece


def passable(reader: Reader, events: Events | None) -> bytes:
    """How chunks must end that can be passed from here on as they are; empty where none can."""
    if reader.stage != BETWEEN_CHUNKS or reader.kept or reader.fault is not None:
        return b""
    if events is None:
        return CRLF
    return CHUNK_END if events.clear else b""


class Answer:
    """One answer on its way. After every call look at `settled`, then at `done` and `fault`."""

    __slots__ = (
        "_caller",
        "_events",
        "_framed",
        "_pass_chunks",
        "_pass_length",
        "_reader",
        "body_began",
        "ending",
        "head",
        "head_size",
        "settled",
    )

    def __init__(self, caller: Caller, method: str, upgrade: bool = False) -> None:
        self._caller = caller
        self._reader = Reader(method, upgrade)
        self._framed = Framing.EMPTY
        self._events: Events | None = None
        self._pass_chunks = False
        self._pass_length = False
        self.ending = b""  # of whole chunks that pass as they are, also without `feed`; empty: none do
        self.body_began = False
        self.head: Head | None = None  # the server's, once it is known; the caller's was then in what `feed` returned
        self.head_size = 0  # of the caller's head, which is the beginning of what `feed` returned first
        self.settled = False  # `done` or `fault` has something to say: one cheap look after every feed

    @property
    def done(self) -> bool:
        """The caller's message is complete."""
        return self._reader.done

    @property
    def switched(self) -> bool:
        """The server changed the protocol, as it was asked to: what follows has no frame that we know."""
        return self.head is not None and self.head.status == 101

    @property
    def fault(self) -> UpstreamFailed | None:
        return self._reader.fault

    @property
    def reusable(self) -> bool:
        """The server's connection may carry another request."""
        return self._reader.reusable

    @property
    def chunked(self) -> bool:
        """Whatever follows the head is whole chunks."""
        return self._framed is Framing.CHUNKED

    @property
    def keeps_caller(self) -> bool:
        """After this answer, if complete, the caller's connection may carry another one."""
        return self._framed is not Framing.CLOSE

    @property
    def needs_reset(self) -> bool:
        """Only a reset tells this caller that the message broke: an ordinary close is how it ends."""
        return self._framed is Framing.CLOSE

    def feed(self, data: bytes) -> bytes:
        """What the caller gets for these bytes of the server."""
        if self.ending and whole_chunks(data, self.ending) == len(data):
            self.body_began = True
            return data
        if self._pass_chunks:
            return b"".join(self.parts(data))
        if self._pass_length and self._reader.within_length(data):
            self.body_began = True
            return data
        return self._slowly(data)

    def parts(self, data: bytes) -> Sequence[Piece]:
        """The same in parts, of which some may be empty: what is whole chunks of whole events goes on where it lies."""
        out, start = b"", 0
        if self.head is None:
            start = data.find(HEAD_END) + len(HEAD_END)
            out = self._slowly(data[:start])
        elif self._pass_chunks and not self.ending:  # a chunk was cut, and is ended first
            start = self._reader.rest_of_chunk()
            if not start or start >= len(data):
                return (self._slowly(data),)
            out = self._slowly(data[:start])
        if start >= len(data):
            return (out,)
        if not self.ending:
            return (out, self._slowly(data[start:]) if self._pass_chunks else self.feed(data[start:]))
        passed = whole_chunks(data, self.ending, start)
        self.body_began = self.body_began or passed > start
        if not start and passed == len(data):
            return (data,)
        rest = self._slowly(data[passed:]) if passed < len(data) else b""
        return (out, memoryview(data)[start:passed], rest)

    def end(self) -> bytes:
        """The server closed the connection in an orderly way."""
        if self.done:
            return b""
        self._reader.end()
        self.settled = True
        return self._framed_body(b"") if self.done else b""

    def cut(self, event: bytes) -> bytes:
        """What may still be said after the server broke: `event`, where the answer is a stream of events."""
        if self._events is None or self._events.open:
            return b""
        return chunk(event) if self._framed is Framing.CHUNKED else event

    def _slowly(self, data: bytes) -> bytes:
        reader = self._reader
        over = reader.stage == DONE
        body = reader.feed(data)
        self.settled = reader.stage == DONE or reader.fault is not None
        if over or reader.head is None:
            return b""
        start = b""
        if self.head is None:
            self.head = reader.head
            start = self._begin(self.head)
            self.head_size = len(start)
        if self._pass_length:
            self.body_began = self.body_began or bool(body)
            return start + body
        out = start + self._framed_body(body)
        if self._pass_chunks:
            self.ending = passable(reader, self._events)
        return out

    def _begin(self, head: Head) -> bytes:
        if self.switched:
            self._framed = Framing.CLOSE
            return switch_head(head, self._caller)
        self._framed = framing(self._caller, head.status, self._reader.length)
        if head.event_stream and self._framed in (Framing.CHUNKED, Framing.CLOSE):
            self._events = Events()
        self._pass_chunks = self._framed is Framing.CHUNKED
        self._pass_length = self._framed is Framing.LENGTH
        return answer_head(head, self._caller, self._framed)

    def _framed_body(self, body: bytes) -> bytes:
        if self._framed is Framing.EMPTY:
            return b""
        if self._events is not None:
            body = self._events.feed(body) + (self._events.rest() if self.done else b"")
        self.body_began = self.body_began or bool(body)
        if self._framed is not Framing.CHUNKED:
            return body
        return chunk(body) + LAST_CHUNK if self.done else chunk(body)
