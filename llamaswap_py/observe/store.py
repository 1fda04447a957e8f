"""Questions to rows in SQLite, in llama-swap's tables: in memory, or in a file that either program can open.

Everything here belongs to the one thread that made the store. No question walks through all rows: a page asks them."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from itertools import repeat
from typing import Any

from llamaswap_py.observe import tables
from llamaswap_py.observe.indexes import COUNTED, UNSORTED, are_few, prepare
from llamaswap_py.observe.rows import (
    COLUMNS,
    DETAILS,
    UNKNOWN,
    Details,
    Page,
    Row,
    Wanted,
    column_of,
    conditions,
    order,
    row_of,
    table_of,
)
from llamaswap_py.observe.written import USUAL, Bounds, Written

LARGEST = 2**63 - 1  # of SQLite's integers
DEEP = 10_000  # rows to be stepped over
COUNTS = ("total_requests", "total_input_tokens", "total_output_tokens", "total_cache_tokens")


class Store(Written):
    """What stands in the tables, for whoever asks."""

    def __init__(self, path: str = "", bounds: Bounds = USUAL) -> None:
        super().__init__(path, bounds)
        self.is_busy: Callable[[], bool] = lambda: False  # there is more to do than what takes long
        try:
            self.captured = self.one("SELECT COALESCE(SUM(size), 0) FROM activity_captures")
        except sqlite3.Error:
            self.close()
            raise

    def one(self, question: str, values: Sequence[object] = ()) -> Any:
        [found] = self.database.execute(question, values).fetchone()
        return found

    # -- what is asked

    def page(self, wanted: Wanted) -> Page:
        if self.path:
            prepare(self.database, wanted, self.is_busy)
            wanted = wanted._replace(few=are_few(self.database, wanted))
        total = self.total(wanted)
        offset = min((wanted.page - 1) * wanted.limit, LARGEST)
        limit = min(wanted.limit, total - offset)
        if limit <= 0:
            return Page([], total)
        if offset > DEEP and column_of(wanted) == "id" and wanted.min_id is None and wanted.max_id is None:
            wanted = wanted._replace(start=0)  # the same rows; but the index by time is small, and steps over many
        # The way to a row behind the middle is shorter from the end.
        back = offset > total // 2 and not wanted.narrow
        where, values = conditions(wanted)
        if self.walks(wanted, offset + limit, total):
            where = where.replace("model_id", "+model_id")  # so that SQLite does not sort all that the models have
        found = self.database.execute(
            f"SELECT id FROM {table_of(wanted)}{where} ORDER BY {order(wanted, wanted.descending != back)}"  # noqa: S608
            " LIMIT ? OFFSET ?",
            (*values, limit, total - offset - limit if back else offset),
        )
        ids = [number for (number,) in found]
        return Page(self.rows(ids[::-1] if back else ids), total)

    def walks(self, wanted: Wanted, needed: int, total: int) -> bool:
        """Whether a walk along the order finds the models' rows sooner than their own index and a sort of all."""
        if not self.path or not wanted.models or column_of(wanted) in UNSORTED:
            return False
        return needed * self.total(Wanted()) < total * total

    def before(self, wanted: Wanted, number: int, limit: int) -> list[Row]:
        """The next rows below an id, the newest first: a walk through all of them, in steps."""
        where, values = conditions(wanted._replace(max_id=min(number - 1, wanted.max_id or number)))
        found = self.database.execute(f"SELECT id FROM activity{where} ORDER BY id DESC LIMIT ?", (*values, limit))  # noqa: S608
        return self.rows([number for (number,) in found])

    def rows(self, ids: Sequence[int]) -> list[Row]:
        details = self.details(ids)
        marks = ", ".join(repeat("?", len(ids)))
        found = self.database.execute(f"SELECT {COLUMNS}, id FROM activity WHERE id IN ({marks})", ids)  # noqa: S608
        rows = {values[-1]: row_of(values, details.get(values[-1], UNKNOWN)) for values in found}
        return [rows[number] for number in ids]

    def details(self, ids: Sequence[int]) -> Mapping[int, Details]:
        marks = ", ".join(repeat("?", len(ids)))
        found = self.database.execute(f"SELECT id, {DETAILS} FROM activity_details WHERE id IN ({marks})", ids)  # noqa: S608
        return {values[0]: Details(*values[1:]) for values in found}

    def total(self, wanted: Wanted) -> int:
        """How many there are. In a file the days count themselves; only their ends are looked at."""
        where, values = conditions(wanted)
        if wanted.narrow:
            few = f"SELECT COUNT(*) FROM (SELECT 1 FROM {table_of(wanted, counting=True)}{where} LIMIT ?)"  # noqa: S608
            return int(self.one(few, (*values, COUNTED)))
        if not self.path or wanted.min_id is not None or wanted.max_id is not None:
            return int(self.one(f"SELECT COUNT(*) FROM activity{where}", values))  # noqa: S608
        first = None if wanted.start is None else -(-wanted.start // tables.DAY)
        after = None if wanted.end is None else (wanted.end + 1) // tables.DAY
        if first is not None and after is not None and first >= after:
            return int(self.one(f"SELECT COUNT(*) FROM activity{where}", values))  # noqa: S608
        whole = conditions(Wanted(wanted.models, first, None if after is None else after - 1))
        days = whole[0].replace("ts_created", "day")
        found = self.one(f"SELECT COALESCE(SUM(requests), 0) FROM activity_days{days}", whole[1])  # noqa: S608
        if first is not None:
            found += self.counted(Wanted(wanted.models, wanted.start, first * tables.DAY - 1))
        if after is not None:
            found += self.counted(Wanted(wanted.models, after * tables.DAY, wanted.end))
        return int(found)

    def counted(self, wanted: Wanted) -> int:
        where, values = conditions(wanted)
        return int(self.one(f"SELECT COUNT(*) FROM activity{where}", values))  # noqa: S608

    def sums(self, model: str = "") -> dict[str, int]:
        """Over all rows."""
        where, values = conditions(Wanted(models=(model,) if model else ()))
        kept = "SUM(requests)" if self.path else "COUNT(*)"
        sums = self.database.execute(
            f"SELECT {kept}, TOTAL(input_tokens), TOTAL(output_tokens), TOTAL(MAX(cache_tokens, 0))"  # noqa: S608
            f" FROM {'activity_days' if self.path else 'activity'}{where}",
            values,
        ).fetchone()
        return {name: int(value or 0) for name, value in zip(COUNTS, sums, strict=True)}

    # -- captures in the file

    def keep_captures(self, captures: Sequence[tuple[int, bytes]]) -> None:
        """The oldest make room. One that alone is larger than all that may be kept is left out."""
        kept = [(number, len(data), data) for number, data in captures if len(data) <= self.bounds.captures]
        with self.transaction():
            self.database.executemany("INSERT OR REPLACE INTO activity_captures VALUES (?, ?, ?)", kept)
            captured = self.captured + sum(size for _, size, _ in kept)
            oldest = self.database.execute("SELECT id, size FROM activity_captures ORDER BY id")
            over = []
            while captured > self.bounds.captures:
                number, size = oldest.fetchone()
                captured -= size
                over.append((number,))
            oldest.close()
            self.database.executemany("DELETE FROM activity_captures WHERE id = ?", over)
        self.captured = captured

    def capture(self, number: int) -> bytes | None:
        found = self.database.execute("SELECT data FROM activity_captures WHERE id = ?", (number,)).fetchone()
        return found[0] if found else None

    def captured_of(self, ids: Sequence[int]) -> set[int]:
        marks = ", ".join(repeat("?", len(ids)))
        found = self.database.execute(f"SELECT id FROM activity_captures WHERE id IN ({marks})", ids)  # noqa: S608
        return {number for (number,) in found}
