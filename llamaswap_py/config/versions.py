"""Earlier texts of the configuration's files: how one is named and described, and which of many are kept."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import Any

import msgspec

MOST_OF_A_FILE = 100
MOST_BYTES = 16 << 20
NAME = re.compile(r"[0-9]{16}-[0-9a-f]{12}")  # microseconds since 1970, and the beginning of its tag


class Version(msgspec.Struct, frozen=True):
    """All but the text of one."""

    id: str
    file: str
    at: float  # seconds since 1970
    by: str  # start: it was there; edit: somebody saved it; page: the page did; restore: an earlier one was taken
    tag: str
    size: int  # bytes
    changes: Mapping[str, Any] | None = None  # what it changed when it came into force; None: not known
    restored: str = ""  # the version that was taken


def tag_of(text: bytes) -> str:
    """The same for the same bytes only."""
    return sha256(text).hexdigest()


def name_of(at: float, tag: str) -> str:
    return f"{int(at * 1_000_000):016d}-{tag[:12]}"


def last_of(versions: Iterable[Version], file: str) -> Version | None:
    return max((each for each in versions if each.file == file), key=lambda each: each.id, default=None)


def surplus(versions: Iterable[Version], most: int = MOST_OF_A_FILE, most_bytes: int = MOST_BYTES) -> list[Version]:
    """The oldest, where there are too many of one file, or they are too large together. The last of each file stays."""
    newest_first = sorted(versions, key=lambda each: each.id, reverse=True)
    counts: dict[str, int] = {}
    size, gone = 0, []
    for each in newest_first:
        counts[each.file] = counts.get(each.file, 0) + 1
        size += each.size
        if counts[each.file] > 1 and (counts[each.file] > most or size > most_bytes):
            gone.append(each)
            size -= each.size
    return gone
