"""The rest of an answer that was begun before the model's server had spoken: news of the loading came first.

The server's head is swallowed, its events go on in the stream that is there; anything else is a fault."""

from __future__ import annotations

import msgspec

from llamaswap_py.errors import UpstreamFailed
from llamaswap_py.wire.answer import Answer
from llamaswap_py.wire.headers import REASONS, Caller, Framing, Head, framing
from llamaswap_py.wire.sse import Events

# Of an answer that is no stream of events, what is read to say why: errors are shorter.
WORDS = 16 * 1024
QUOTED = 500  # characters of it that go into the sentence


class Continued(Answer):
    __slots__ = ("_words",)

    def __init__(self, caller: Caller, method: str) -> None:
        super().__init__(caller, method)
        self._framed = begun_framing(caller)
        self._events = Events()
        self._words: bytearray | None = None  # what the server says instead of events
        self.body_began = True

    @property
    def done(self) -> bool:
        return self._reader.done and self._words is None

    @property
    def fault(self) -> UpstreamFailed | None:
        head, words = self.head, self._words
        if head is None or words is None or not (self._reader.done or self._reader.fault or len(words) >= WORDS):
            return self._reader.fault
        return UpstreamFailed(sentence(head, bytes(words)))

    def _begin(self, head: Head) -> bytes:
        if head.status == 200 and head.event_stream:
            self._pass_chunks = self._framed is Framing.CHUNKED
        else:
            self._words = bytearray()
        return b""

    def _framed_body(self, body: bytes) -> bytes:
        if self._words is None:
            return super()._framed_body(body)
        self._words += body[: WORDS - len(self._words)]
        self.settled = self.settled or len(self._words) >= WORDS
        return b""


def begun_framing(caller: Caller) -> Framing:
    """Of a stream that is begun when nobody knows how long it will be."""
    return framing(caller, 200, None)


def sentence(head: Head, words: bytes) -> str:
    if head.status == 200:
        return "the model's server answered with something else than the stream of events that was asked for"
    reason = (head.reason or REASONS.get(head.status, b"")).decode("latin-1")
    return f"the model's server answered {head.status} {reason}: {said(words)}".rstrip(": ")


def said(words: bytes) -> str:
    """The message of an error in JSON, as all these servers write it; else the text itself."""
    try:
        error = msgspec.json.decode(words)["error"]
        text = str(error["message"] if isinstance(error, dict) else error)
    except (msgspec.DecodeError, LookupError, TypeError, UnicodeDecodeError):
        text = words.decode("utf-8", "replace")
    return " ".join(text.split())[:QUOTED]
