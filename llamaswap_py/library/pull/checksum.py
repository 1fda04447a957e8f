"""Whether a file is what the hub has: by the hash that large file storage gives it, or by git's."""

from __future__ import annotations

import hashlib
from typing import Protocol

from llamaswap_py.library.pull.choice import RemoteFile
from llamaswap_py.library.pull.troubles import PullFailed, Trouble


class Digest(Protocol):
    def update(self, data: bytes, /) -> None: ...
    def hexdigest(self) -> str: ...


def new_digest(file: RemoteFile) -> Digest:
    if file.sha256 or not file.blob:
        return hashlib.sha256()
    return hashlib.sha1(f"blob {file.size}\0".encode(), usedforsecurity=False)


def is_right(file: RemoteFile, digest: Digest) -> bool:
    return not file.identity or digest.hexdigest() == file.identity


def wrong(file: RemoteFile) -> PullFailed:
    return PullFailed(
        Trouble.WRONG_CHECKSUM,
        f"What came as {file.path} is not what the hub has: its checksum is wrong. It was thrown away. Try again; if it"
        " happens twice, something between here and the hub changes it.",
    )
