"""A GGUF file's header as values: what is written about the model, and which tensors there are. No tensor is read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import msgspec

from llamaswap_py.gguf.cursor import Broken, Cursor, HeaderError, NotGguf, Read, Truncated
from llamaswap_py.gguf.kinds import ARRAY, BOOL, SCALARS, STRING

__all__ = ["Broken", "Header", "HeaderError", "NotGguf", "Read", "Skipped", "Tensor", "Truncated", "read_header"]

MAGIC = b"GGUF"
VERSIONS = (2, 3)  # 1 was used for some weeks of 2023, and llama.cpp does not read it any more
KEPT_NUMBERS = 4096  # one for each layer is kept, one for each token is not
KEPT_TEXTS = 64  # tags and languages are kept, tokens are not
MOST_DIMENSIONS = 4
LARGEST_ALIGNMENT = 1 << 20


class Skipped(msgspec.Struct, frozen=True):
    """An array too long to be of interest."""

    length: int


Value = int | float | bool | str | tuple[int | float | bool | str, ...] | Skipped


class Tensor(NamedTuple):
    name: str
    shape: tuple[int, ...]
    kind: int
    offset: int  # from where the tensors begin

    @property
    def elements(self) -> int:
        count = 1
        for size in self.shape:
            count *= size
        return count


class Header(msgspec.Struct, frozen=True):
    version: int
    metadata: Mapping[str, Value]
    tensors: tuple[Tensor, ...]
    data_offset: int  # where in the file the tensors begin


def read_header(read: Read) -> Header:
    """Raises NotGguf, Truncated or Broken, and nothing else but what `read` itself raises."""
    cursor = Cursor(read)
    try:
        return read_all(cursor)
    except HeaderError:
        if not cursor.has_leapt:
            raise
    return read_all(Cursor(read, may_leap=False))


def read_all(cursor: Cursor) -> Header:
    version = read_version(cursor)
    tensor_count, count = cursor.number("Q"), cursor.number("Q")
    metadata = read_metadata(cursor, count)
    tensors = read_tensors(cursor, tensor_count)
    step = alignment(metadata)
    end = -(-cursor.offset // step) * step
    if cursor.has_leapt and not tensors and cursor.read(end, 1):
        raise Broken("more follows a header without tensors")  # so it was no key that we leapt to
    return Header(version, metadata, tensors, end)


def read_version(cursor: Cursor) -> int:
    cursor.move(0)
    start = cursor.data[:4]
    if start != MAGIC[: len(start)]:
        raise NotGguf(f"this is no GGUF file: it begins with {start!r}")
    cursor.need(8)
    cursor.at = 4
    cursor.order = "<" if cursor.data[4:6] != b"\0\0" else ">"  # big-endian machines write their own order
    version = cursor.number("I")
    if version not in VERSIONS:
        raise Broken(f"the file is of version {version} of the GGUF format; versions 2 and 3 can be read")
    return version


def read_metadata(cursor: Cursor, count: int) -> dict[str, Value]:
    metadata: dict[str, Value] = {}
    for _ in range(count):
        key = cursor.text()
        if key in metadata:
            raise Broken(f"the header is broken: {key[:200]!r} is given twice")
        metadata[key] = read_value(cursor, cursor.number("I"))
    return metadata


def read_value(cursor: Cursor, kind: int) -> Value:
    if kind == STRING:
        return cursor.text()
    if kind == ARRAY:
        return read_array(cursor)
    value = cursor.unpack(layout(cursor, kind))[0]
    return bool(value) if kind == BOOL else value


def read_array(cursor: Cursor) -> Value:
    kind, length = cursor.number("I"), cursor.number("Q")
    if kind == STRING:
        if length <= KEPT_TEXTS:
            return tuple(cursor.text() for _ in range(length))
        cursor.skip_texts(length)
        return Skipped(length)
    letter = layout(cursor, kind)
    if length <= KEPT_NUMBERS:
        values = cursor.unpack(f"{length}{letter}")
        return tuple(map(bool, values)) if kind == BOOL else values
    cursor.skip(length * SIZES[letter])
    return Skipped(length)


SIZES = {"B": 1, "b": 1, "H": 2, "h": 2, "I": 4, "i": 4, "f": 4, "Q": 8, "q": 8, "d": 8}


def layout(cursor: Cursor, kind: int) -> str:
    letter = SCALARS.get(kind)
    if letter is None:
        raise Broken(f"the header is broken: at byte {cursor.offset} stands a value of the unknown type {kind}")
    return letter


def read_tensors(cursor: Cursor, count: int) -> tuple[Tensor, ...]:
    tensors = []
    for _ in range(count):
        name, dimensions = cursor.text(), cursor.number("I")
        if dimensions > MOST_DIMENSIONS:
            raise Broken(f"the header is broken: the tensor {name[:200]!r} has {dimensions} dimensions")
        *shape, kind, offset = map(int, cursor.unpack(f"{dimensions}QIQ"))
        tensors.append(Tensor(name, tuple(shape), kind, offset))
    return tuple(tensors)


def alignment(metadata: Mapping[str, Value]) -> int:
    """A power of two."""
    step = metadata.get("general.alignment", 32)
    if not isinstance(step, int) or not 0 < step <= LARGEST_ALIGNMENT or step & (step - 1):
        raise Broken(f"the header is broken: its alignment is {step!r}")
    return step
