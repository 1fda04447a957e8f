"""One finished request as a row, its columns, and the questions after rows. Values and SQL text; no database."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import repeat
from types import MappingProxyType
from typing import Any, NamedTuple

import msgspec

from llamaswap_py.errors import STATUSES
from llamaswap_py.wire.usage import NOTHING, Usage

COLUMNS = (
    "ts_created, model_id, req_path, resp_content_type, resp_status_code, cache_tokens, draft_tokens, draft_acc_tokens,"
    " input_tokens, output_tokens, prompt_per_second, tokens_per_second, duration_ms, error_msg, metadata_json"
)
AT_ONCE = 60  # rows of one statement: older SQLite takes 999 values
FIRST_FAILURE = 400
FAILED = f"resp_status_code >= {FIRST_FAILURE}"
SORTS = {
    "id": "id",
    "time": "ts_created",
    "model": "model_id",
    "req_path": "req_path",
    "resp_status_code": "resp_status_code",
    "resp_content_type": "resp_content_type",
    "cached": "cache_tokens",
    "prompt": "input_tokens",
    "generated": "output_tokens",
    "drafted": "draft_tokens",
    "prompt_speed": "prompt_per_second",
    "gen_speed": "tokens_per_second",
    "duration": "duration_ms",
}


class Details(NamedTuple):
    """What llama-swap's table has no column for. Times in seconds; 0, or nothing, where it did not come to that."""

    api: str = ""  # the dialect
    caller: str = ""  # which of the configured keys, never a key
    address: str = ""
    session: str = ""
    request: str = ""  # the id it went by
    run: int = 0  # of the model; counted from the program's start
    queued: float = 0.0  # for room and for a seat,
    loading: float = 0.0  # and for the model to load
    first_byte: float = 0.0  # from its arrival to the first byte of the answer
    mean_gap: float = 0.0  # between two events of a stream
    bytes: int = 0  # to the caller, heads and framing included
    phase: str = ""  # how far the answer got
    closed_by: str = ""  # who ended it before its end
    code: str = ""  # of the refusal
    longest_gap: float = 0.0  # between two pieces of a stream


UNKNOWN = Details()
DETAILS = ", ".join(Details._fields)


class Insert(NamedTuple):
    one: str
    many: str  # AT_ONCE of them


def insert(words: str, columns: str) -> Insert:
    row = f"({', '.join('?' * len(columns.split(',')))})"
    return Insert(f"{words} ({columns}) VALUES {row}", f"{words} ({columns}) VALUES {', '.join(repeat(row, AT_ONCE))}")


INSERT = insert("INSERT INTO activity", f"id, {COLUMNS}")
INSERT_DETAILS = insert("INSERT OR REPLACE INTO activity_details", f"id, {DETAILS}")


class Row(NamedTuple):
    """One finished request."""

    created: int  # unix seconds
    model: str
    path: str
    content_type: str
    status: int
    usage: Usage = NOTHING
    duration_ms: int = 0
    error: str = ""
    metadata: Mapping[str, str] = MappingProxyType({})
    id: int = 0  # the store gives it
    details: Details = UNKNOWN

    @property
    def fate(self) -> int:
        """The status; of an answer that broke off after its beginning that of what ended it."""
        return max(self.status, STATUSES.get(self.details.code, 0))


class Wanted(NamedTuple):
    """Which rows, in which order, and which page of them."""

    models: tuple[str, ...] = ()
    start: int | None = None  # unix seconds, inclusive, as all bounds are
    end: int | None = None
    min_id: int | None = None
    max_id: int | None = None
    limit: int = 25
    page: int = 1
    sort: str = "id"
    descending: bool = True
    paths: tuple[str, ...] = ()
    status: tuple[int, int] | None = None  # from, to
    callers: tuple[str, ...] = ()
    apis: tuple[str, ...] = ()
    text: str = ""  # how the request's id or its session begins
    few: bool = False  # it is known that few are of these callers or dialects

    @property
    def narrow(self) -> bool:
        """It asks for what nobody has counted beforehand."""
        return bool(self.paths or self.status or self.callers or self.apis or self.text)


class Page(NamedTuple):
    rows: list[Row]
    total: int


def conditions(wanted: Wanted) -> tuple[str, list[object]]:
    """The WHERE of a query; nothing the caller wrote stands in its text."""
    bounds = {
        "ts_created >= ?": wanted.start,
        "ts_created <= ?": wanted.end,
        "id >= ?": wanted.min_id,
        "id <= ?": wanted.max_id,
    }
    parts = [part for part, bound in bounds.items() if bound is not None]
    values: list[object] = [bound for bound in bounds.values() if bound is not None]
    if wanted.models:
        parts.append(f"model_id IN ({', '.join('?' * len(wanted.models))})")
        values += wanted.models
    for part, more in narrowing(wanted):
        parts.append(part)
        values += more
    return (f" WHERE {' AND '.join(parts)}" if parts else "", values)


def narrowing(wanted: Wanted) -> Iterator[tuple[str, Sequence[object]]]:
    """What only a look at the rows tells, or at their details."""
    if wanted.paths:
        yield f"req_path IN ({', '.join('?' * len(wanted.paths))})", wanted.paths
    if wanted.status:
        # Said as it stands in the index of failures, which is used only then.
        failed = f"{FAILED} AND " if wanted.status[0] >= FIRST_FAILURE else ""
        yield f"{failed}resp_status_code BETWEEN ? AND ?", wanted.status
    if wanted.text:
        # It asks for few: they are found first, each by an index of its own.
        bounds = wanted.text, f"{wanted.text}\U0010ffff"
        found = [f"SELECT id FROM activity_details WHERE {name} BETWEEN ? AND ?" for name in ("request", "session")]  # noqa: S608
        yield f"id IN ({' UNION '.join(found)})", (*bounds, *bounds)
    for name, values in (("caller", wanted.callers), ("api", wanted.apis)):
        if not values:
            continue
        marks = ", ".join("?" * len(values))
        theirs = f"SELECT id FROM activity_details d WHERE d.{name} IN ({marks})"  # noqa: S608
        yield (f"id IN ({theirs})" if wanted.few else f"EXISTS ({theirs} AND d.id = activity.id)"), values


def table_of(wanted: Wanted, counting: bool = False) -> str:
    """Who asks for few by their names gets them by their ids, and not by a walk in the order of the page. Many are
    counted as they lie in the file."""
    failed = wanted.status is not None and wanted.status[0] >= FIRST_FAILURE
    found = wanted.models or failed or wanted.start is not None or wanted.end is not None
    return "activity NOT INDEXED" if wanted.text or wanted.few or (counting and not found) else "activity"


def column_of(wanted: Wanted) -> str:
    """Ids grow with time: where an index by time finds the rows, it also says their order."""
    column = SORTS[wanted.sort]
    if column == "model_id" and len(wanted.models) == 1:
        column = "id"  # it is the same everywhere
    bounded = wanted.models or wanted.start is not None or wanted.end is not None or wanted.narrow
    return "ts_created" if column == "id" and bounded else column


def order(wanted: Wanted, descending: bool) -> str:
    column = column_of(wanted)
    way = "DESC" if descending else "ASC"
    return f"id {way}" if column == "id" else f"{column} {way}, id {way}"


def values_of(number: int, row: Row) -> tuple[object, ...]:
    usage = row.usage
    return (
        number,
        row.created,
        row.model,
        row.path,
        row.content_type,
        row.status,
        usage.cached,
        usage.drafted,
        usage.accepted,
        usage.input,
        usage.output,
        usage.prompt_speed,
        usage.speed,
        row.duration_ms,
        row.error,
        msgspec.json.encode(dict(row.metadata)).decode() if row.metadata else "",
    )


def row_of(values: Sequence[Any], details: Details = UNKNOWN) -> Row:
    usage = Usage(
        cached=values[5],
        drafted=values[6],
        accepted=values[7],
        input=values[8],
        output=values[9],
        prompt_speed=values[10],
        speed=values[11],
    )
    return Row(
        created=values[0],
        model=values[1],
        path=values[2],
        content_type=values[3],
        status=values[4],
        usage=usage,
        duration_ms=values[12],
        error=values[13],
        metadata=json.loads(values[14] or "{}"),
        id=values[15],
        details=details,
    )
