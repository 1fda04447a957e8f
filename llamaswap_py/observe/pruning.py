"""What the file needs from time to time, in small steps, in the recorder's thread, between what it writes down: old
rows are taken out, new ones are counted for the sums."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable

from llamaswap_py.observe.spreads import count_on, forget
from llamaswap_py.observe.store import Store

STEP = 500  # rows that one step takes away, or counts: some milliseconds, and then others have their turn
PRUNE_SECONDS = 60.0  # between two looks for rows that are too old or too many,
NEXT_STEP_SECONDS = 0.05  # and between two steps of taking them away: a million rows go in two minutes
NEXT_COUNT_SECONDS = 1.0  # who asks for sums before the counting has come so far waits for the rest of it


class Pruning:
    """`say` hears what went wrong."""

    def __init__(self, say: Callable[[str], object]) -> None:
        self.say = say
        self.due = 0.0  # by the monotonic clock

    def left(self, store: Store) -> float | None:
        """Seconds until the next step; None where there is no file."""
        return max(0.0, self.due - time.monotonic()) if store.path else None

    def step(self, store: Store) -> None:
        pause = PRUNE_SECONDS
        try:
            if prune(store, time.time()):
                pause = NEXT_STEP_SECONDS
            elif count_on(store, STEP):
                pause = NEXT_COUNT_SECONDS
        except sqlite3.Error as error:
            self.say(f"cannot take old rows out of {store.path}, or count new ones: {error}")
        self.due = time.monotonic() + pause


def used(store: Store) -> int:
    """Bytes of the file that hold something; what was taken away is used again first."""
    pages = store.one("PRAGMA page_count") - store.one("PRAGMA freelist_count")
    return int(pages * store.one("PRAGMA page_size"))


def prune(store: Store, now: float) -> bool:
    """One step, of the oldest; True where there is more to take away. `now`: unix seconds."""
    if not store.path:
        return False
    bounds = store.bounds
    if not (bounds.age or bounds.size):
        return False
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
