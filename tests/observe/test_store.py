"""Rows in SQLite: what goes in comes out, and other programs' files are no strangers."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from llamaswap_py.observe.store import SORTS, Row, Store, Wanted
from llamaswap_py.wire.usage import Usage

USAGE = Usage(5, 9, 7, 6, 2, 500.5, 99.5)
ROW = Row(1_700_000_000, "a", "/v1/chat/completions", "application/json", 200, USAGE, 150, "", {"selector": "s"})


def row(model: str = "a", created: int = 1_700_000_000, usage: Usage = USAGE, duration_ms: int = 1) -> Row:
    return Row(created, model, "/v1/completions", "application/json", 200, usage, duration_ms)


@pytest.fixture
def store() -> Iterator[Store]:
    with closing(Store()) as made:
        yield made


def test_a_row_comes_back_as_it_went_in(store: Store) -> None:
    assert store.add([ROW]) == [1]
    [found] = store.page(Wanted()).rows
    assert (found.created, found.model, found.path, found.status) == (ROW.created, "a", ROW.path, 200)
    assert (found.usage, found.duration_ms, found.metadata, found.id) == (USAGE, 150, {"selector": "s"}, 1)


def test_in_memory_only_the_newest_are_kept_and_ids_go_on(store: Store) -> None:
    store.keep = 3
    assert store.add([row()] * 5) == [1, 2, 3, 4, 5]
    assert store.add([row()]) == [6]
    assert [found.id for found in store.page(Wanted()).rows] == [6, 5, 4]


def test_rows_are_found_by_model_time_and_id(store: Store) -> None:
    store.add([row("a", 100), row("b", 200), row("c", 300), row("a", 400)])

    def ids(wanted: Wanted) -> list[int]:
        return [found.id for found in store.page(wanted).rows]

    assert ids(Wanted(models=("a",))) == [4, 1]
    assert ids(Wanted(models=("a", "b"))) == [4, 2, 1]
    assert ids(Wanted(models=("'; DROP TABLE activity; --",))) == []
    assert ids(Wanted(start=200, end=300)) == [3, 2]
    assert ids(Wanted(min_id=2, max_id=2)) == [2]
    assert ids(Wanted(models=("a",), min_id=2, descending=False)) == [4]


def test_pages_hold_what_was_wanted_and_say_how_much_there_is(store: Store) -> None:
    store.add([row() for _ in range(7)])
    assert [found.id for found in store.page(Wanted(limit=3, page=2)).rows] == [4, 3, 2]
    assert store.page(Wanted(limit=3, page=9)) == ([], 7)


@pytest.mark.parametrize("sort", list(SORTS))
def test_every_order_is_an_order_and_equal_rows_go_by_id(store: Store, sort: str) -> None:
    store.add([row(), row()])
    assert [found.id for found in store.page(Wanted(sort=sort)).rows] == [2, 1]
    assert [found.id for found in store.page(Wanted(sort=sort, descending=False)).rows] == [1, 2]


def test_sorting_sorts(store: Store) -> None:
    store.add([row(duration_ms=5), row(duration_ms=9), row(duration_ms=1)])
    assert [found.duration_ms for found in store.page(Wanted(sort="duration")).rows] == [9, 5, 1]


def test_sums_leave_out_what_was_not_said(store: Store) -> None:
    store.add([row("a", usage=Usage(10, 20, -1)), row("b", usage=Usage(1, 2, 3, speed=50.0))])
    told = store.stats()
    assert (told["total_requests"], told["total_input_tokens"], told["total_output_tokens"]) == (2, 11, 22)
    assert told["total_cache_tokens"] == 3
    assert told["prompt_histogram"] is None
    assert told["gen_histogram"]["bins"] == [1]
    assert store.stats("b")["total_requests"] == 1
    assert store.stats("nobody")["total_requests"] == 0


def test_a_file_is_never_pruned_and_is_there_again(tmp_path: Path) -> None:
    path = str(tmp_path / "deep" / "records.db")
    with closing(Store(path, keep=1)) as store:
        store.add([row()] * 3)
    with closing(Store(path, keep=1)) as store:
        assert store.page(Wanted()).total == 3
        assert store.add([row()]) == [4]
        assert store.database.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_a_file_of_the_other_program_opens_and_can_go_back(tmp_path: Path) -> None:
    """Also of a later version of it, with columns that we do not know."""
    path = str(tmp_path / "activity.db")
    with closing(Store(path)) as store:
        store.add([ROW])
        versions = store.database.execute("SELECT version_id, is_applied FROM goose_db_version").fetchall()
        assert versions == [(0, 1), (1, 1)]
        store.database.execute("ALTER TABLE activity ADD COLUMN src TEXT NOT NULL DEFAULT ''")
        store.database.execute("INSERT INTO goose_db_version (version_id, is_applied) VALUES (2, 1)")
    with closing(Store(path)) as store:
        assert store.add([ROW]) == [2]
        assert store.database.execute("SELECT COUNT(*) FROM goose_db_version").fetchone() == (3,)


def test_of_rows_that_cannot_all_be_stored_none_is(store: Store) -> None:
    with pytest.raises(sqlite3.Error):
        store.add([row(), row(usage=Usage(input=[]))])  # type: ignore[arg-type]
    assert store.page(Wanted()).total == 0
    assert store.add([row()])


def test_what_is_no_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "records.db"
    path.write_bytes(b"these are no records" * 100)
    with pytest.raises(sqlite3.Error):
        Store(str(path))
    assert [entry.name for entry in tmp_path.iterdir()] == ["records.db"]
