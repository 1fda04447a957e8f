"""Cards of files, read once for as long as a file stays the same."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from llamaswap_py.gguf.header import HeaderError, NotGguf, Truncated, read_header
from llamaswap_py.library.cards import card
from llamaswap_py.library.files import Card, File, Illegible, Trouble

Mark = tuple[int, float, tuple[int, int]]


class Headers:
    def __init__(self) -> None:
        self.known: dict[str, tuple[Mark, Card | Illegible]] = {}

    def read(self, files: Iterable[File]) -> dict[str, Card | Illegible]:
        """What is not on the shelves any more is forgotten."""
        self.known = {file.path: (mark(file), self.of(file)) for file in files}
        return {path: found for path, (_, found) in self.known.items()}

    def of(self, file: File) -> Card | Illegible:
        before, found = self.known.get(file.path, (None, None))
        # Rights and disks recover without the file changing.
        lasting = found is not None and not (isinstance(found, Illegible) and found.trouble is Trouble.UNREADABLE)
        return found if found is not None and lasting and before == mark(file) else read(file.path)


def mark(file: File) -> Mark:
    return file.size, file.changed, file.identity


def read(path: str) -> Card | Illegible:
    try:
        with Path(path).open("rb") as file:

            def piece(offset: int, size: int) -> bytes:
                file.seek(offset)
                return file.read(size)

            return card(read_header(piece))
    except OSError as error:
        return Illegible(Trouble.UNREADABLE, f"it cannot be read: {error.strerror}")
    except NotGguf as error:
        return Illegible(Trouble.FOREIGN, str(error))
    except Truncated as error:
        return Illegible(Trouble.TRUNCATED, str(error))
    except HeaderError as error:
        return Illegible(Trouble.BROKEN, str(error))
