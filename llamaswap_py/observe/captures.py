"""What was asked and answered, whole, for the last few requests: bounded, compressed, secrets blacked out.

Made and read in the recorder's thread."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from llamaswap_py.observe.redaction import redacted
from llamaswap_py.wire.window import unchunked

# Below it compressing costs more time than it saves room.
WORTH_COMPRESSING = 2 * 1024
FASTEST = 1  # a page looks at few of them; the time is taken from the requests' own cores

NO_ANSWER = ("/v1/audio/speech", "/v1/images/generations", "/sdapi/v1/txt2img")
NO_REQUEST = ("/v1/audio/transcriptions", "/v1/audio/voices")
HEADS_ONLY = ("/v1/images/edits", "/sdapi/v1/img2img")


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as it went to the model's server."""

    headers: Sequence[tuple[str, str]]
    body: bytes | None  # None: too long to keep, or never held


class Capture(msgspec.Struct, array_like=True):
    path: str
    asked_headers: dict[str, str]
    asked: bytes | None
    answered_headers: dict[str, str]
    answered: bytes | None
    framed: bool = False  # the answer is in chunks still: whoever looks at it takes them apart


def capture_of(
    path: str, asked: Asked, answered_headers: Sequence[tuple[str, str]], answered: bytes | None, framed: bool = False
) -> Capture:
    """Without what is sound and pictures. The answer is plain by now, so its encoding is not told."""
    headers = redacted(answered_headers)
    for name in [name for name in headers if name.lower() == "content-encoding"]:
        del headers[name]
    return Capture(
        path,
        redacted(asked.headers),
        None if path in NO_REQUEST + HEADS_ONLY else asked.body,
        headers,
        None if path in NO_ANSWER + HEADS_ONLY else answered,
        framed,
    )


class Captures:
    """`limit` bytes in all, as they are kept; 0: none are kept."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.kept: dict[int, bytes] = {}
        self.size = 0

    def __contains__(self, row: int) -> bool:
        return row in self.kept

    def resize(self, limit: int) -> None:
        self.limit = limit
        self.make_room(0)

    def keep(self, row: int, capture: Capture) -> bool:
        """False where this one alone is larger than all that may be kept."""
        packed = msgspec.msgpack.encode(capture)
        data = b"z" + zlib.compress(packed, FASTEST) if len(packed) > WORTH_COMPRESSING else b"p" + packed
        if len(data) > self.limit:
            return False
        self.make_room(len(data))
        self.kept[row] = data
        self.size += len(data)
        return True

    def make_room(self, size: int) -> None:
        """The oldest go first."""
        while self.kept and self.size + size > self.limit:
            self.size -= len(self.kept.pop(next(iter(self.kept))))

    def find(self, row: int) -> dict[str, Any] | None:
        """In the shape of `/api/captures/<id>`."""
        data = self.kept.get(row)
        if data is None:
            return None
        packed = zlib.decompress(data[1:]) if data[:1] == b"z" else data[1:]
        capture = msgspec.msgpack.decode(packed, type=Capture)
        answered = capture.answered
        return {
            "id": row,
            "req_path": capture.path,
            "req_headers": capture.asked_headers,
            "req_body": text_of(capture.asked),
            "resp_headers": capture.answered_headers,
            "resp_body": text_of(unchunked(answered) if answered and capture.framed else answered),
        }


def text_of(body: bytes | None) -> str | None:
    return None if body is None else base64.b64encode(body).decode()
