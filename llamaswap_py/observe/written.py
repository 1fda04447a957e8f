"""How rows get into their tables: at once into a file, and into memory when somebody asks for them.

Everything here belongs to the one thread that made it."""

from __future__ import annotations

import sqlite3
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import NamedTuple

from llamaswap_py.observe import tables
from llamaswap_py.observe.rows import AT_ONCE, INSERT, INSERT_DETAILS, Insert, Row, values_of

BUSY_MS = 5000  # how long another program may hold the file before a row is given up
UNWRITTEN = (sqlite3.Error, ValueError, OverflowError)  # also of a value that SQLite cannot hold
MOST_LATE = 4096  # rows in memory that stand in no table yet

# The largest that ever was, also of rows that are gone.
LAST_ID = "SELECT COALESCE((SELECT seq FROM sqlite_sequence WHERE name = 'activity'), 0)"


class Bounds(NamedTuple):
    """What a file may hold; 0: as much as there is. In memory the newest `keep` rows are held."""

    keep: int = 1000
    age: float = 0.0  # seconds
    size: int = 0  # bytes in use
    captures: int = 0  # bytes of what was asked and answered; 0: none


USUAL = Bounds()


def unheard(count: int, error: Exception) -> None:
    """Until somebody listens."""


class Written:
    """A file, or memory where `path` is empty."""

    def __init__(self, path: str = "", bounds: Bounds = USUAL) -> None:
        self.path = path
        self.bounds = bounds
        if path:
            Path(path).parent.mkdir(parents=True, exist_ok=True)
        self.lost: Callable[[int, Exception], object] = unheard  # so many rows could not be written
        self.late: deque[tuple[int, Row]] = deque()  # rows that stand in no table yet, with their ids
        self.last = 0  # the id of the newest of them
        self.opened = sqlite3.connect(path or ":memory:", isolation_level=None, timeout=BUSY_MS / 1000)
        try:
            if path:
                self.opened.execute("PRAGMA journal_mode = WAL").fetchone()
            tables.make(self.opened, sums=bool(path))
        except sqlite3.Error:
            self.opened.close()
            raise

    def close(self) -> None:
        self.opened.close()

    @property
    def database(self) -> sqlite3.Connection:
        """With every row in its tables."""
        if self.late:
            self.write_late()
        return self.opened

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All of it, or nothing and an error."""
        self.opened.execute("BEGIN IMMEDIATE")
        try:
            yield
            self.opened.execute("COMMIT")
        except UNWRITTEN:
            if self.opened.in_transaction:
                self.opened.execute("ROLLBACK")
            raise

    def add(self, rows: Sequence[Row]) -> list[int]:
        """Their ids, in order. All of them are stored, or none and an error."""
        if not self.path:
            return self.remember(rows)
        with self.transaction():
            [last] = self.opened.execute(LAST_ID).fetchone()
            ids = list(range(last + 1, last + 1 + len(rows)))
            self.insert(ids, rows)
        return ids

    def insert(self, ids: Sequence[int], rows: Sequence[Row]) -> None:
        self.insert_into(INSERT, list(map(values_of, ids, rows)))
        self.insert_into(INSERT_DETAILS, [(number, *row.details) for number, row in zip(ids, rows, strict=True)])

    def insert_into(self, table: Insert, rows: Sequence[tuple[object, ...]]) -> None:
        """Many in one step: before each the interpreter is let go, and asked for again behind it, while the loop is at
        work with it."""
        single = len(rows) % AT_ONCE
        for start in range(single, len(rows), AT_ONCE):
            self.opened.execute(table.many, list(chain.from_iterable(rows[start : start + AT_ONCE])))
        self.opened.executemany(table.one, rows[:single])

    def remember(self, rows: Sequence[Row]) -> list[int]:
        """In memory most are pushed out by newer ones before anybody asks for them: those cost no table anything."""
        ids = list(range(self.last + 1, self.last + 1 + len(rows)))
        self.last += len(rows)
        late = self.late
        late.extend(zip(ids, rows, strict=True))
        for _ in range(len(late) - self.bounds.keep):
            late.popleft()
        if len(late) > MOST_LATE:
            self.write_late()
        return ids

    def write_late(self) -> None:
        """One that cannot be written costs itself only."""
        late = list(self.late)
        self.late.clear()
        try:
            self.insert_late(late)
        except UNWRITTEN:
            for one in late:
                try:
                    self.insert_late([one])
                except UNWRITTEN as error:
                    self.lost(1, error)

    def insert_late(self, late: Sequence[tuple[int, Row]]) -> None:
        with self.transaction():
            self.insert([number for number, _ in late], [row for _, row in late])
            for table in ("activity", "activity_details"):
                self.opened.execute(f"DELETE FROM {table} WHERE id <= ?", (self.last - self.bounds.keep,))  # noqa: S608
