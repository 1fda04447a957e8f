"""A request whose head is here as a whole and has nothing special about it: most are so. Everything else is None here,
and for a parser that knows all of HTTP; whatever is in doubt goes there too."""

from __future__ import annotations

import re
from functools import lru_cache

import msgspec

from llamaswap_py.wire.headers import SAME_HEADS

LARGEST_HEAD = 8 * 1024  # bytes
MOST_FIELDS = 64

END = b"\r\n\r\n"
LINE = re.compile(rb"POST (/[A-Za-z0-9._~/-]*) HTTP/1\.1\r\n")
FIELD = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]++):[ \t]*+((?:[\x21-\x7e]++(?:[ \t]++[\x21-\x7e]++)*)?)[ \t]*\r\n")
LENGTH = re.compile(rb"\r\ncontent-length: ?([0-9]{1,9})\r\n", re.IGNORECASE)
# They say how the body or the connection is to be understood.
SPECIAL = {b"content-encoding", b"expect", b"proxy-connection", b"te", b"trailer", b"transfer-encoding", b"upgrade"}


class Known(msgspec.Struct, frozen=True, eq=False):
    """What a head says, but for the length of its body. One is made for all that are the same."""

    path: str
    before: tuple[tuple[bytes, bytes], ...]  # the fields as they were written, in order
    length: bytes  # the name of that which says the length
    after: tuple[tuple[bytes, bytes], ...]


class Simple(msgspec.Struct, frozen=True):
    known: Known
    length: bytes  # as it was written
    body: bytes  # what is here of it
    lacks: int  # bytes of it that are still to come: many a client sends head and body one by one


def simple(data: bytes) -> Simple | None:
    end = data.find(END, 0, LARGEST_HEAD)
    length = LENGTH.search(data, 0, end + 2) if end >= 0 else None
    if length is None:
        return None
    lacks = int(length[1]) - (len(data) - end - len(END))
    if lacks < 0:
        return None
    known = known_head(data[: length.start(1)] + data[length.end(1) : end + 2])
    return None if known is None else Simple(known, length[1], data[end + len(END) :], lacks)


@lru_cache(SAME_HEADS)
def known_head(head: bytes) -> Known | None:
    """None where anything is special. A caller writes the same one but for the length of its body."""
    line = LINE.match(head)
    fields = fields_of(head, line.end()) if line is not None else None
    if line is None or fields is None:
        return None
    names = [name.lower() for name, _ in fields]
    if len(set(names)) < len(names) or b"host" not in names or not SPECIAL.isdisjoint(names):
        return None
    if b"connection" in names and fields[names.index(b"connection")][1].lower() != b"keep-alive":
        return None
    at = names.index(b"content-length")
    return Known(line[1].decode(), tuple(fields[:at]), fields[at][0], tuple(fields[at + 1 :]))


def fields_of(head: bytes, at: int) -> list[tuple[bytes, bytes]] | None:
    """From there on; None where one is not as all write them."""
    fields: list[tuple[bytes, bytes]] = []
    while at < len(head):
        field = FIELD.match(head, at)
        if field is None or len(fields) == MOST_FIELDS:
            return None
        fields.append((field[1], field[2]))
        at = field.end()
    return fields
