"""Rows in SQLite: what goes in comes out, and other programs' files are no strangers."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from llamaswap_py.observe.rows import AT_ONCE, SORTS, Details, Row, Wanted
from llamaswap_py.observe.spreads import stats
from llamaswap_py.observe.store import Store
from llamaswap_py.observe.written import MOST_LATE, Bounds
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


@pytest.mark.parametrize("count", [1, AT_ONCE - 1, AT_ONCE, AT_ONCE + 1, 3 * AT_ONCE + 7])
def test_of_a_batch_every_row_stands_where_it_belongs(file: Store, count: int) -> None:
    """However many go in with one statement: with its own values, and the details that are its own."""
    batch = [ROW._replace(duration_ms=number, details=Details(api=f"api {number}")) for number in range(count)]
    assert file.add([ROW]) == [1]
    assert file.add(batch) == list(range(2, 2 + count))
    found = file.rows(range(2, 2 + count))
    assert [(one.duration_ms, one.details.api) for one in found] == [(each, f"api {each}") for each in range(count)]
    assert (found[-1].usage, found[-1].metadata) == (USAGE, {"selector": "s"})
    assert file.total(Wanted()) == 1 + count


def test_of_a_batch_that_holds_what_no_file_can_nothing_is_stored(file: Store) -> None:
    """Whoever gave it tries one by one."""
    with pytest.raises(OverflowError):
        file.add([*[ROW] * (2 * AT_ONCE), ROW._replace(duration_ms=2**70)])
    assert file.total(Wanted()) == 0
    assert file.add([ROW]) == [1]


def test_in_memory_only_the_newest_are_kept_and_ids_go_on(store: Store) -> None:
    store.bounds = Bounds(3)
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
    told = stats(store, Wanted())
    assert (told["total_requests"], told["total_input_tokens"], told["total_output_tokens"]) == (2, 11, 22)
    assert told["total_cache_tokens"] == 3
    assert told["prompt_histogram"] is None
    assert told["gen_histogram"]["bins"] == [1]
    assert stats(store, Wanted(("b",)))["total_requests"] == 1
    assert stats(store, Wanted(("nobody",)))["total_requests"] == 0


def test_a_file_is_never_pruned_and_is_there_again(tmp_path: Path) -> None:
    path = str(tmp_path / "deep" / "records.db")
    with closing(Store(path, Bounds(1))) as store:
        store.add([row()] * 3)
    with closing(Store(path, Bounds(1))) as store:
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


def test_of_rows_that_cannot_all_be_stored_in_a_file_none_is(tmp_path: Path) -> None:
    with closing(Store(str(tmp_path / "records.db"))) as store:
        with pytest.raises(sqlite3.Error):
            store.add([row(), row(usage=Usage(input=[]))])  # type: ignore[arg-type]
        assert store.page(Wanted()).total == 0
        assert store.add([row()])


def test_in_memory_a_row_that_cannot_be_stored_costs_itself_only(store: Store) -> None:
    lost: list[int] = []
    store.lost = lambda count, _: lost.append(count)
    store.add([row("a"), row(usage=Usage(input=[])), row("c")])  # type: ignore[arg-type]
    assert [(found.id, found.model) for found in store.page(Wanted(descending=False)).rows] == [(1, "a"), (3, "c")]
    assert lost == [1]
    assert store.add([row()]) == [4]


def test_in_memory_no_table_is_touched_for_what_nobody_asks_for(store: Store) -> None:
    store.bounds, before = Bounds(10), store.opened.total_changes
    for _ in range(100):
        store.add([row()])
    assert store.opened.total_changes == before
    assert [found.id for found in store.page(Wanted(limit=99)).rows] == list(range(100, 90, -1))


def test_in_memory_no_more_than_some_wait_for_their_table(store: Store) -> None:
    store.bounds = Bounds(10 * MOST_LATE)
    store.add([row()] * (MOST_LATE + 1))
    assert not store.late
    assert store.page(Wanted(limit=1)).total == MOST_LATE + 1


def test_what_is_no_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "records.db"
    path.write_bytes(b"these are no records" * 100)
    with pytest.raises(sqlite3.Error):
        Store(str(path))
    assert [entry.name for entry in tmp_path.iterdir()] == ["records.db"]


DETAILS = Details("openai", "key 2", "127.0.0.1", "s1", "req", 3, 0.5, 1.5, 2.25, 0.01, 999, "complete", "", "")


def test_what_the_other_programs_table_has_no_column_for_stands_beside_it(store: Store) -> None:
    store.add([ROW._replace(details=DETAILS), ROW])
    rows = store.page(Wanted(descending=False)).rows
    assert [found.details for found in rows] == [DETAILS, Details()]
    columns = {name for _, name, *_ in store.database.execute("PRAGMA table_info(activity)")}
    assert not columns & {"queued", "caller"}


def test_a_file_from_before_there_was_a_longest_gap_gets_it(tmp_path: Path) -> None:
    path = str(tmp_path / "records.db")
    with closing(Store(path)) as store:
        store.add([ROW._replace(details=DETAILS)])
        store.database.execute("ALTER TABLE activity_details DROP COLUMN longest_gap")
    with closing(Store(path)) as store:
        store.add([ROW._replace(details=DETAILS._replace(longest_gap=0.5))])
        assert [row.details.longest_gap for row in store.page(Wanted()).rows] == [0.5, 0.0]


def test_in_memory_details_go_with_their_rows(store: Store) -> None:
    store.bounds = Bounds(2)
    store.add([ROW] * 5)
    assert store.one("SELECT COUNT(*) FROM activity_details") == 2


@pytest.fixture
def file(tmp_path: Path) -> Iterator[Store]:
    with closing(Store(str(tmp_path / "records.db"))) as made:
        yield made


def fill(store: Store, count: int) -> None:
    """Three models, one row in ten minutes, numbers in no order."""
    store.add(
        [
            row("abc"[n % 3], 600 * n, Usage(n, 2 * n, -1, -1, -1, n * 7919 % 1000, n * 104729 % 100), n * 31 % 997)
            for n in range(count)
        ]
    )


def test_sums_and_totals_are_those_of_the_rows_whoever_wrote_or_took_them(file: Store) -> None:
    fill(file, 1000)
    other = sqlite3.connect(file.path)
    with closing(other), other:
        other.execute("DELETE FROM activity WHERE id % 7 = 0")
        other.execute("INSERT INTO activity (ts_created, model_id, input_tokens) VALUES (99, 'd', 5)")
    for model in ("", "a", "d", "nobody"):
        sums = "SELECT COUNT(*), TOTAL(input_tokens) FROM activity WHERE ? IN (model_id, '')"
        count, tokens = file.database.execute(sums, (model,)).fetchone()
        told = stats(file, Wanted((model,) if model else ()))
        assert (told["total_requests"], told["total_input_tokens"]) == (count, tokens)
        assert file.total(Wanted(models=(model,) if model else ())) == count


@pytest.mark.parametrize("start", [None, 0, 1, 86_399, 86_400, 100_000, 10**9])
@pytest.mark.parametrize("end", [None, 0, 86_399, 86_400, 172_799, 172_800, 400_000, 10**9])
@pytest.mark.parametrize("models", [(), ("a",), ("a", "c")])
def test_a_total_counts_as_every_row_looked_at_would(
    file: Store, start: int | None, end: int | None, models: tuple[str, ...]
) -> None:
    fill(file, 1000)
    wanted = Wanted(models, start, end)
    assert file.total(wanted) == file.counted(wanted)


def test_a_file_without_sums_gets_them_and_one_that_lost_them_gets_them_anew(tmp_path: Path) -> None:
    path = str(tmp_path / "records.db")
    with closing(Store(path)) as store:
        fill(store, 10)
        store.database.executescript(
            "DROP TRIGGER activity_days_add; INSERT INTO activity (ts_created, model_id) VALUES (1, 'x')"
        )
    with closing(Store(path)) as store:
        assert store.total(Wanted()) == 11
        store.add([row()])
        assert store.total(Wanted()) == 12


@pytest.mark.parametrize("sort", list(SORTS))
@pytest.mark.parametrize("descending", [True, False])
@pytest.mark.parametrize("models", [(), ("a",), ("a", "b")])
def test_pages_in_a_file_are_those_in_memory(
    file: Store, store: Store, sort: str, descending: bool, models: tuple[str, ...]
) -> None:
    for each in (file, store):
        fill(each, 100)
    for page in (1, 2, 5, 9, 10, 11):
        wanted = Wanted(models, limit=7, page=page, sort=sort, descending=descending)
        assert file.page(wanted) == store.page(wanted)


NARROW = [
    Wanted(paths=("/v1/embeddings",)),
    Wanted(status=(400, 499)),
    Wanted(status=(200, 299), models=("a", "b")),
    Wanted(status=(404, 404), start=10_000),
    Wanted(callers=("key 2",), sort="duration"),
    Wanted(apis=("anthropic", "openai"), paths=("/v1/chat/completions",)),
    Wanted(text="req-1", limit=7, page=2),
    Wanted(text="s1", descending=False),
    Wanted(text="%"),
]


def narrow_rows(count: int) -> list[Row]:
    made = []
    for n in range(count):
        details = Details(("openai", "anthropic", "")[n % 3], f"key {n % 4}", session=f"s{n % 5}", request=f"req-{n}")
        path = ("/v1/chat/completions", "/v1/embeddings")[n % 2]
        made.append(
            Row(600 * n, "abc"[n % 3], path, "", (200, 404, 500, 200)[n % 4], details=details, duration_ms=n % 7)
        )
    return made


def fits(row: Row, wanted: Wanted) -> bool:
    low, high = wanted.status or (0, 999)
    told = row.details
    return (
        (not wanted.paths or row.path in wanted.paths)
        and low <= row.status <= high
        and (not wanted.models or row.model in wanted.models)
        and (wanted.start is None or row.created >= wanted.start)
        and (not wanted.callers or told.caller in wanted.callers)
        and (not wanted.apis or told.api in wanted.apis)
        and (told.request.startswith(wanted.text) or told.session.startswith(wanted.text))
    )


@pytest.mark.parametrize("wanted", NARROW, ids=str)
@pytest.mark.parametrize("where", ["file", "memory"])
def test_a_narrow_question_finds_what_a_look_at_each_row_would(
    file: Store, store: Store, wanted: Wanted, where: str
) -> None:
    asked = file if where == "file" else store
    asked.add(narrow_rows(200))
    every = asked.page(Wanted(limit=999, sort=wanted.sort, descending=wanted.descending)).rows
    found = [row.id for row in every if fits(row, wanted)]
    page = asked.page(wanted)
    first = (wanted.page - 1) * wanted.limit
    assert ([row.id for row in page.rows], page.total) == (found[first : first + wanted.limit], len(found))


def test_what_takes_long_is_left_for_another_time_where_rows_wait(file: Store) -> None:
    """The page is found without the index; the next one makes it."""
    fill(file, 20_000)
    file.is_busy = lambda: True
    slow = file.page(Wanted(sort="duration"))
    indexes = "SELECT COUNT(*) FROM sqlite_master WHERE name = 'idx_activity_duration_ms'"
    assert file.one(indexes) == 0
    file.is_busy = lambda: False
    assert file.page(Wanted(sort="duration")) == slow
    assert file.one(indexes) == 1


def test_a_walk_in_steps_passes_every_row_once(file: Store) -> None:
    file.add(narrow_rows(50))
    wanted = Wanted(status=(200, 299), models=("a", "b"))
    found, last = [], 10**9
    while rows := file.before(wanted, last, 7):
        found += rows
        last = rows[-1].id
    assert found == file.page(wanted._replace(limit=999)).rows


ROWS = 60_000
# Instructions of SQLite's machine. To look at every row takes at least three for each.
ENOUGH = 90_000


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with closing(Store(str(tmp_path_factory.mktemp("large") / "records.db"))) as made:
        fill(made, ROWS)
        for sort in SORTS:
            made.page(Wanted(sort=sort))  # the first time makes the index
        made.page(Wanted(text="x"))
        yield made


@pytest.mark.parametrize(
    "wanted",
    [
        Wanted(page=ROWS // 25),
        Wanted(models=("a",)),
        Wanted(models=("a", "b"), start=10_000_000),
        Wanted(start=1, end=10**8),
        Wanted(end=10_000),
        *(Wanted(sort=sort) for sort in SORTS),
        *(Wanted(sort=sort, models=("b",)) for sort in SORTS),
        Wanted(status=(500, 599)),
        Wanted(text="nobody"),
    ],
    ids=str,
)
def test_no_page_walks_through_all_rows(large: Store, wanted: Wanted) -> None:
    assert steps(large, lambda: large.page(wanted)) < ENOUGH


@pytest.mark.parametrize("model", ["", "b"])
def test_no_sums_walk_through_all_rows(large: Store, model: str) -> None:
    assert steps(large, lambda: stats(large, Wanted((model,) if model else ()))) < ENOUGH


def steps(store: Store, work: Callable[[], object]) -> int:
    """About, in thousands."""
    ticks: list[None] = []
    store.database.set_progress_handler(lambda: ticks.append(None), 1000)
    work()
    store.database.set_progress_handler(None, 0)
    return 1000 * len(ticks)


def test_captures_in_a_file_are_bounded_and_the_oldest_go_first(file: Store) -> None:
    file.bounds = Bounds(captures=10)
    file.keep_captures([(1, b"1234"), (2, b"1234"), (3, b"far too long")])
    file.keep_captures([(4, b"1234")])
    assert [file.capture(number) for number in (1, 2, 3, 4)] == [None, b"1234", None, b"1234"]
    assert file.captured_of([1, 2, 4]) == {2, 4}
    with closing(Store(file.path, file.bounds)) as again:
        assert again.captured == 8
