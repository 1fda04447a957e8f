"""Questions after what ended lately. Asked in the recorder's thread; each looks at the newest rows only."""

from __future__ import annotations

from typing import NamedTuple

from llamaswap_py.errors import STATUSES
from llamaswap_py.observe.rows import Row, Wanted
from llamaswap_py.observe.store import Store
from llamaswap_py.observe.written import LAST_ID

FAILURES = ", ".join(sorted(f"'{code}'" for code, status in STATUSES.items() if status >= 500))
LOOKED_THROUGH = 20_000  # for one that goes by an id: there is no index by it


class Lately(NamedTuple):
    finished: int = 0
    failed: int = 0
    first_byte: float | None = None  # seconds until an answer began, in the mean


def lately(store: Store, start: int) -> Lately:
    """Since then, in unix seconds."""
    found = store.database.execute(
        f"SELECT COUNT(*), TOTAL(resp_status_code >= 500 OR code IN ({FAILURES})), AVG(NULLIF(first_byte, 0))"  # noqa: S608
        " FROM activity LEFT JOIN activity_details USING (id) WHERE ts_created >= ?",
        (start,),
    ).fetchone()
    return Lately(found[0], int(found[1]), found[2])


def of_request(store: Store, request: str) -> Row | None:
    """The newest that went by that id."""
    found = store.database.execute(
        "SELECT id FROM activity_details WHERE request = ? AND id > ? ORDER BY id DESC LIMIT 1",
        (request, store.one(LAST_ID) - LOOKED_THROUGH),
    ).fetchone()
    rows = [] if found is None else store.page(Wanted(min_id=found[0], max_id=found[0])).rows
    return rows[0] if rows else None
