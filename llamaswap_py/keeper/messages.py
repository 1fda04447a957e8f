"""What the proxy and the keeper say to each other: JSON objects, each behind its length. Pure.

A lone surrogate stands for a byte that is no UTF-8 (as `os.fsencode` has it) and travels as an escape.
"""

from __future__ import annotations

import json

TYPE_CHECKING = False  # spares the keeper the import of `typing`
if TYPE_CHECKING:
    from typing import Any

    Message = dict[str, Any]

PREFIX = 4  # bytes of length, big-endian
LONGEST = 64 * 1024 * 1024  # a command with its environment is bounded by the kernel far below this


def encode(message: Message) -> bytes:
    body = json.dumps(message, separators=(",", ":")).encode("ascii")
    return len(body).to_bytes(PREFIX, "big") + body


class Reader:
    """Whole messages out of bytes cut anywhere."""

    __slots__ = ("rest",)

    def __init__(self) -> None:
        self.rest = bytearray()

    def feed(self, data: bytes) -> list[Message]:
        self.rest += data
        found: list[Message] = []
        while (end := self.end()) is not None:
            found.append(json.loads(self.rest[PREFIX:end]))
            del self.rest[:end]
        return found

    def end(self) -> int | None:
        """Where the first message ends, once all of it is here."""
        if len(self.rest) < PREFIX:
            return None
        length = int.from_bytes(self.rest[:PREFIX], "big")
        if length > LONGEST:
            raise ValueError(f"a message of {length} bytes is longer than any we send")
        return PREFIX + length if len(self.rest) >= PREFIX + length else None
