"""Logs as files, by the real program: all of it, whole, within their limits, in the form that is asked for."""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path

import pytest

from tests.whole.asking import caller
from tests.whole.faults.crowd import until
from tests.whole.faults.disk import fill, inside, mountable, own_disk
from tests.whole.program import Program, config, fake, model
from tests.whole.talk import CHAT, chat_body

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals of other systems")

LINES = int(os.environ.get("LLAMASWAP_TEST_LOG_LINES", "200000"))
PRINTER = """
import sys
for begin in range(0, {count}, 500):
    sys.stdout.write("".join(f"line {{number:09d}} of {count}\\n" for number in range(begin, begin + 500)))
"""


def files(folder: Path, **rules: object) -> str:
    more = "".join(f", {name}: {value}" for name, value in rules.items())
    return f"logs: {{directory: {folder}{more}}}\n"


def loud(folder: Path, count: int) -> str:
    """A model whose server prints numbered lines as fast as they are taken, and then serves."""
    printer, script = folder / "printer.py", folder / "loud.sh"
    printer.write_text(PRINTER.format(count=count))
    serve = fake().replace("${PORT}", "$1").replace("${MODEL_ID}", "loud")
    script.write_text(f"#!/bin/sh\n{sys.executable} {printer}\nexec {serve}\n")
    return f"  loud:\n    cmd: sh {script} ${{PORT}}\n"


def numbers(logs: Path) -> list[int]:
    """In the order of the files. Every line is whole."""
    found = []
    turned = sorted(logs.glob("llamaswap-loud.log.*"), key=lambda each: -int(each.suffix[1:]))
    for each in [*turned, logs / "llamaswap-loud.log"]:
        for line in each.read_bytes().splitlines(keepends=True):
            if line.startswith(b"line "):
                assert len(line) == len(b"line 000000000 of \n") + len(str(LINES)), line
                found.append(int(line[5:14]))
    return found


def flood(folder: Path, **rules: object) -> Path:
    logs = folder / "logs"
    text = files(logs, **rules) + config(loud(folder, LINES))
    with Program(folder, text, watch=False) as program, caller(program) as client:
        client.post(CHAT, json=chat_body("loud", "hello")).raise_for_status()
    return logs


@pytest.mark.fault("L95")
def test_a_flood_of_lines_is_in_the_files_line_by_line(tmp_path: Path) -> None:
    """Every number once and in order over all files, though they are turned over dozens of times."""
    logs = flood(tmp_path, maxSize="256KB", keep=100000, total="2GB")
    assert numbers(logs) == list(range(LINES))
    assert all(each.stat().st_size <= 256 * 1024 for each in logs.glob("*.log*"))
    assert len(list(logs.glob("llamaswap-loud.log.*"))) > LINES // 20_000


@pytest.mark.fault("L95")
def test_of_a_flood_that_may_not_be_kept_only_the_oldest_is_missing(tmp_path: Path) -> None:
    total = 1024 * 1024
    logs = flood(tmp_path, maxSize="128KB", keep=1000, total="1MB")
    found = numbers(logs)
    assert found == list(range(LINES - len(found), LINES))
    assert total // 2 < sum(each.stat().st_size for each in logs.glob("llamaswap*")) <= total


def test_the_form_changes_with_a_reload_and_a_request_goes_by_its_id(tmp_path: Path) -> None:
    logs = tmp_path / "logs"
    text = files(logs) + config(model("a"))
    with Program(tmp_path, text) as program, caller(program) as client:
        client.get("/v1/models", headers={"X-Request-ID": "first-1"}).raise_for_status()
        program.edit("logFormat: json\n" + text)
        answer = client.post(CHAT, json=chat_body("a", "hello"), headers={"X-Request-ID": "second-2"})
        assert answer.headers["X-Request-ID"] == "second-2"
        program.wait_for("second-2.*POST")
    said = (logs / "llamaswap.log").read_text().splitlines()
    assert any(line.startswith("[INFO] Request") and line.endswith(" request=first-1") for line in said)
    told = [json.loads(line) for line in said if line.startswith("{")]
    (line,) = (each for each in told if each.get("request") == "second-2" and each["logger"] == "access")
    caused = [each["event"].partition(" after")[0] for each in told if each.get("request") == "second-2"]
    assert caused[:2] == ["a: starting", "a: ready"]
    assert line["level"] == "info"
    assert (line["model"], line["status"], line["method"], line["path"]) == ("a", 200, "POST", CHAT)
    assert told[-1]["event"] == "shutdown complete"
    assert said.index(next(line for line in said if "configuration reloaded" in line)) > 0


@pytest.mark.fault("L95", "P18")
def test_sigusr1_opens_the_files_anew(tmp_path: Path) -> None:
    logs = tmp_path / "logs"
    with Program(tmp_path, files(logs) + config(model("a")), watch=False) as program:
        until((logs / "llamaswap.log").exists)
        (logs / "llamaswap.log").rename(logs / "moved")
        program.process.send_signal(signal.SIGUSR1)
        program.wait_for("opened anew")
        until((logs / "llamaswap.log").exists)
    assert "listening on" in (logs / "moved").read_text()
    assert "shutdown complete" not in (logs / "moved").read_text()
    assert "shutdown complete" in (logs / "llamaswap.log").read_text()


@pytest.mark.fault("L90")
@pytest.mark.skipif(not mountable(), reason="only who may mount can have a small disk")
def test_l90_a_full_disk_costs_lines_of_the_files_and_nothing_else(tmp_path: Path) -> None:
    logs = tmp_path / "disk"
    program = Program(tmp_path, files(logs) + config(model("a")), watch=False)
    program.before = own_disk(logs, "1m")
    with program, caller(program) as client:
        filler = fill(inside(program, logs))
        for _ in range(20):
            client.post(CHAT, json=chat_body("a", "hello")).raise_for_status()
        program.wait_for("cannot be written in .*No space left")
        filler.unlink()
        program.wait_for("are written to .* again; 0 lines are missing")
        client.post(CHAT, json=chat_body("a", "hello"), headers={"X-Request-ID": "the-last"}).raise_for_status()
        own = inside(program, logs) / "llamaswap.log"
        until(lambda: "request=the-last" in own.read_text())
        assert own.read_text().count("POST /v1/chat") == 21


@pytest.mark.fault("L92")
@pytest.mark.parametrize("place", ["a file", "read-only"])
def test_a_folder_that_cannot_be_written_stops_nobody(tmp_path: Path, place: str) -> None:
    logs = tmp_path / "logs"
    if place == "a file":
        logs.write_text("")
    elif os.geteuid() == 0:
        logs = Path("/proc/logs")  # what is read-only even for root
    else:
        logs.mkdir(mode=0o500)
    with Program(tmp_path, files(logs) + config(model("a")), watch=False) as program, caller(program) as client:
        program.wait_for("llamaswap.log cannot be written")
        client.post(CHAT, json=chat_body("a", "hello")).raise_for_status()
