"""A multipart form as it comes: finds the short fields that routing asks for, and where their values stand.

Nothing is held but an unfinished line; what is not asked for is passed over. Offsets count from the first byte."""

from __future__ import annotations

import re
from collections.abc import Collection

import msgspec

HEAD_LIMIT = 16 * 1024  # of one part
VALUE_LIMIT = 4 * 1024  # of a field that is asked for: names are short
PADDING_LIMIT = 256  # blanks that may stand behind a boundary

BOUNDARY = re.compile(r"""(?i);\s*boundary\s*=\s*(?:"([^"\r\n]{1,70})"|([^\s";,]{1,70}))""")
PARAMETER = re.compile(rb"""(?i);\s*(name|filename\*?)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s";]+))""")
DISPOSITION = re.compile(rb"(?im)^content-disposition[ \t]*:(.*)$")
LINE_END = re.compile(rb"[ \t]*\r\n")
PERHAPS_LINE_END = re.compile(rb"[ \t]*\r?|-")


class Field(msgspec.Struct, frozen=True):
    value: str
    start: int  # of its value
    end: int


def boundary_of(content_type: str) -> bytes | None:
    found = BOUNDARY.search(content_type)
    return (found[1] or found[2]).encode("latin-1", "replace") if found else None


class Reader:
    """Feed it, then look at `fields`, `done` and `fault`."""

    def __init__(self, boundary: bytes, wanted: Collection[str]) -> None:
        self.fields: dict[str, Field] = {}  # of each wanted name the first
        self.done = False  # the closing boundary has come; what follows means nothing
        self.fault = ""
        self._mark = b"\r\n--" + boundary
        self._wanted = wanted
        self._kept = b"\r\n"  # so that the first boundary looks like the others
        self._kept_at = -2
        self._in_head = False
        self._name = ""  # of the field whose value is being read
        self._value = b""
        self._start = 0

    def feed(self, data: bytes) -> None:
        data, self._kept = self._kept + data, b""
        at = 0
        while at < len(data) and not self.done and not self.fault:
            at = self._head(data, at) if self._in_head else self._body(data, at)
        self._kept_at += len(data) - len(self._kept)

    def _wait(self, data: bytes, at: int) -> int:
        self._kept = data[at:]
        return len(data)

    def _body(self, data: bytes, at: int) -> int:
        """Up to the next boundary; the text before the first one is a body that nobody asks for."""
        found = data.find(self._mark, at)
        if found < 0:
            safe = max(at, len(data) - len(self._mark) + 1)
            self._take(data[at:safe])
            return self._wait(data, safe)
        self._take(data[at:found])
        after = found + len(self._mark)
        if data[after : after + 2] == b"--":
            self._close(found)
            self.done = True
            return len(data)
        line = LINE_END.match(data, after)
        if line is not None:
            self._close(found)
            self._in_head = True
            return line.end() - 2  # an empty head ends at once
        if PERHAPS_LINE_END.fullmatch(data, after) and len(data) - after <= PADDING_LIMIT:
            return self._wait(data, found)
        self._take(data[found:after])  # it only began like a boundary
        return after

    def _head(self, data: bytes, at: int) -> int:
        end = data.find(b"\r\n\r\n", at)
        if (end if end >= 0 else len(data)) - at > HEAD_LIMIT:
            self.fault = "the head of a part is too long"
        if end < 0:
            return self._wait(data, at)
        self._in_head = False
        name = field_name(data[at:end])
        self._name = name if name in self._wanted and name not in self.fields else ""
        self._value = b""
        self._start = self._kept_at + end + 4
        return end + 4

    def _take(self, data: bytes) -> None:
        if not self._name:
            return
        self._value += data
        if len(self._value) > VALUE_LIMIT:
            self.fault = f"the field {self._name} is longer than {VALUE_LIMIT} bytes"

    def _close(self, at: int) -> None:
        if self._name and not self.fault:
            self.fields[self._name] = Field(self._value.decode("utf-8", "replace"), self._start, self._kept_at + at)
        self._name = ""


def field_name(head: bytes) -> str:
    """The name of a part that is a plain field; empty for files and what has no name."""
    found = DISPOSITION.search(head)
    parameters = PARAMETER.findall(found[1]) if found else []
    named: dict[bytes, bytes] = {name.lower(): quoted or bare for name, quoted, bare in parameters}
    if b"filename" in named or b"filename*" in named:
        return ""
    return named.get(b"name", b"").decode("utf-8", "replace")


class Splice:
    """Puts other bytes in place of `start` to `end` of what passes."""

    def __init__(self, start: int, end: int, new: bytes) -> None:
        self.start = start
        self.end = end
        self.new = new
        self.at = 0

    @property
    def growth(self) -> int:
        return len(self.new) - (self.end - self.start)

    def feed(self, data: bytes) -> bytes:
        first, last = self.start - self.at, self.end - self.at
        begins_here = 0 <= first < len(data)
        self.at += len(data)
        return data[: max(first, 0)] + (self.new if begins_here else b"") + data[max(last, 0) :]
