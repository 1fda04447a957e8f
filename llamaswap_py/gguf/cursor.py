"""A place in a file that moves forward, over a chunk of it: all reading is done here, through what was handed in."""

from __future__ import annotations

import struct
from collections.abc import Callable
from itertools import repeat
from operator import length_hint

# (offset, size) -> the bytes there; fewer, or none, only where the file ends.
Read = Callable[[int, int], bytes]

FIRST_CHUNK = 64 * 1024  # a header without a vocabulary fits in
LARGEST_CHUNK = 4 * 1024 * 1024  # vocabularies are megabytes: few reads, and no more memory than this
LONGEST_TEXT = 64 * 1024 * 1024  # beyond any chat template; a length above it is a broken one
LEAP_FROM = 8192  # so many texts are walked through in a millisecond
LEAP_TO = 32  # bytes for each text; beyond them the next key is not looked for
NEXT_KEY = b"\0\0\0\0\0\0\0tokenizer."  # the upper bytes of a length, and how nearly all keys behind a vocabulary begin
LARGEST_HEADER = 256 * 1024 * 1024  # many times the largest vocabulary: what is beyond comes from broken lengths


class HeaderError(Exception):
    """The file's header cannot be used; the message is a sentence about the file."""


class NotGguf(HeaderError):
    """Something else than a GGUF file."""


class Truncated(HeaderError):
    """The file ends within its header, as one does that is still being copied."""


class Broken(HeaderError):
    """A GGUF file whose header makes no sense."""


class Cursor:
    def __init__(self, read: Read, may_leap: bool = True) -> None:
        self.read = read
        self.may_leap = may_leap
        self.has_leapt = False
        self.order = "<"
        self.base = 0  # where in the file the chunk begins
        self.at = 0  # where in the chunk we are
        self.data = b""
        self.chunk = FIRST_CHUNK
        self.layouts: dict[str, struct.Struct] = {}

    @property
    def offset(self) -> int:
        return self.base + self.at

    def need(self, size: int) -> None:
        """Have so many bytes at hand from here on."""
        if self.at + size <= len(self.data):
            return
        self.move(self.offset)
        if size > len(self.data):
            self.data = self.read(self.base, size)
        if size > len(self.data):
            raise Truncated(f"the file ends within its header, at byte {self.base + len(self.data)}")

    def move(self, offset: int) -> None:
        if offset > LARGEST_HEADER:
            raise Broken(f"the header is broken: before byte {self.offset} a length is given that no header has")
        self.base, self.at = offset, 0
        self.data = self.read(offset, self.chunk)
        self.chunk = min(self.chunk * 2, LARGEST_CHUNK)

    def unpack(self, layout: str) -> tuple[int | float, ...]:
        known = self.layouts.get(layout)
        if known is None:
            known = self.layouts[layout] = struct.Struct(self.order + layout)
        self.need(known.size)
        values = known.unpack_from(self.data, self.at)
        self.at += known.size
        return values

    def number(self, layout: str) -> int:
        return int(self.unpack(layout)[0])

    def text(self) -> str:
        length = self.number("Q")
        if length > LONGEST_TEXT:
            raise Broken(f"the header is broken: at byte {self.offset} a text of {length} bytes begins")
        self.need(length)
        raw = self.data[self.at : self.at + length]
        self.at += length
        return raw.decode("utf-8", "replace")

    def skip(self, size: int) -> None:
        """Past so many bytes, which must be there; what lies in between is not read."""
        if self.at + size <= len(self.data):
            self.at += size
            return
        self.move(self.offset + size - 1)
        self.need(1)
        self.at = 1

    def skip_texts(self, count: int) -> None:
        may_leap = self.may_leap and count >= LEAP_FROM and self.order == "<"
        if not (may_leap and self.leap(count)):
            self.walk(count)

    def walk(self, count: int) -> None:
        """Text by text, each behind its length: nothing here but the one addition."""
        unpack = struct.Struct(self.order + "Q").unpack_from
        while count:
            data, at, ahead = self.data, self.at, repeat(None, count)
            try:
                for _ in ahead:
                    at += 8 + unpack(data, at)[0]
                self.at, count = at, 0
            except (struct.error, OverflowError):  # the next length lies beyond the chunk
                self.at, count = at, length_hint(ahead) + 1
                self.need(8)
        self.skip(0)

    def leap(self, count: int) -> bool:
        """To where the next key seems to stand: 250,000 texts take 20 ms to walk through, and 2 to search.

        What is read behind a leap proves it; who finds nonsense there reads the header once more, walking.
        """
        start = self.offset
        limit = min(start + LEAP_TO * count, LARGEST_HEADER - LARGEST_CHUNK)
        self.move(start + 8 * count)  # a text has a length, if nothing else
        while self.base < limit and len(self.data) > len(NEXT_KEY):
            found = self.data.find(NEXT_KEY)
            if found > 0:
                self.at, self.has_leapt = found - 1, True
                return True
            self.move(self.base + len(self.data) - len(NEXT_KEY))
        self.move(start)
        return False
