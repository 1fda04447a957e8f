"""Indexes of the records' file that somebody's question makes: whoever asks in some way once does so again.

While one is made no row is written down; if too many come meanwhile, it is left for another time."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import suppress

from llamaswap_py.observe.rows import Wanted, column_of

COUNTED = 10_000  # rows of a narrow question, at most: beyond it nobody turns pages
LOOK_EVERY = 10_000  # instructions of SQLite's machine: a millisecond
UNSORTED = ("id", "ts_created")  # there are indexes in this order already


def prepare(database: sqlite3.Connection, wanted: Wanted, is_busy: Callable[[], bool]) -> None:
    known = {name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'index'")}
    for name, what in needed(wanted).items():
        if name not in known:
            make(database, f"CREATE INDEX {name} ON {what}", is_busy)


def needed(wanted: Wanted) -> dict[str, str]:
    column = column_of(wanted)
    found = {} if column in UNSORTED else {f"idx_activity_{column}": f"activity ({column}, id)"}
    asked = {"request": wanted.text, "session": wanted.text, "caller": wanted.callers, "api": wanted.apis}
    return found | {f"idx_details_{name}": f"activity_details ({name}, id)" for name, what in asked.items() if what}


def make(database: sqlite3.Connection, index: str, is_busy: Callable[[], bool]) -> None:
    database.set_progress_handler(is_busy, LOOK_EVERY)
    try:
        with suppress(sqlite3.OperationalError):  # broken off, or another program holds the file: it goes without
            database.execute(index)
    finally:
        database.set_progress_handler(None, 0)


def are_few(database: sqlite3.Connection, wanted: Wanted) -> bool:
    """Of these callers, or dialects."""
    for name, values in (("caller", wanted.callers), ("api", wanted.apis)):
        marks = ", ".join("?" * len(values))
        some = f"SELECT COUNT(*) FROM (SELECT 1 FROM activity_details WHERE {name} IN ({marks}) LIMIT ?)"  # noqa: S608
        if values and database.execute(some, (*values, COUNTED)).fetchone() < (COUNTED,):
            return True
    return False
