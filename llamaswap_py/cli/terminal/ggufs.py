"""The headers of a model's files: of one, or of all that a split model has beside each other."""

from __future__ import annotations

import re
from pathlib import Path

from llamaswap_py.gguf import memory
from llamaswap_py.gguf.header import Broken, Header, HeaderError, read_header

PART = re.compile(r"(?P<stem>.+)-(?P<number>\d{5})-of-(?P<count>\d{5})\.gguf")


class Unusable(Exception):
    """The file is no model that can be looked at; the message is for the person."""


def files_of(path: Path) -> list[Path]:
    """All parts in their order, whichever of them was named."""
    part = PART.fullmatch(path.name)
    if part is None:
        return [path]
    count = int(part["count"])
    files = [path.with_name(f"{part['stem']}-{number:05}-of-{count:05}.gguf") for number in range(1, count + 1)]
    missing = [file.name for file in files if not file.exists()]
    if missing and path.exists():
        raise Unusable(f"{path}: the model has {count} files, and {', '.join(missing)} is not there.")
    return files or [path]


def read(path: Path) -> Header:
    try:
        with path.open("rb") as file:

            def piece(offset: int, size: int) -> bytes:
                file.seek(offset)
                return file.read(size)

            header = read_header(piece)
            length, said = path.stat().st_size, length_of(header)
    except OSError as error:
        raise Unusable(f"{path}: it cannot be read: {error.strerror}.") from error
    except HeaderError as error:
        raise Unusable(f"{path}: {error}.") from error
    if length < said:
        raise Unusable(f"{path}: of {said} bytes only {length} are there. Is it still being copied?")
    return header


def length_of(header: Header) -> int:
    """0 where it cannot be told: a tensor may be of a type newer than this program."""
    try:
        return memory.file_size(header)
    except Broken:
        return 0
