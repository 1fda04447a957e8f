"""The program is killed while it writes rows: the file opens, is sound, and lacks the last batch at most.

`LLAMASWAP_TEST_STORE_KILLS=100` kills so often; ten times where nothing is said."""

from __future__ import annotations

import os
import random
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from llamaswap_py.observe.rows import Wanted
from llamaswap_py.observe.store import Store

KILLS = int(os.environ.get("LLAMASWAP_TEST_STORE_KILLS", "10"))
BATCH = 7

# What the recorder's thread does, without a pause. A batch is told before it is begun, and once it is stored.
WRITER = f"""
import sys
from llamaswap_py.observe.pruning import prune
from llamaswap_py.observe.rows import Row
from llamaswap_py.observe.store import Store
from llamaswap_py.observe.written import Bounds

store = Store(sys.argv[1], Bounds(size=600_000, captures=50_000))
while True:
    rows = [Row(1_700_000_000, "m", "/v1/x", "", 200)] * {BATCH}
    ids = store.add(rows)
    store.keep_captures([(ids[0], b"x" * 2000)])
    print(ids[-1], flush=True)
    prune(store, 0.0)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="signals are those of Unix")
def test_a_kill_at_any_moment_costs_the_last_batch_at_most(tmp_path: Path) -> None:
    path = tmp_path / "records.db"
    chance = random.Random(KILLS)
    for _ in range(KILLS):
        stored = written_until_killed(path, chance.randrange(1, 60), chance.random() / 200)
        with closing(sqlite3.connect(path)) as database:
            assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        with closing(Store(str(path))) as store:
            newest = store.page(Wanted(limit=1)).rows[0].id
            assert stored <= newest <= stored + BATCH
            assert store.total(Wanted()) == store.one("SELECT COUNT(*) FROM activity")
            assert store.one("SELECT COUNT(*) FROM activity_details") == store.total(Wanted())


def written_until_killed(path: Path, batches: int, more: float) -> int:
    """The last row that was told to be stored."""
    with subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        told = [writer.stdout.readline() for _ in range(batches)]
        with pytest.raises(subprocess.TimeoutExpired):
            writer.wait(more)  # anywhere within a batch
        writer.kill()
        told += writer.stdout.read().splitlines(keepends=True)
        return int([line for line in told if line.endswith("\n")][-1])
