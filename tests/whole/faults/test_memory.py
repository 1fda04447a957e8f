"""Loads that run out of memory: whoever is idle goes for one more try, and nobody goes in vain."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

import pytest

from tests.whole.asking import chat, openai_shape, running
from tests.whole.journal import Journal
from tests.whole.program import FAKE, Program, config

TOGETHER = "groups:\n  all:\n    swap: false\n    members: [a, b]\n"


def sharing(folder: Path, name: str, journal: Journal, needs: str = "card") -> str:
    """A model that takes the one card there is, and ends as an engine does where it is taken."""
    server = f"{sys.executable} -S {FAKE} --port $1 --alias {name} {journal.option}"
    script = folder / f"{name}.sh"
    script.write_text(
        f"exec 8>{folder / needs}\n"
        "flock -n 8 || { echo 'cudaMalloc failed: out of memory'; exit 1; }\n"
        f"exec {server}\n"
    )
    return f"  {name}:\n    cmd: sh {shlex.quote(str(script))} ${{PORT}}\n"


def test_q42_f31_a_load_that_runs_out_of_memory_stops_one_idle_model_and_is_tried_again(tmp_path: Path) -> None:
    """Its caller only waits longer; why the other one went is told."""
    with Journal(tmp_path) as journal:
        models = sharing(tmp_path, "a", journal), sharing(tmp_path, "b", journal)
        with Program(tmp_path, TOGETHER + config(*models), watch=False) as program:
            assert chat(program, "a", "hello").status_code == 200
            assert chat(program, "b", "hello").status_code == 200
            assert set(running(program)) == {"b"}
            line = program.wait_for(r"a: stopping \(evicted for b: it ran out of memory\)")
        assert "out of memory" in line
        assert [entry["argv"][3] for entry in journal.all("start")] == ["a", "b"]


def test_q42_f31_a_second_failure_is_told_and_nobody_else_goes(tmp_path: Path) -> None:
    """The card is somebody else's: never a loop."""
    text = TOGETHER.replace("[a, b]", "[a, b, c]")
    with Journal(tmp_path) as journal, (tmp_path / "other").open("w") as other:
        import fcntl

        fcntl.flock(other, fcntl.LOCK_EX)
        models = [
            sharing(tmp_path, name, journal, needs) for name, needs in (("a", "one"), ("b", "other"), ("c", "two"))
        ]
        with Program(tmp_path, text + config(*models), watch=False) as program:
            assert chat(program, "a", "hello").status_code == chat(program, "c", "hello").status_code == 200
            code, message = openai_shape(chat(program, "b", "hello"))
            assert code == "model_start_failed"
            assert "out of memory" in message
            assert {name: row["state"] for name, row in running(program).items()} == {"b": "failed", "c": "ready"}
        assert len(journal.all("start")) == 2


@pytest.mark.parametrize("kept", ["pin", "persistent", "off"])
def test_q42_what_must_stay_stays(kept: str, tmp_path: Path) -> None:
    """Pinned, in a persistent group, or told not to."""
    with Journal(tmp_path) as journal:
        first = sharing(tmp_path, "a", journal) + ("    pin: true\n" if kept == "pin" else "")
        text = TOGETHER + ("    persistent: true\n" if kept == "persistent" else "")
        keys = {"evictOnOutOfMemory": "false"} if kept == "off" else {}
        with Program(tmp_path, text + config(first, sharing(tmp_path, "b", journal), **keys), watch=False) as program:
            assert chat(program, "a", "hello").status_code == 200
            assert openai_shape(chat(program, "b", "hello"))[0] == "model_start_failed"
            assert running(program)["a"]["state"] == "ready"


def test_p28_a_server_that_may_take_no_more_memory_says_so(tmp_path: Path) -> None:
    """With a limit of its own, as far as one can be set without the rights of the machine."""
    program_text = shlex.quote("x = bytearray(10 ** 10)")
    script = tmp_path / "narrow.sh"
    script.write_text(f"ulimit -v 400000\nexec {sys.executable} -c {program_text}\n")
    with Program(tmp_path, config(f"  a:\n    cmd: sh {script} ${{PORT}}\n"), watch=False) as program:
        code, message = openai_shape(chat(program, "a", "hello"))
    assert code == "model_start_failed"
    assert "it ran out of memory" in message
