"""Compressed bodies, opened: gzip and deflate, up to a bound."""

from __future__ import annotations

import zlib

GZIP = 16 + zlib.MAX_WBITS
ZLIB = zlib.MAX_WBITS
RAW = -zlib.MAX_WBITS


class NotInflated(Exception):
    """The body could not be opened; the sentence says why."""


def inflated(encoding: str, data: bytes, limit: int) -> bytes:
    """The plain bytes; of an encoding that is not ours to open, the bytes as they are."""
    match encoding.strip().lower():
        case "gzip" | "x-gzip":
            return _opened(data, GZIP, limit)
        case "deflate":
            # The word means zlib's format; half the world sends it without the wrapping.
            return _opened(data, ZLIB if _is_zlib(data) else RAW, limit)
        case _:
            return data


def _is_zlib(data: bytes) -> bool:
    return len(data) >= 2 and data[0] & 0x0F == 8 and (data[0] << 8 | data[1]) % 31 == 0


def _opened(data: bytes, bits: int, limit: int) -> bytes:
    opened: list[bytes] = []
    size = 0
    while data:
        reader = zlib.decompressobj(bits)
        try:
            opened.append(reader.decompress(data, limit - size + 1))
        except zlib.error as error:
            raise NotInflated(str(error)) from error
        size += len(opened[-1])
        if size > limit:
            raise NotInflated(f"it holds more than {limit} bytes")
        if not reader.eof:
            raise NotInflated("it ends too early")
        data = reader.unused_data if bits == GZIP else b""  # gzip may go on with another member
    return b"".join(opened)
