"""Rows to take away: as CSV or as JSON, a few hundred at a time from the recorder's thread, however many there are."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Sequence

import msgspec
from aiohttp import hdrs, web

from llamaswap_py.observe.activity import Recorder
from llamaswap_py.observe.rows import Row, Wanted
from llamaswap_py.observe.store import LARGEST, Store
from llamaswap_py.server.finished import shown

STEP = 500  # rows: some milliseconds, and then those that ended meanwhile are written down

TOKENS = (
    "input_tokens",
    "output_tokens",
    "cache_tokens",
    "draft_tokens",
    "draft_acc_tokens",
    "prompt_per_second",
    "tokens_per_second",
)
PLAIN = ("id", "timestamp", "model", "req_path", "resp_status_code", "resp_content_type", "duration_ms")
DETAILS = (
    *("api", "caller", "address", "session", "request", "run", "queued_ms", "loading_ms", "first_byte_ms"),
    *("mean_gap_ms", "longest_gap_ms", "bytes", "phase", "closed_by", "code"),
)
COLUMNS = (*PLAIN, *TOKENS, *DETAILS, "error_msg")
FORMULAS = ("=", "+", "-", "@", "\t", "\r")  # what a table calculates with, if a cell begins so


def csv_of(rows: Iterable[Row], first: bool) -> bytes:
    out = io.StringIO()
    table = csv.writer(out)
    if first:
        table.writerow(COLUMNS)
    for row in rows:
        told = shown(row, False)
        flat = {**told, **told["tokens"], **told.get("details", {})}
        table.writerow([harmless(flat.get(name, "")) for name in COLUMNS])
    return out.getvalue().encode("utf-8", "replace")


def harmless(cell: object) -> object:
    """A text that a caller chose is no formula in anybody's table."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(FORMULAS) else cell


def json_of(rows: Iterable[Row], first: bool) -> bytes:
    told = [msgspec.json.encode(shown(row, False)) for row in rows]
    between = b"" if first or not told else b",\n"
    return between + b",\n".join(told)


Write = Callable[[Sequence[Row], bool], bytes]
# The ending of the address, its type, what comes before and after, and how rows are written.
FORMS: dict[str, tuple[str, bytes, bytes, Write]] = {
    "csv": ("text/csv; charset=utf-8", b"", b"", csv_of),
    "json": ("application/json", b"[\n", b"\n]\n", json_of),
}


async def export(request: web.Request, recorder: Recorder, wanted: Wanted, form: str) -> web.StreamResponse:
    kind, before, after, write = FORMS[form]
    response = web.StreamResponse(
        headers={"Content-Type": kind, "Content-Disposition": f'attachment; filename="activity.{form}"'}
    )
    await response.prepare(request)
    if request.method == hdrs.METH_HEAD:
        return response
    await response.write(before)
    last = LARGEST
    while last:
        first = last == LARGEST
        data, last = await recorder.ask(lambda store, at=last, first=first: step(store, wanted, at, write, first))  # type: ignore[misc]
        await response.write(data)
    await response.write(after)
    await response.write_eof()
    return response


def step(store: Store, wanted: Wanted, below: int, write: Write, first: bool) -> tuple[bytes, int]:
    """The next rows as they are written, and the last one's id; 0 where there are no more."""
    rows = store.before(wanted, below, STEP)
    return write(rows, first), rows[-1].id if len(rows) == STEP else 0
