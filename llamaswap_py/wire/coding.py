"""Compressed bodies: what they say, up to a limit, so that a few bytes cannot become a full memory."""

from __future__ import annotations

import zlib

from llamaswap_py.errors import BadRequest, BodyTooLarge

CODINGS = frozenset({"gzip", "x-gzip", "deflate"})

# zlib's own numbers: 32 + 15 tells gzip and zlib apart by their first bytes, -15 is deflate without a head.
GZIP_OR_ZLIB = 47
BARE = -15

# What stands behind the end of a text is copied each time one ends: of many tiny ones that must not be all the rest.
PIECE = 8 * 1024


def inflated(body: bytes, limit: int) -> bytes:
    """The text of a gzip or deflate body, in one piece or several behind each other."""
    windows = GZIP_OR_ZLIB if headed(body) else BARE
    plain: list[bytes] = []
    room, at, view = limit, 0, memoryview(body)
    reader = zlib.decompressobj(windows)
    try:
        while at < len(body):
            if reader.eof:
                reader = zlib.decompressobj(windows)
            piece = view[at : at + PIECE]
            plain.append(reader.decompress(piece, room + 1))
            room -= len(plain[-1])
            if room < 0:
                raise too_large(limit)
            at += len(piece) - len(reader.unused_data)
    except zlib.error as mistake:
        raise BadRequest(f"the request body cannot be decompressed: {mistake}") from mistake
    if body and not reader.eof:
        raise BadRequest("the compressed request body is cut off")
    return b"".join(plain)


def too_large(limit: int) -> BodyTooLarge:
    return BodyTooLarge(
        f"the request body is larger than {limit} bytes when decompressed: raise maxBodySize in the configuration"
    )


def headed(body: bytes) -> bool:
    """Whether it begins as gzip or zlib do; what many servers call deflate is sent without a head."""
    if body[:2] == b"\x1f\x8b":
        return True
    return len(body) >= 2 and body[0] & 0x0F == 8 and (body[0] << 8 | body[1]) % 31 == 0
