"""A comment to whoever reads a stream of events on which nothing comes: what stands between must not take the silence
for its end. One timer for all streams, and nothing is done where an event passes."""

from __future__ import annotations

from typing import Any, Protocol

import msgspec

from llamaswap_py.runtime.hearing import Hearing
from llamaswap_py.wire.answer import Answer

COMMENT = b": heartbeat\n\n"  # an event without a field is none: readers skip it
LOOKS = 4  # in the time between two beats: the first comes at most a quarter late


class Clock(Protocol):
    """An event loop, for its time."""

    def time(self) -> float: ...

    def call_later(self, delay: float, callback: Any, /, *args: Any) -> object: ...


class Reader(Protocol):
    @property
    def full(self) -> bool: ...

    def write(self, data: bytes) -> object: ...


class Beat(msgspec.Struct, eq=False):
    """One stream, from its beginning to its end."""

    answer: Answer
    reader: Reader
    source: Hearing
    heard: int  # when it was last looked at
    since: float  # nothing has been heard, nor said here


class Heart:
    def __init__(self, every: float = 0.0) -> None:
        self.every = every  # seconds; 0: no beats for streams that begin from now on
        self.beats: set[Beat] = set()
        self.timer: object | None = None

    def join(self, clock: Clock, answer: Answer, reader: Reader, source: Hearing) -> Beat | None:
        """To be left when the stream is over."""
        if not self.every:
            return None
        beat = Beat(answer, reader, source, source.amount, clock.time())
        self.beats.add(beat)
        if self.timer is None:
            self.timer = clock.call_later(self.every / LOOKS, self.look, clock)
        return beat

    def leave(self, beat: Beat) -> None:
        self.beats.discard(beat)

    def look(self, clock: Clock) -> None:
        self.timer = None
        if not self.beats or not self.every:
            return
        self.timer = clock.call_later(self.every / LOOKS, self.look, clock)
        now = clock.time()
        for beat in tuple(self.beats):
            if beat.heard != beat.source.amount:
                beat.heard, beat.since = beat.source.amount, now
            elif now - beat.since >= self.every:
                beat.since = now
                say(beat)


def say(beat: Beat) -> None:
    """Never within an event, and to nobody who has not read what was sent before."""
    comment = b"" if beat.reader.full else beat.answer.cut(COMMENT)
    if comment:
        beat.source.stand_alone()
        beat.reader.write(comment)
