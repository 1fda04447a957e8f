"""Old rows go, a few at a time, with all that is theirs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from llamaswap_py.observe.pruning import NEXT_COUNT_SECONDS, STEP, Pruning, prune, used
from llamaswap_py.observe.rows import Wanted
from llamaswap_py.observe.spreads import UNTIL
from llamaswap_py.observe.store import Store
from llamaswap_py.observe.written import Bounds
from tests.observe.test_store import fill


@pytest.fixture
def file(tmp_path: Path) -> Iterator[Store]:
    with closing(Store(str(tmp_path / "records.db"))) as made:
        yield made


def test_old_rows_go_in_small_steps_with_all_that_is_theirs(file: Store) -> None:
    fill(file, 2 * STEP + 10)
    file.bounds = Bounds(age=100, captures=1000)
    file.keep_captures([(1, b"a"), (2 * STEP + 10, b"b")])
    now = 600.0 * (2 * STEP + 5) + 100
    assert prune(file, now)
    assert file.total(Wanted()) == STEP + 10
    assert prune(file, now)
    assert not prune(file, now)
    assert [found.id for found in file.page(Wanted()).rows] == list(range(2 * STEP + 10, 2 * STEP + 5, -1))
    assert file.one("SELECT COUNT(*) FROM activity_details") == 5
    assert (file.capture(1), file.capture(2 * STEP + 10), file.captured) == (None, b"b", 1)


def test_a_file_beyond_its_size_gives_up_its_oldest_rows_and_grows_no_more(file: Store) -> None:
    file.bounds = Bounds(size=400_000)
    sizes = []
    for _ in range(20):
        fill(file, 2000)
        while prune(file, 0.0):
            pass
        sizes.append(used(file))
    assert all(300_000 < size <= 400_000 for size in sizes[5:])
    pages = file.one("PRAGMA page_count") * file.one("PRAGMA page_size")
    assert pages < 1_200_000


def test_without_bounds_and_in_memory_nothing_is_taken_away(file: Store) -> None:
    with closing(Store()) as memory:
        for each in (file, memory):
            fill(each, 10)
            assert not prune(each, 10.0**12)
            assert each.total(Wanted()) == 10


def test_what_goes_wrong_is_said_and_tried_again_later(file: Store) -> None:
    said: list[str] = []
    pruning = Pruning(said.append)
    with closing(Store()) as memory:
        assert pruning.left(memory) is None
    file.bounds = Bounds(age=1)
    assert pruning.left(file) == 0
    file.database.execute("DROP TABLE activity_captures")
    fill(file, 1)
    pruning.step(file)
    assert "cannot take old rows out" in said[0]
    assert (pruning.left(file) or 0) > 0


def test_rows_are_counted_bit_by_bit_while_nobody_asks(file: Store) -> None:
    pruning = Pruning(print)
    fill(file, 1250)
    pauses = []
    for _ in range(4):
        pruning.step(file)
        pauses.append(pruning.left(file) or 0)
    assert file.one(UNTIL) == 1250
    assert max(pauses[:2]) <= NEXT_COUNT_SECONDS < min(pauses[2:])
