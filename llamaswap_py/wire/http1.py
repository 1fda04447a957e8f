"""Reads one HTTP/1 answer of a model's server from bytes in any chunking: head, body, end.

Strict where leniency would let two readers disagree about where a message ends. A breach is a value (`fault`)."""

from __future__ import annotations

import re
from functools import lru_cache

from llamaswap_py.errors import UpstreamFailed
from llamaswap_py.wire.headers import BODILESS, SAME_HEADS, Head

HEAD_LIMIT = 64 * 1024  # all heads of one answer together, so that endless 1xx end too
USUAL_HEAD = 2 * 1024  # longer ones are not remembered
HEAD_END = b"\r\n\r\n"
LINE_LIMIT = 4 * 1024  # a chunk-size line with its extensions; 18 bytes would do for honest servers

STATUS = re.compile(rb"HTTP/1\.([01]) ([1-9][0-9]{2})(?: ([^\r\n\x00]*+))?")
FIELDS = re.compile(rb"(?:[!#$%&'*+\-.^_`|~0-9A-Za-z]++:[^\r\n\x00]*+\r\n)*")
SIZE_LINE = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(?:;[^\r\n\x00]*)?")


class Stage:
    """Where in an answer the reader is. Plain numbers: on Python 3.11 a member of an Enum takes long to look up."""

    HEAD = 0
    SIZE = 1  # of a chunk
    CHUNK = 2
    CHUNK_END = 3
    TRAILER = 4
    LENGTH = 5  # body of known length
    CLOSE = 6  # body until close
    DONE = 7


BETWEEN_CHUNKS, DONE = Stage.SIZE, Stage.DONE


class Reader:
    """One answer. `feed` returns the body bytes it found; the rest is told by the attributes."""

    __slots__ = (
        "_bodiless",
        "_left",
        "_sized",
        "_spent",
        "_upgrade",
        "fault",
        "head",
        "kept",
        "length",
        "stage",
        "surplus",
    )

    def __init__(self, method: str, upgrade: bool = False) -> None:
        self.head: Head | None = None
        self.length: int | None = None  # the announced one
        self.surplus = False  # bytes came after the end: the connection cannot be trusted further
        self.fault: UpstreamFailed | None = None
        self._bodiless = method == "HEAD"
        self._upgrade = upgrade  # asked for: then all that follows a 101 is body
        self.kept = b""  # an unfinished head or line
        self._left = 0  # body bytes still to come, of the chunk or of the whole
        self._spent = 0  # head or trailer bytes so far, against HEAD_LIMIT
        self._sized = True  # the body says where it ends
        self.stage = Stage.HEAD

    @property
    def done(self) -> bool:
        return self.stage == DONE

    @property
    def reusable(self) -> bool:
        """The connection may carry another request."""
        if self.head is None or self.stage != DONE or self.surplus or self.fault:
            return False
        return self._sized and self.head.persistent

    def feed(self, data: bytes) -> bytes:
        """Take what came; return the body bytes in it, in order."""
        if self.stage == Stage.HEAD and not (self._spent or self.kept or self._bodiless):
            end = data.find(HEAD_END, 0, USUAL_HEAD)
            if end >= 0 and (usual := _usual(data[:end])) is not None:
                head, length = usual
                if len(data) - end - len(HEAD_END) == length:  # most answers that are no streams come in one read
                    self.head, self.length, self.stage = head, length, Stage.DONE
                    return data[end + len(HEAD_END) :]
        body: list[bytes] = []
        if self.kept:
            data, self.kept = self.kept + data, b""
        at, end = 0, len(data)
        while at < end and self.fault is None:
            at = self._step(data, at, body)
        return b"".join(body)

    def rest_of_chunk(self) -> int:
        """How many bytes are still to come of the chunk that was begun, its end included."""
        if self.stage == Stage.CHUNK:
            return self._left + 2
        return 2 - len(self.kept) if self.stage == Stage.CHUNK_END else 0

    def within_length(self, data: bytes) -> bool:
        """Count `data` as body if all of it is, and more is to come; it can then be handed on as it is."""
        if self.stage != Stage.LENGTH or len(data) >= self._left:
            return False
        self._left -= len(data)
        return True

    def end(self) -> None:
        """The server closed the connection in an orderly way."""
        if self.stage == Stage.CLOSE:
            self.stage = Stage.DONE
        elif self.head is None:
            self._fail("closed the connection before it answered")
        elif not self.done:
            self._fail("closed the connection in the middle of its answer")

    def _fail(self, what: str) -> None:
        self.fault = UpstreamFailed(f"the model's server {what}")

    def _step(self, data: bytes, at: int, body: list[bytes]) -> int:
        """One step of the grammar, from `at`; returns where the next one begins."""
        match self.stage:
            case Stage.HEAD:
                return self._head(data, at)
            case Stage.CHUNK | Stage.LENGTH:
                body.append(data[at : at + self._left])
                return self._counted(data, at)
            case Stage.CLOSE:
                body.append(data[at:])
            case Stage.DONE:
                self.surplus = True
            case _:
                return self._line(data, at)
        return len(data)

    def _counted(self, data: bytes, at: int) -> int:
        counted = min(self._left, len(data) - at)
        self._left -= counted
        if not self._left:
            self.stage = Stage.CHUNK_END if self.stage == Stage.CHUNK else Stage.DONE
        return at + counted

    def _line(self, data: bytes, at: int) -> int:
        """Every line but those of a head: they may be long in sum, never each."""
        end = data.find(b"\r\n", at, at + LINE_LIMIT + 2)
        line = data[at : end if end >= 0 else at + LINE_LIMIT + 2]
        if b"\n" in line or len(line) > LINE_LIMIT:
            self._fail("sent a malformed chunk")
        elif end < 0:
            self.kept = line
            return len(data)
        elif self.stage == Stage.SIZE:
            self._size(line)
        elif self.stage == Stage.TRAILER:
            self._trailer(line)
        elif line:
            self._fail("sent a chunk longer than it said")
        else:
            self.stage = Stage.SIZE
        return end + 2

    def _size(self, line: bytes) -> None:
        found = SIZE_LINE.fullmatch(line)
        if found is None:
            self._fail("sent a chunk size that is none")
            return
        self._left = int(found[1], 16)
        self.stage = Stage.CHUNK if self._left else Stage.TRAILER
        self._spent = 0

    def _trailer(self, line: bytes) -> None:
        """Trailers are dropped: merged into a head they could change what the message means."""
        self._spent += len(line)
        if self._spent > HEAD_LIMIT:
            self._fail("sent trailers without end")
        elif not line:
            self.stage = Stage.DONE

    def _head(self, data: bytes, at: int) -> int:
        end = data.find(HEAD_END, at)
        block = data[at : end if end >= 0 else len(data)]
        self._spent += len(block)
        if self._spent > HEAD_LIMIT:
            self._fail("sent a head over 64 KiB")
        elif end < 0:
            self._spent -= len(block)
            self.kept = block
            return len(data)
        elif (head := parse_head(block)) is None:
            self._fail("sent a head that is not HTTP/1")
        elif head.status >= 200:
            self._begin(head)
        elif head.status == 101:
            self._switch(head)
        return end + len(HEAD_END)  # all else is interim: swallowed

    def _switch(self, head: Head) -> None:
        if self._upgrade:
            self.head, self._sized, self.stage = head, False, Stage.CLOSE
        else:
            self._fail("changed the protocol without being asked")

    def _begin(self, head: Head) -> None:
        wrong, length, chunked = _announced(head)
        if wrong:
            self._fail(wrong)
            return
        self.head, self.length = head, length
        if self._bodiless or head.status in BODILESS or length == 0:
            self.stage = Stage.DONE
        elif length is not None:
            self._left, self.stage = length, Stage.LENGTH
        else:
            self.stage = Stage.SIZE if chunked else Stage.CLOSE
            self._sized = chunked


@lru_cache(SAME_HEADS)
def _announced(head: Head) -> tuple[str, int | None, bool]:
    """Of a body: what is wrong with its framing (empty where nothing is), its length, whether it comes in chunks."""
    lengths, codings = set(head.words(b"content-length")), head.words(b"transfer-encoding")
    wrong = _length_fault(lengths, codings, head)
    return wrong, int(lengths.pop()) if lengths and not wrong else None, bool(codings)


@lru_cache(SAME_HEADS)
def _usual(block: bytes) -> tuple[Head, int] | None:
    """The head of an answer with a body of so many bytes; None of any other."""
    head = _same_head(block)
    if head is None or head.status < 200 or head.status in BODILESS:
        return None
    wrong, length, _ = _announced(head)
    return None if wrong or not length else (head, length)


def _length_fault(lengths: set[bytes], codings: list[bytes], head: Head) -> str:
    """What is wrong with the announced length; empty where nothing is."""
    if lengths and codings:
        return "sent both Content-Length and Transfer-Encoding"
    if len(lengths) > 1:
        return "sent two different lengths"
    if any(not length.isdigit() or len(length) > 18 for length in lengths):
        return "sent a length that is not a number"
    if codings and (codings != [b"chunked"] or head.version < (1, 1)):
        return "sent a transfer coding other than chunked"
    return ""


def parse_head(block: bytes) -> Head | None:
    """Status line and fields, without the empty line; None where it is not strictly HTTP/1."""
    return _same_head(block) if len(block) <= USUAL_HEAD else _fresh_head(block)


def _fresh_head(block: bytes) -> Head | None:
    first, _, lines = block.partition(b"\r\n")
    status = STATUS.fullmatch(first)
    lines += b"\r\n" if lines else b""
    if status is None or FIELDS.fullmatch(lines) is None:
        return None
    return Head((1, int(status[1])), int(status[2]), status[3] or b"", lines.split(b"\r\n")[:-1])


_same_head = lru_cache(SAME_HEADS)(_fresh_head)
