"""Rows in SQLite, in llama-swap's tables: in memory, or in a file that either program can open.

Everything here belongs to the one thread that made the store."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import msgspec

from llamaswap_py.observe.stats import histogram
from llamaswap_py.wire.usage import NOTHING, Usage

LARGEST = 2**63 - 1  # of SQLite's integers
BUSY_MS = 5000  # how long another program may hold the file before a row is given up

TABLES = """
CREATE TABLE IF NOT EXISTS goose_db_version (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    version_id INTEGER NOT NULL,
    is_applied INTEGER NOT NULL,
    tstamp TIMESTAMP DEFAULT (datetime('now')));
INSERT INTO goose_db_version (version_id, is_applied)
    SELECT version, 1 FROM (SELECT 0 AS version UNION ALL SELECT 1)
    WHERE NOT EXISTS (SELECT 1 FROM goose_db_version WHERE version_id = 1);
CREATE TABLE IF NOT EXISTS activity (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    ts_created INTEGER NOT NULL,
    model_id TEXT NOT NULL,
    req_path TEXT NOT NULL DEFAULT '',
    resp_content_type TEXT NOT NULL DEFAULT '',
    resp_status_code INTEGER NOT NULL DEFAULT 0,
    cache_tokens INTEGER NOT NULL DEFAULT 0,
    draft_tokens INTEGER NOT NULL DEFAULT 0,
    draft_acc_tokens INTEGER NOT NULL DEFAULT 0,
    input_tokens INTEGER NOT NULL DEFAULT 0,
    output_tokens INTEGER NOT NULL DEFAULT 0,
    prompt_per_second REAL NOT NULL DEFAULT 0,
    tokens_per_second REAL NOT NULL DEFAULT 0,
    duration_ms INTEGER NOT NULL DEFAULT 0,
    error_msg TEXT NOT NULL DEFAULT '',
    metadata_json TEXT NOT NULL DEFAULT '');
CREATE INDEX IF NOT EXISTS idx_activity_created_id ON activity (ts_created DESC, id DESC);
CREATE INDEX IF NOT EXISTS idx_activity_model_created_id ON activity (model_id, ts_created DESC, id DESC);
"""
COLUMNS = (
    "ts_created, model_id, req_path, resp_content_type, resp_status_code, cache_tokens, draft_tokens, draft_acc_tokens,"
    " input_tokens, output_tokens, prompt_per_second, tokens_per_second, duration_ms, error_msg, metadata_json"
)
INSERT = f"INSERT INTO activity (id, {COLUMNS}) VALUES ({', '.join('?' * 16)})"  # noqa: S608  # constants only
# The largest that ever was, also of rows that are gone.
LAST_ID = "SELECT COALESCE((SELECT seq FROM sqlite_sequence WHERE name = 'activity'), 0)"
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


class Page(NamedTuple):
    rows: list[Row]
    total: int


class Store:
    """`path` empty: in memory, and only the newest `keep` rows; a file is never pruned."""

    def __init__(self, path: str = "", keep: int = 1000) -> None:
        self.path = path
        self.keep = keep
        if path:
            Path(path).parent.mkdir(parents=True, exist_ok=True)
        self.database = sqlite3.connect(path or ":memory:", isolation_level=None, timeout=BUSY_MS / 1000)
        try:
            if path:
                self.database.execute("PRAGMA journal_mode = WAL").fetchone()
            self.database.executescript(TABLES)
        except sqlite3.Error:
            self.database.close()
            raise

    def close(self) -> None:
        self.database.close()

    def add(self, rows: Sequence[Row]) -> list[int]:
        """Their ids, in order. All of them are stored, or none and an error."""
        self.database.execute("BEGIN IMMEDIATE")
        try:
            [last] = self.database.execute(LAST_ID).fetchone()
            ids = list(range(last + 1, last + 1 + len(rows)))
            self.database.executemany(INSERT, map(values_of, ids, rows))
            if not self.path:
                self.database.execute("DELETE FROM activity WHERE id <= ?", (ids[-1] - self.keep,))
            self.database.execute("COMMIT")
        except (sqlite3.Error, ValueError, OverflowError):  # also of a value that SQLite cannot hold
            if self.database.in_transaction:
                self.database.execute("ROLLBACK")
            raise
        return ids

    def page(self, wanted: Wanted) -> Page:
        where, values = conditions(wanted)
        [total] = self.database.execute(f"SELECT COUNT(*) FROM activity{where}", values).fetchone()  # noqa: S608
        order = "DESC" if wanted.descending else "ASC"
        found = self.database.execute(
            f"SELECT {COLUMNS}, id FROM activity{where} ORDER BY {SORTS[wanted.sort]} {order}, id {order}"  # noqa: S608
            " LIMIT ? OFFSET ?",
            (*values, wanted.limit, min((wanted.page - 1) * wanted.limit, LARGEST)),
        )
        return Page([row_of(values) for values in found], total)

    def stats(self, model: str = "") -> dict[str, Any]:
        where, values = conditions(Wanted(models=(model,) if model else ()))
        sums = self.database.execute(
            "SELECT COUNT(*), TOTAL(input_tokens), TOTAL(output_tokens), TOTAL(MAX(cache_tokens, 0))"  # noqa: S608
            f" FROM activity{where}",
            values,
        ).fetchone()
        names = ("total_requests", "total_input_tokens", "total_output_tokens", "total_cache_tokens")
        speeds = self.database.execute(
            f"SELECT prompt_per_second, tokens_per_second FROM activity{where}",  # noqa: S608
            values,
        ).fetchall()
        return {
            **{name: int(value) for name, value in zip(names, sums, strict=True)},
            "prompt_histogram": histogram([prompt for prompt, _ in speeds]),
            "gen_histogram": histogram([generated for _, generated in speeds]),
        }


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
    return (f" WHERE {' AND '.join(parts)}" if parts else "", values)


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


def row_of(values: Sequence[Any]) -> Row:
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
    )
