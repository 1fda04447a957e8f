"""The chunks of a body that can be passed on as they are: where whole ones end, found without taking them apart.

Most of what flows is such chunks, many in one read: each costs one look into a table, and those of a size that was met
often a fraction of it, because one pattern steps over them."""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

CRLF = b"\r\n"
EVENT_END = b"\n\n"
LAST_CHUNK = b"0\r\n\r\n"
CHUNK_END = EVENT_END + CRLF  # of a chunk that ends with an event, as nearly every server writes it
PLAIN_SIZE = re.compile(rb"[1-9A-Fa-f][0-9A-Fa-f]{0,5}")
LONGEST_SIZE = 8  # such a line with its end
MOST_STEPS = 2048  # remembered; a server's chunks begin alike but for their sizes
NOWHERE = sys.maxsize  # far beyond every end
FIRST: dict[bytes, int] = {}  # steps by what chunks begin with,
NEXT: dict[bytes, int] = {}  # and by that with the end of the chunk before it

AT_A_TURN = 8  # chunks of one size
MOST_SIZES = 16  # in the pattern, which tries them one after the other
LARGEST_SIZE = 64 * 1024
LONG = 2 * 1024  # bytes that are worth a look through the pattern
FEW = 8  # steps in one read that are worth no thought
MISSES = 512  # steps over other sizes until the pattern is made anew; each time twice as many,
MOST_MISSES = 1 << 20  # so that it costs less than the steps, also where the sizes never come again

# Before 3.11.5 `*+` takes the beginning of a turn that failed for matched, unless the last choice of a turn is to fail.
TURN_BACK = b"|(?!)" if sys.version_info < (3, 11, 5) else b""


def chunk(data: bytes) -> bytes:
    """One chunk; nothing for nothing, because an empty chunk is the last one."""
    return b"%x\r\n%b\r\n" % (len(data), data) if data else b""


class Usual:
    """The sizes that were met lately, as a pattern: over and over, chunks of such sizes that end with an event."""

    def __init__(self) -> None:
        self.sizes: list[bytes] = []  # as they are written
        self.pattern = re.compile(b"")
        self.missed = 0
        self.patience = MISSES

    def end(self, data: bytes, start: int) -> int:
        """Of as many of them as follow each other from `start` on."""
        found = self.pattern.match(data, start)
        return found.end() if found is not None else start

    def miss(self, data: bytes, ends: Sequence[int]) -> None:
        """There were chunks of other sizes, whose ends these are, behind where the first began."""
        self.missed += len(ends) - 1
        if self.missed < self.patience:
            return
        self.missed, self.patience = 0, min(2 * self.patience, MOST_MISSES)
        met = Counter(data[start : data.find(CRLF, start)] for start, _ in pairwise(ends))
        sizes = [size for size, _ in met.most_common(MOST_SIZES) if len(EVENT_END) <= int(size, 16) <= LARGEST_SIZE]
        self.sizes = list(dict.fromkeys(sizes + self.sizes))[:MOST_SIZES]
        if self.sizes:
            self.pattern = pattern_of(self.sizes)


def pattern_of(sizes: Sequence[bytes]) -> re.Pattern[bytes]:
    """Of few sizes several at a turn, which costs less than a turn for each."""
    sized = b"|".join(b"%b\r\n.{%d}+" % (size, int(size, 16) - len(EVENT_END)) for size in sizes)
    one = b"(?:%b)%b" % (sized, CHUNK_END)
    several = one * max(1, AT_A_TURN // len(sizes))
    return re.compile(b"(?s:(?:%b%b)*+(?:%b%b)*+)" % (several, TURN_BACK, one, TURN_BACK))


def learn(steps: dict[bytes, int], before: bytes, begins: bytes) -> int:
    """How far it is to the end of a chunk, by the bytes it begins with, what must stand before it included: one look
    instead of a search and a conversion. It leads nowhere where they are no plain chunk, or the last one."""
    line, found, _ = begins.removeprefix(before).partition(CRLF)
    plain = found and begins.startswith(before) and PLAIN_SIZE.fullmatch(line)
    if len(steps) >= MOST_STEPS:
        steps.clear()
    step = steps[begins] = len(line) + 4 + int(line, 16) if plain else NOWHERE
    return step


USUAL = Usual()


def whole_chunks(data: bytes, ending: bytes = CRLF, start: int = 0, usual: Usual = USUAL) -> int:
    """Up to where `data`, where a chunk begins at `start`, is whole plain chunks (not the closing one) of which the
    last one ends so, its own line end included; else `start`. They can be handed on as they are, instead of being fed
    to a reader."""
    begins = data[start : start + LONGEST_SIZE]
    step = FIRST.get(begins) or learn(FIRST, b"", begins)
    at, end, least = start + step, len(data), len(ending) + 3  # of a chunk that can hold such an ending
    if at == end and data.endswith(ending) and step >= least:
        return at  # mostly at once: a chunk an event, an event a read
    known = start
    if end - start > LONG:
        known = usual.end(data, start)
        if known == end:
            return end
        if known > start:
            begins = data[known - 2 : known + LONGEST_SIZE]
            at = known + (NEXT.get(begins) or learn(NEXT, CRLF, begins))
    ends = [known]
    while at <= end:
        ends.append(at)
        begins = data[at - 2 : at + LONGEST_SIZE]
        try:
            at += NEXT[begins]
        except KeyError:
            at += learn(NEXT, CRLF, begins)
    if len(ends) > FEW:
        usual.miss(data, ends)
    while len(ends) > 1 and not (ends[-1] - ends[-2] >= least and data.startswith(ending, ends[-1] - len(ending))):
        ends.pop()
    return ends[-1]
