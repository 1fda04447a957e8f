"""What the proxy and the keeper say to each other: dictionaries, each behind its length. Pure.

Both are the same interpreter's, so they travel as that one marshals them: in a swap, when neither has run for a while,
JSON would cost more than twice as much, and the new server waits for it.

A lone surrogate stands for a byte that is no UTF-8 (as `os.fsencode` has it) and travels as it is.
"""

from __future__ import annotations

import marshal

TYPE_CHECKING = False  # spares the keeper the import of `typing`
if TYPE_CHECKING:
    from typing import Any

    Message = dict[str, Any]

PREFIX = 4  # bytes of length, big-endian
PLAIN = 2  # marshal's version: from the third on it looks for what stands twice
LONGEST = 64 * 1024 * 1024  # a command with its environment is bounded by the kernel far below this


def encode(message: Message) -> bytes:
    body = pack(message)
    return len(body).to_bytes(PREFIX, "big") + body


def pack(message: Message) -> bytes:
    """One that needs no length: all of it is there at once."""
    return marshal.dumps(message, PLAIN)


def unpack(body: bytes | bytearray) -> Message:
    message: Message = marshal.loads(body)  # noqa: S302 - from our own other half
    return message


class Reader:
    """Whole messages out of bytes cut anywhere."""

    __slots__ = ("rest",)

    def __init__(self) -> None:
        self.rest = bytearray()

    def feed(self, data: bytes) -> list[Message]:
        self.rest += data
        found: list[Message] = []
        while (end := self.end()) is not None:
            found.append(unpack(self.rest[PREFIX:end]))
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
