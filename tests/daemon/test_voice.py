"""What the program says, and that a slow listener never holds it up."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from llamaswap_py.daemon import voice
from llamaswap_py.daemon.forms import Console, Form, Json


@pytest.fixture
def said() -> list[bytes]:
    lines: list[bytes] = []
    voice.speak("info", lines.append)
    return lines


@pytest.fixture(autouse=True)
def quiet_afterwards() -> Iterator[None]:
    yield
    structlog.reset_defaults()


def test_lines_have_a_level_a_message_and_their_fields(said: list[bytes]) -> None:
    log = structlog.get_logger("test")
    log.debug("too fine")
    log.info("ready", pid=7)
    log.warning("careful")
    log.error("bad")
    assert b"".join(said) == b"[INFO] ready pid=7\n[WARN] careful\n[ERROR] bad\n"


async def test_what_another_thread_says_is_written_on_the_loop() -> None:
    """Rings wake their viewers where they are written, and those live on the loop."""
    written = asyncio.get_running_loop().create_future()
    voice.speak("info", lambda line: written.set_result((line, threading.get_ident())))
    await asyncio.to_thread(structlog.get_logger("test").warning, "no space left")
    assert await written == (b"[WARN] no space left\n", threading.get_ident())


def test_an_exception_is_told_with_its_trace(said: list[bytes]) -> None:
    try:
        raise LookupError("where")
    except LookupError:
        structlog.get_logger("test").exception("lost")
    text = b"".join(said)
    assert text.startswith(b"[ERROR] lost\nTraceback")
    assert text.rstrip().endswith(b"LookupError: where")


def test_the_level_can_change_while_it_runs(said: list[bytes]) -> None:
    log = structlog.get_logger("test")
    voice.speak("error", said.append)
    log.warning("unheard")
    voice.speak("debug", said.append)
    log.debug("heard")
    assert said == [b"[DEBUG] heard\n"]


FACTS: dict[str, str | int | float] = {"status": 200, "path": "/v1/models"}


@pytest.mark.parametrize("form", [Console(), Json()])
def test_a_finished_request_is_told_like_everything_else(said: list[bytes], form: Form) -> None:
    """Its shorter way writes what structlog would, at the same levels."""
    log = structlog.get_logger("access")
    for level in voice.LEVELS:
        said.clear()
        voice.speak(level, said.append, form)
        more = FACTS if isinstance(form, Json) else {}
        log.info("Request \udcff", request="a1", **more)
        log.debug("Request", request="a2", **more)
        say, once = voice.access(level, said.append, form), tuple(said)
        say("info", "Request \udcff", "a1", lambda: FACTS)
        say("debug", "Request", "a2", lambda: FACTS)
        assert [undated(line) for line in said] == [undated(line) for line in (*once, *once)]


def undated(line: bytes) -> bytes:
    return re.sub(rb'"time":"[^"]*"', b"", line)


def test_a_finished_request_is_dated_as_configured(said: list[bytes]) -> None:
    voice.access("info", said.append, Console("rfc3339"))("info", "Request", "a1", lambda: FACTS)
    assert re.fullmatch(rb"[0-9]{4}-[0-9]{2}-[0-9]{2}T\S+ \[INFO\] Request request=a1\n", said[0])


SCRIPT = """
import sys
from llamaswap_py.daemon.voice import Stdout, STDOUT_BACKLOG
out = Stdout()
for n in range(STDOUT_BACKLOG // 300):
    out.write(b"x" * 1000 + b"\\n")
sys.stderr.write(f"lost {out.lost > 0}")
sys.stderr.flush()
sys.stdin.read()
out.close()
"""


@pytest.mark.fault("L96")
def test_a_stdout_that_nobody_reads_costs_lines_not_time() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", SCRIPT], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stderr is not None
        assert process.stderr.read(9) == b"lost True"
        process.communicate(timeout=30)


@pytest.mark.fault("L96")
def test_a_stdout_that_is_gone_is_no_trouble() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    script = SCRIPT.replace("sys.stdin.read()", "")
    process = subprocess.run([sys.executable, "-c", script], stdout=writing, timeout=30, check=False)
    os.close(writing)
    assert process.returncode in (0, 120), "120: the interpreter's own flush at its exit"


@pytest.mark.fault("L90")
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_l90_a_full_disk_costs_lines_until_there_is_room_and_the_gap_is_told(tmp_path: Path) -> None:
    """Whole lines only: what is written after the gap begins on a line of its own."""
    descriptor = os.open("/dev/full", os.O_WRONLY)
    out = voice.Stdout(descriptor)
    out.write(b"lost\n")
    deadline = time.monotonic() + 30
    while not out.lost:
        assert time.monotonic() < deadline
    room = os.open(tmp_path / "log", os.O_WRONLY | os.O_CREAT)
    os.dup2(room, descriptor)
    out.write(b"kept\n")
    out.close()
    os.close(room)
    os.close(descriptor)
    assert (tmp_path / "log").read_text().splitlines() == [
        "[WARN] 1 line of the log lost: whoever takes it did not keep up lost=1",
        "kept",
    ]
