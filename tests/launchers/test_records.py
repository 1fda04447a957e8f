"""Records of runs that must outlive the proxy: whole or not there, and a number alone identifies nobody."""

from __future__ import annotations

import os
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from llamaswap_py.keeper import table, trees
from llamaswap_py.launchers import records
from llamaswap_py.launchers.records import Record, Records


@pytest.fixture
async def kept(tmp_path: Path) -> AsyncIterator[Records]:
    kept = Records(tmp_path / "runs", "token")
    yield kept
    await kept.close()


async def test_a_record_is_there_before_the_spawn_and_gone_after_the_end(kept: Records) -> None:
    """First without a number, then with it; removing twice is safe."""
    note = kept.note("m", "stop it", ("KEY=secret",), 3.0)
    await note.save()
    [(path, before)] = records.left(kept.folder)
    assert (before.model, before.token, before.cmd_stop, before.env) == ("m", "token", "stop it", ("KEY=secret",))
    assert (before.pid, before.process(), path.stat().st_mode & 0o777) == (0, None, 0o600)
    note.know(17, 2.5)
    await kept.close()
    assert [(record.pid, record.started) for _, record in records.left(kept.folder)] == [(17, 2.5)]
    records.remove(path)
    records.remove(path)
    assert records.left(kept.folder) == []


async def test_a_disk_that_takes_nothing_stops_no_run(tmp_path: Path) -> None:
    """It is said, and the run goes on without a record."""
    (tmp_path / "runs").write_text("in the way")
    kept = Records(tmp_path / "runs", "token")
    note = kept.note("m", "stop", (), 1.0)
    await note.save()
    note.remove()
    await kept.close()
    assert records.left(kept.folder) == []


def test_torn_and_foreign_files_are_no_records(tmp_path: Path) -> None:
    """What cannot be read is put away; what was never finished too."""
    for name, text in {"a.json": "{", "b.json": '{"model": 1}', "c.new": "{"}.items():
        (tmp_path / name).write_text(text)
    assert records.left(tmp_path) == []
    assert list(tmp_path.iterdir()) == []
    assert records.left(tmp_path / "none") == []


def test_a_process_is_known_by_start_boot_and_mark() -> None:
    """The number with the right start on this boot, carrying the proxy's mark; anything less is a stranger."""
    key, _, value = trees.mark("token", 3).partition("=")
    waiting = ["sh", "-c", "echo; read _"]
    with subprocess.Popen(
        waiting, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={**os.environ, key: value}
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()  # it runs, with its own environment
        row = table.look(process.pid)
        assert row is not None
        true = Record("m", "token", table.boot(), "stop", (), "/", 1.0, process.pid, row.started)
        assert true.process() == process.pid
        for wrong in (
            replace(true, started=row.started - 1),
            replace(true, boot="another"),
            replace(true, token="another"),
            replace(true, pid=0),
        ):
            assert wrong.process() is None
        process.communicate()
    assert true.process() is None
