"""Output as it arrives, in pieces, and whole lines as a file gets them. Pure."""

from __future__ import annotations

LONGEST = 32 * 1024  # of one line: more is no line for a reader, and what has no end must not be held for ever
CUT = " …\n".encode()
CONTINUED = "… ".encode()


class Lines:
    """What it gives out ends with a line's end, however the pieces were cut."""

    def __init__(self) -> None:
        self.rest = b""  # of a line whose end has not come
        self.skips = False  # until the next line: the beginning of this one is lost

    def feed(self, data: bytes) -> bytes:
        if self.skips:
            _, newline, data = data.partition(b"\n")
            self.skips = not newline
        data = self.rest + data if self.rest else data
        end = data.rfind(b"\n") + 1
        whole, rest = data[:end], data[end:]
        if has_long(whole):
            whole = b"".join([b"".join(cut(line)) + b"\n" for line in whole[:-1].split(b"\n")])
        *begun, self.rest = cut(rest)
        return b"".join([whole, *begun]) if begun else whole

    def end(self) -> bytes:
        """Nothing comes any more: a last line without its end gets one."""
        last, self.rest, self.skips = self.rest, b"", False
        return last + b"\n" if last else b""

    def gap(self, ends: int, whole: bool) -> int:
        """So many ends of lines are missing, and what was lost ended with one or not: how many lines that costs."""
        self.rest = b""
        self.skips = not whole
        return ends + self.skips


def has_long(whole: bytes) -> bool:
    """Looks at as many places as there are lines of the greatest length."""
    begin = 0
    while len(whole) - begin > LONGEST + 1:
        begin = whole.rfind(b"\n", begin, begin + LONGEST + 1) + 1
        if not begin:
            return True
    return False


def cut(line: bytes) -> list[bytes]:
    """A line without its end: parts of which none is too long, all but the last with an end; no character torn."""
    parts = []
    while len(line) > LONGEST:
        place = LONGEST
        while place > LONGEST - 4 and line[place] & 0xC0 == 0x80:
            place -= 1
        parts.append(line[:place] + CUT)
        line = CONTINUED + line[place:]
    return [*parts, line]
