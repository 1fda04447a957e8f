"""A disk that is full or may not be written: what needs it fails alone, with a word, and comes back with the room."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from tests.whole.asking import caller
from tests.whole.faults.crowd import until
from tests.whole.faults.disk import READ_ONLY, fill, inside, mountable, own_disk
from tests.whole.program import LONG, SOCKETS, Program, config, model
from tests.whole.talk import CHAT, chat_body
from tests.whole.test_uploads import TRANSCRIBE

pytestmark = pytest.mark.skipif(not mountable(), reason="a disk of its own can be given to a program only by root")

MIB = 1024 * 1024


def rows(client: httpx.Client) -> int:
    return len(client.get("/api/metrics/activity").json().get("data") or [])


def test_l91_a_full_disk_costs_rows_and_nothing_else(tmp_path: Path) -> None:
    """Requests are served, the loss is said once, the file stays sound, and with room new rows come."""
    disk = tmp_path / "disk"
    program = Program(tmp_path, config(model("a"), store=f"{{path: {disk / 'rows.db'}}}"), watch=False)
    program.before = own_disk(disk, "400k")
    with program, caller(program) as client:
        client.post(CHAT, json=chat_body("a", "hello")).raise_for_status()
        until(lambda: rows(client) == 1)
        filler = fill(inside(program, disk))
        said = program.said
        for _ in range(20):
            client.post(CHAT, json=chat_body("a", "hello")).raise_for_status()
        program.wait_for("cannot write down", said)
        filler.unlink()
        before = rows(client)
        client.post(CHAT, json=chat_body("a", "hello")).raise_for_status()
        until(lambda: rows(client) > before)
        for file in inside(program, disk).iterdir():
            shutil.copy(file, tmp_path)
    with closing(sqlite3.connect(tmp_path / "rows.db")) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_l91_s62_an_upload_that_cannot_be_kept_is_refused(tmp_path: Path) -> None:
    """507 with its remedy; nothing of it stays, and one that fits passes."""
    disk = tmp_path / "disk"
    text = config(f"  plain:\n    cmd: {SOCKETS}\n")
    program = Program(tmp_path, text, watch=False, env={"TMPDIR": str(disk)})
    program.before = own_disk(disk, "2m")
    with program, caller(program) as client:
        client.get("/upstream/plain/page").raise_for_status()
        refused = client.post(TRANSCRIBE, files={"file": b"x" * (8 * MIB)}, data={})
        assert refused.status_code in (400, 507)
        large = form(b"x" * (8 * MIB))
        answer = client.post(TRANSCRIBE, content=large, headers=KIND)
        assert (answer.status_code, answer.json()["error"]["code"]) == (507, "insufficient_storage")
        assert list(inside(program, disk).iterdir()) == []
        client.post(TRANSCRIBE, content=form(b"x"), headers=KIND).raise_for_status()


KIND = {"Content-Type": "multipart/form-data; boundary=edge"}


def form(file: bytes) -> bytes:
    """The model's name comes last."""
    return b"".join([
        b'--edge\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n', file,
        b'\r\n--edge\r\nContent-Disposition: form-data; name="model"\r\n\r\nplain\r\n--edge--\r\n',
    ])  # fmt: skip


def test_l91_without_room_for_its_state_the_program_serves_all_the_same(tmp_path: Path) -> None:
    """It says what is lost by it."""
    state = tmp_path / "state"
    program = Program(tmp_path, config(model("a")), watch=False)
    mount = own_disk(state, "4k")

    def full() -> None:
        mount()
        (state / "owner-127.0.0.1_0.json").touch()
        fill(state)

    program.before = full
    with program, caller(program) as client:
        assert client.get("/health").text == "OK"
        client.post(CHAT, json=chat_body("a", "hello")).raise_for_status()
        assert any("cannot write" in line for line in program.lines)
        program.process.terminate()
        assert program.process.wait(LONG) == 0


def test_l92_a_state_folder_that_may_not_be_written_is_told_at_the_start(tmp_path: Path) -> None:
    """With its path, and without a traceback."""
    program = Program(tmp_path, config(model("a")), watch=False)
    program.before = own_disk(tmp_path / "state", "1m", READ_ONLY)
    with (
        pytest.raises(AssertionError, match=r"cannot use the state directory .*state.*Read-only.*--state-dir"),
        program,
    ):
        pass
    assert not any("Traceback" in line for line in program.lines)


def test_l92_a_folder_of_the_records_that_is_removed_stops_nobody(tmp_path: Path) -> None:
    """Requests go on, and so does the end."""
    folder = tmp_path / "records"
    folder.mkdir()
    text = config(model("a"), store=f"{{path: {folder / 'rows.db'}}}")
    with Program(tmp_path, text, watch=False) as program, caller(program) as client:
        client.post(CHAT, json=chat_body("a", "hello")).raise_for_status()
        shutil.rmtree(folder)
        for _ in range(3):
            client.post(CHAT, json=chat_body("a", "hello")).raise_for_status()
        program.process.terminate()
        assert program.process.wait(LONG) == 0


def test_l91_what_is_no_file_is_no_store(tmp_path: Path) -> None:
    """A pipe that nobody reads: the rows are kept in memory, and nothing waits for it."""
    os.mkfifo(tmp_path / "pipe")
    text = config(model("a"), store=f"{{path: {tmp_path / 'pipe'}}}")
    with Program(tmp_path, text, watch=False) as program, caller(program) as client:
        client.post(CHAT, json=chat_body("a", "hello")).raise_for_status()
        until(lambda: rows(client) == 1)
        assert json.dumps(rows(client))
