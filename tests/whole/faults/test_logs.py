"""What models print and what the program says: however much, however odd, whoever reads it or not."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.whole.asking import caller
from tests.whole.faults.crowd import cpu, memory, until
from tests.whole.following import follow
from tests.whole.program import LONG, ROOT, Program, config, fake, model
from tests.whole.talk import CHAT, chat_body, streamed

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="pipes of other systems")

MIB = 1024 * 1024
BOTH = "groups:\n  all:\n    swap: false\n    members: [a, loud]\n"


def wrapped(folder: Path, line: str) -> str:
    """A model whose server has a shell in front of it that does something first."""
    script = folder / "loud.sh"
    script.write_text(f"#!/bin/sh\n{line}\nexec {fake().replace('${PORT}', '$1').replace('${MODEL_ID}', 'loud')}\n")
    return f"  loud:\n    cmd: sh {script} ${{PORT}}\n"


def test_l93_a_server_that_floods_its_log_takes_nothing_from_the_others(tmp_path: Path) -> None:
    """It prints as fast as it can and never ends a line: memory is bounded, its writer waits, others are served."""
    text = BOTH + config(model("a"), wrapped(tmp_path, "cat /dev/zero &"))
    with Program(tmp_path, text, watch=False) as program, caller(program) as client:
        client.post(CHAT, json=chat_body("a", "hello")).raise_for_status()
        before, spent = memory(program), cpu(program)
        client.post(CHAT, json=chat_body("loud", "hello")).raise_for_status()
        asked = 0
        while cpu(program) - spent < 1.0:
            assert client.post(CHAT, json=chat_body("a", "hello")).content == streamed("a", "hello")
            asked += 1
        assert asked > 20, "it takes a small part of the processor"
        assert memory(program) - before < 32 * MIB


@pytest.mark.fault("F24")
def test_l94_what_is_no_text_is_kept_and_shown_without_harm(tmp_path: Path) -> None:
    """Bytes that are no UTF-8, NUL, terminal orders and progress bars: whole in the log, and pages stay readable."""
    odd = r"\377\000\033[31mred\033[0m 10%%\r 20%%\r<script>\n"
    with Program(tmp_path, config(wrapped(tmp_path, f"printf '{odd}'")), watch=False) as program:
        with caller(program) as client:
            client.post(CHAT, json=chat_body("loud", "hello")).raise_for_status()
            assert client.get("/logs").status_code == 200
        with follow(program) as page:
            said = [each.data["data"] for each in page.opening() if each.type == "logData"]
        assert any("red" in each and "<script>" in each for each in said)


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


@pytest.mark.parametrize("stdout", ["nobody reads it", "its reader is gone", "closed"])
def test_l96_whatever_becomes_of_stdout_service_goes_on_and_ends(tmp_path: Path, stdout: str) -> None:
    """Far more is said than a pipe holds; nothing waits for it, and the exit status is 0."""
    (tmp_path / "config.yaml").write_text(config(model("a")))
    port = free_port()
    flags = [f"--config={tmp_path / 'config.yaml'}", f"--listen=127.0.0.1:{port}", f"--state-dir={tmp_path / 'state'}"]
    reading, writing = os.pipe()
    if stdout == "its reader is gone":
        os.close(reading)
    process = subprocess.Popen(
        [sys.executable, "-m", "llamaswap_py", *flags],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=writing,
        stderr=writing,
        preexec_fn=closed if stdout == "closed" else None,  # noqa: PLW1509 - one system call
    )
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=LONG, trust_env=False) as client:
            until(lambda: is_up(client))
            agent = {"User-Agent": "x" * 4000}
            for _ in range(60):
                assert client.get("/v1/models", headers=agent).status_code == 200
            assert client.post(CHAT, json=chat_body("a", "hello")).content == streamed("a", "hello")
        process.send_signal(signal.SIGTERM)
        assert process.wait(LONG) == 0
    finally:
        process.kill()
        process.wait()
        os.close(writing)
        if stdout != "its reader is gone":
            os.close(reading)


def closed() -> None:
    for descriptor in range(3):
        os.close(descriptor)


def is_up(client: httpx.Client) -> bool:
    try:
        return client.get("/health").status_code == 200
    except httpx.TransportError:
        return False
