"""Old rows are taken out of the file in small steps, in the recorder's thread, between what it writes down."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable

from llamaswap_py.observe.spreads import forget
from llamaswap_py.observe.store import Store

STEP = 500  # rows that one step takes away: some milliseconds, and then others have their turn
PRUNE_SECONDS = 60.0  # between two looks for rows that are too old or too many,
NEXT_STEP_SECONDS = 0.05  # and between two steps of taking them away: a million rows go in two minutes


class Pruning:
    """`say` hears what went wrong."""

    def __init__(self, say: Callable[[str], object]) -> None:
        self.say = say
        self.due = 0.0  # by the monotonic clock

    def left(self, store: Store) -> float | None:
        """Seconds until the next step; None where nothing is ever taken away."""
        bounds = store.bounds
        if not store.path or not (bounds.age or bounds.size):
            return None
        return max(0.0, self.due - time.monotonic())

    def step(self, store: Store) -> None:
        try:
            more = prune(store, time.time())
        except sqlite3.Error as error:
            self.say(f"cannot take old rows out of {store.path}: {error}")
            more = False
        self.due = time.monotonic() + (NEXT_STEP_SECONDS if more else PRUNE_SECONDS)


def used(store: Store) -> int:
    """Bytes of the file that hold something; what was taken away is used again first."""
    pages = store.one("PRAGMA page_count") - store.one("PRAGMA freelist_count")
    return int(pages * store.one("PRAGMA page_size"))


def prune(store: Store, now: float) -> bool:
    """One step, of the oldest; True where there is more to take away. `now`: unix seconds."""
    if not store.path:
        return False
    bounds = store.bounds
    over = bool(bounds.size) and used(store) > bounds.size
    old = int(now - bounds.age) if bounds.age else -1
    found = store.database.execute(
        "SELECT id FROM activity ORDER BY id LIMIT ?"
        if over
        else "SELECT id FROM activity WHERE ts_created < ? ORDER BY ts_created, id LIMIT ?",
        (STEP,) if over else (old, STEP),
    ).fetchall()
    if not found:
        return False
    with store.transaction():
        forget(store, [number for (number,) in found])
        for table in ("activity", "activity_details", "activity_captures"):
            store.database.executemany(f"DELETE FROM {table} WHERE id = ?", found)  # noqa: S608  # constants only
    store.captured = store.one("SELECT COALESCE(SUM(size), 0) FROM activity_captures")
    return over or len(found) == STEP
