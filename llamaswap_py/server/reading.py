"""A log as events: text by its place in the log, so that who comes back goes on where it was, without gap or repeat.

A reader looks at the ring when it may say something again; what a server prints costs nothing more for it."""

from __future__ import annotations

import asyncio
import codecs
from typing import TYPE_CHECKING

import msgspec

from llamaswap_py.runtime.output import Ring

if TYPE_CHECKING:
    from llamaswap_py.server.shapes.events import LogPiece

EVERY = 0.1  # seconds between two events of one log,
MANY = 16 * 1024  # and twice as long after one of so many bytes: nobody reads along there
LONGEST_NUMBER = 20  # digits; Python refuses to read thousands of them
BEAT = b":\n\n"


class Reader:
    """Follows one ring. `last`: what it heard last, if it was here before."""

    def __init__(self, ring: Ring, epoch: str, last: str = "") -> None:
        self.ring = ring
        self.epoch = epoch
        known, _, number = last.rpartition("-")
        ours = known == epoch and number.isdecimal() and len(number) < LONGEST_NUMBER and int(number) <= ring.written
        self.place: int | None = int(number) if ours else None  # None: the history comes first
        self.woken = asyncio.Event()
        self.seen = -1  # how much had been written when it was last looked at
        self.told_at = 0.0  # loop time
        self.pause = EVERY

    def push(self, data: bytes) -> None:
        self.woken.set()

    def close(self) -> None:
        self.woken.set()

    @property
    def closed(self) -> bool:
        return self.ring.closed

    async def news(self, patience: float) -> bool:
        """Whether there was any before `patience` was over; not too soon after the last time."""
        loop = asyncio.get_running_loop()
        await asyncio.sleep(max(0.0, self.told_at + self.pause - loop.time()))
        if self.ring.written == self.seen and not self.closed:
            await self.next_word(patience)
        return self.ring.written != self.seen or self.closed

    async def next_word(self, patience: float) -> None:
        """Only here it hears of a piece: beside a flood it would be told of each."""
        self.woken.clear()
        self.ring.viewers.add(self)
        try:
            async with asyncio.timeout(patience):
                await self.woken.wait()
        except TimeoutError:
            pass
        finally:
            self.ring.viewers.discard(self)

    def take(self) -> bytes:
        """One event with all that is new; nothing where nothing is, but a page that is new hears even that."""
        self.told_at = asyncio.get_running_loop().time()
        place, end = self.place, self.ring.written
        self.seen = end
        if place == end:
            return b""
        data = self.ring.since(place or 0)
        start = end - len(data)
        lost = start - place if place is not None else 0
        if lost or (place is None and start):
            data = whole_lines(data)
            lost += end - start - len(data) if lost else 0
        text, held = decoded(data)
        if not text and place is not None:
            return b""
        self.place = end - held
        self.pause = 2 * EVERY if len(data) > MANY else EVERY
        return self.event(text, lost, place is None)

    def event(self, text: str, lost: int, is_history: bool) -> bytes:
        told: LogPiece = {"text": text, "lost": lost, "whole": is_history}
        return b"id:%b-%d\ndata:%b\n\n" % (self.epoch.encode(), self.place or 0, msgspec.json.encode(told))


def whole_lines(data: bytes) -> bytes:
    """Without the rest of a line whose beginning is gone, unless that is all."""
    _, _, rest = data.partition(b"\n")
    return rest or data


def decoded(data: bytes) -> tuple[str, int]:
    """Text of whole characters, and how many bytes at the end belong to one that is still to come."""
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    text = decoder.decode(data)
    return text, len(decoder.getstate()[0])
