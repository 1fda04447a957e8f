"""The tables of the records, as SQL: llama-swap's own as they are there, and ours beside them.

Nothing of ours stands in llama-swap's, so that either program may open the other's file."""

from __future__ import annotations

import sqlite3

LLAMA_SWAPS = """
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

# `activity_details` goes with its row; a row that the other program wrote has none.
OURS = """
CREATE TABLE IF NOT EXISTS activity_details (
    id INTEGER PRIMARY KEY,
    api TEXT NOT NULL,
    caller TEXT NOT NULL,
    address TEXT NOT NULL,
    session TEXT NOT NULL,
    request TEXT NOT NULL,
    run INTEGER NOT NULL,
    queued REAL NOT NULL,
    loading REAL NOT NULL,
    first_byte REAL NOT NULL,
    mean_gap REAL NOT NULL,
    bytes INTEGER NOT NULL,
    phase TEXT NOT NULL,
    closed_by TEXT NOT NULL,
    code TEXT NOT NULL,
    longest_gap REAL NOT NULL DEFAULT 0);
CREATE INDEX IF NOT EXISTS idx_activity_failed ON activity (ts_created DESC, id DESC) WHERE resp_status_code >= 400;
CREATE TABLE IF NOT EXISTS activity_spreads (
    span INTEGER NOT NULL,
    slot INTEGER NOT NULL,
    model_id TEXT NOT NULL,
    data BLOB NOT NULL,
    PRIMARY KEY (span, slot, model_id)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS activity_counted (id INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS activity_captures (
    id INTEGER PRIMARY KEY,
    size INTEGER NOT NULL,
    data BLOB NOT NULL);
"""

# Sums of each model and day, kept right by the file itself, whichever program writes: a page's totals must not walk
# through a million rows.
SUMS = (
    """CREATE TABLE activity_days (
        model_id TEXT NOT NULL, day INTEGER NOT NULL, requests INTEGER NOT NULL, input_tokens INTEGER NOT NULL,
        output_tokens INTEGER NOT NULL, cache_tokens INTEGER NOT NULL, PRIMARY KEY (model_id, day)) WITHOUT ROWID""",
    """INSERT INTO activity_days
        SELECT model_id, ts_created / 86400, COUNT(*), SUM(input_tokens), SUM(output_tokens), SUM(MAX(cache_tokens, 0))
        FROM activity GROUP BY 1, 2""",
    """CREATE TRIGGER activity_days_add AFTER INSERT ON activity BEGIN
        INSERT INTO activity_days VALUES (NEW.model_id, NEW.ts_created / 86400, 1, NEW.input_tokens,
            NEW.output_tokens, MAX(NEW.cache_tokens, 0))
        ON CONFLICT DO UPDATE SET requests = requests + 1, input_tokens = input_tokens + excluded.input_tokens,
            output_tokens = output_tokens + excluded.output_tokens,
            cache_tokens = cache_tokens + excluded.cache_tokens; END""",
    """CREATE TRIGGER activity_days_take AFTER DELETE ON activity BEGIN
        UPDATE activity_days SET requests = requests - 1, input_tokens = input_tokens - OLD.input_tokens,
            output_tokens = output_tokens - OLD.output_tokens,
            cache_tokens = cache_tokens - MAX(OLD.cache_tokens, 0)
        WHERE model_id = OLD.model_id AND day = OLD.ts_created / 86400; END""",
)
PARTS_OF_SUMS = ("activity_days", "activity_days_add", "activity_days_take")
DAY = 86400  # seconds; in UTC


def make(database: sqlite3.Connection, sums: bool) -> None:
    database.executescript(LLAMA_SWAPS)
    database.executescript(OURS)
    columns = {name for _, name, *_ in database.execute("PRAGMA table_info(activity_details)")}
    if "longest_gap" not in columns:  # a file from before there was one
        database.execute("ALTER TABLE activity_details ADD COLUMN longest_gap REAL NOT NULL DEFAULT 0")
    if sums:
        make_sums(database)


def make_sums(database: sqlite3.Connection) -> None:
    """Anew where a part is missing: whoever replaced the table of rows took its triggers with it."""
    there = {name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE name LIKE 'activity_days%'")}
    if there.issuperset(PARTS_OF_SUMS):
        return
    database.execute("BEGIN IMMEDIATE")
    try:
        for kind, name in (("TRIGGER", PARTS_OF_SUMS[1]), ("TRIGGER", PARTS_OF_SUMS[2]), ("TABLE", PARTS_OF_SUMS[0])):
            database.execute(f"DROP {kind} IF EXISTS {name}")
        for statement in SUMS:
            database.execute(statement)
        database.execute("COMMIT")
    except sqlite3.Error:
        if database.in_transaction:
            database.execute("ROLLBACK")
        raise
