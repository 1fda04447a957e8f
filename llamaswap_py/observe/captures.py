"""What was asked and answered, whole, for the last few requests: bounded, compressed, secrets blacked out.

Kept and looked at in the recorder's thread."""

from __future__ import annotations

import base64
import time
import zlib
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from llamaswap_py.observe.redaction import redacted, redacted_answer
from llamaswap_py.wire.headers import Head
from llamaswap_py.wire.window import Piece, unchunked

# Below it compressing costs more time than it saves room.
WORTH_COMPRESSING = 3 * 1024
BETWEEN = ": "  # a field's name and its value
HEADS = 1024  # what the fields of both sides take, about
FASTEST = 1  # a page looks at few of them; the time is taken from the requests' own cores
# As many bytes a second are compressed, and as many at once: several long answers a second. Of more, all that is
# compressed would be pushed out by the next ones before anybody could look; what stays can wait for a quiet moment.
COMPRESSED_A_SECOND, COMPRESSED_AT_ONCE = 1024 * 1024, 128 * 1024
FEW = 2  # so many of a size must fit uncompressed, else it is compressed whatever the hurry

NO_ANSWER = ("/v1/audio/speech", "/v1/images/generations", "/sdapi/v1/txt2img")
NO_REQUEST = ("/v1/audio/transcriptions", "/v1/audio/voices")
HEADS_ONLY = ("/v1/images/edits", "/sdapi/v1/img2img")


# What is kept for long is nothing that the interpreter's search for garbage has to walk through: `gc=False`, and texts
# in tuples.


class Asked(msgspec.Struct, frozen=True, gc=False):
    """A request as it went to the model's server."""

    headers: tuple[tuple[str, str], ...]
    body: bytes | None  # None: too long to keep, or never held


class Capture(msgspec.Struct, frozen=True, gc=False):
    """One request and its answer as they passed. The answer is plain; `framed`: in the framing of its chunks."""

    path: str
    asked: Asked
    answer: Head
    answered: bytes | None
    framed: bool = False


class Dense(msgspec.Struct, frozen=True, gc=False):
    """A capture as it is kept where it is not compressed: its fields are one text, which is a third in memory."""

    path: str
    fields: str
    asked: bytes | None
    answer: Head
    answered: Sequence[Piece]  # the pieces of it; none: it is not kept
    framed: bool
    size: int  # about

    def whole(self) -> Capture:
        pairs = (line.partition(BETWEEN) for line in self.fields.split("\n") if line)
        asked = Asked(tuple((name, value) for name, _, value in pairs), self.asked)
        answered = b"".join(self.answered) if self.answered else None
        return Capture(self.path, asked, self.answer, answered, self.framed)


def dense(path: str, asked: Asked, answer: Head, answered: Sequence[Piece], framed: bool = False) -> Dense:
    """In any thread."""
    fields = "\n".join(map(BETWEEN.join, asked.headers))
    size = HEADS + len(asked.body or b"") + sum(map(len, answered))
    return Dense(path, fields, asked.body, answer, answered, framed, size)


class Shown(msgspec.Struct, array_like=True):
    """A capture as it may be shown: without secrets, sounds and pictures."""

    path: str
    asked_headers: dict[str, str]
    asked: bytes | None
    answered_headers: dict[str, str]
    answered: bytes | None
    framed: bool = False  # whoever looks at it takes the chunks apart


def shown(capture: Capture) -> Shown:
    """The answer's encoding is not told: it is plain by now."""
    path = capture.path
    headers = redacted_answer(capture.answer)
    for name in [name for name in headers if name.lower() == "content-encoding"]:
        del headers[name]
    return Shown(
        path,
        redacted(capture.asked.headers),
        None if path in NO_REQUEST + HEADS_ONLY else capture.asked.body,
        headers,
        None if path in NO_ANSWER + HEADS_ONLY else capture.answered,
        capture.framed,
    )


class Captures:
    """`limit` bytes in all, as they are kept; 0: none are kept. Small ones are kept as they came: few are looked at. So
    are those that come too fast to be compressed, until there is time: as long fewer fit."""

    def __init__(self, limit: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.limit = limit
        self.kept: OrderedDict[int, bytes | Dense] = OrderedDict()  # a dict would look for its first one ever longer
        self.size = 0
        self.clock = clock
        self.allowed = float(COMPRESSED_AT_ONCE)  # bytes that may be compressed now
        self.looked = clock()

    def __contains__(self, row: int) -> bool:
        return row in self.kept

    def resize(self, limit: int) -> None:
        self.limit = limit
        self.make_room(0)

    def keep(self, row: int, capture: Dense) -> bool:
        """False where this one alone is larger than all that may be kept."""
        kept: bytes | Dense = capture
        size = capture.size
        if size > WORTH_COMPRESSING and (self.has_time(size) or FEW * size > self.limit):
            kept = packed(capture.whole())
            size = len(kept)
        if size > self.limit:
            return False
        if self.size + size > self.limit:
            self.make_room(size)
        self.kept[row] = kept
        self.size += size
        return True

    def has_time(self, size: int) -> bool:
        """To compress so many bytes; then they are counted."""
        now = self.clock()
        self.allowed = min(COMPRESSED_AT_ONCE, self.allowed + COMPRESSED_A_SECOND * (now - self.looked))
        self.looked = now
        if self.allowed < size:
            return False
        self.allowed -= size
        return True

    def compress(self, until: Callable[[], bool]) -> None:
        """What was kept in a hurry, one after the other, as long as nothing else is to be done."""
        for row, hurried in list(self.kept.items()):
            if not isinstance(hurried, Dense) or hurried.size <= WORTH_COMPRESSING:
                continue
            if until():
                return
            small = packed(hurried.whole())
            self.kept[row] = small
            self.size += len(small) - hurried.size

    def make_room(self, size: int) -> None:
        """The oldest go first."""
        while self.kept and self.size + size > self.limit:
            self.size -= size_of(self.kept.popitem(last=False)[1])

    def find(self, row: int) -> dict[str, Any] | None:
        """In the shape of `/api/captures/<id>`."""
        kept = self.kept.get(row)
        return None if kept is None else found(row, kept)


def found(row: int, kept: bytes | Dense) -> dict[str, Any]:
    """In the shape of `/api/captures/<id>`."""
    capture = shown(kept.whole()) if isinstance(kept, Dense) else SHOWN.decode(zlib.decompress(kept))
    answered = capture.answered
    return {
        "id": row,
        "req_path": capture.path,
        "req_headers": capture.asked_headers,
        "req_body": text_of(capture.asked),
        "resp_headers": capture.answered_headers,
        "resp_body": text_of(unchunked(answered) if answered and capture.framed else answered),
    }


def packed(capture: Capture) -> bytes:
    """As it may be shown, and small: secrets are gone before it is kept anywhere."""
    return zlib.compress(msgspec.msgpack.encode(shown(capture)), FASTEST)


SHOWN = msgspec.msgpack.Decoder(Shown)


def size_of(kept: bytes | Dense) -> int:
    return kept.size if isinstance(kept, Dense) else len(kept)


def text_of(body: bytes | None) -> str | None:
    return None if body is None else base64.b64encode(body).decode()
