"""What ended lately."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from llamaswap_py.observe.alike import Alike
from llamaswap_py.observe.rows import Row, Wanted
from llamaswap_py.observe.store import Store
from llamaswap_py.observe.written import LAST_ID

LOOKED_THROUGH = 20_000  # for one that goes by an id: there is no index by it


class Lately(NamedTuple):
    finished: int = 0
    failed: int = 0
    first_byte: float | None = None  # seconds until an answer began, in the mean


class Second(msgspec.Struct):
    """What ended within one."""

    finished: int = 0
    failed: int = 0
    answered: int = 0
    first_bytes: float = 0.0  # seconds of those, together


class Ended:
    """Since the start, and within so many seconds. Counted by the second, so that a question costs the same however
    much there was."""

    def __init__(self, within: int) -> None:
        self.within = within
        self.seconds: dict[int, Second] = {}  # by when they were, in unix seconds

    def see(self, those: Alike) -> None:
        row = those.one
        second = self.seconds.get(row.created)
        if second is None:
            self.seconds = {at: each for at, each in self.seconds.items() if at >= row.created - self.within}
            second = self.seconds[row.created] = Second()
        second.finished += those.count
        second.failed += those.count if row.fate >= 500 else 0
        answered = list(filter(None, those.details.first_byte))
        second.answered += len(answered)
        second.first_bytes += sum(answered)

    def lately(self, now: float) -> Lately:
        those = [each for at, each in self.seconds.items() if now - self.within <= at <= now]
        answered = sum(each.answered for each in those)
        first_byte = sum(each.first_bytes for each in those) / answered if answered else None
        return Lately(sum(each.finished for each in those), sum(each.failed for each in those), first_byte)


def of_request(store: Store, request: str) -> Row | None:
    """The newest that went by that id. Asked in the recorder's thread."""
    found = store.database.execute(
        "SELECT id FROM activity_details WHERE request = ? AND id > ? ORDER BY id DESC LIMIT 1",
        (request, store.one(LAST_ID) - LOOKED_THROUGH),
    ).fetchone()
    rows = [] if found is None else store.page(Wanted(min_id=found[0], max_id=found[0])).rows
    return rows[0] if rows else None
