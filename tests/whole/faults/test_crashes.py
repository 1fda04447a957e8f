"""Servers that cannot begin, or end again and again: told at once, tried less and less, at nobody else's cost."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from tests.whole.asking import caller, chat, openai_shape, running
from tests.whole.following import follow
from tests.whole.journal import Journal
from tests.whole.program import Program, config, model


def test_p2_a_model_that_fails_again_and_again_is_given_up_and_a_reset_tries_it_anew(tmp_path: Path) -> None:
    """Visible everywhere with the reason and its last lines; callers get 503 with Retry-After, and nothing starts."""
    broken = tmp_path / "broken"
    broken.touch()
    with Journal(tmp_path) as journal:
        options = f"{journal.option} --crash-file {broken} --stderr 'no kernel image is available'"
        text = config(model("a", options), crashLimit="{failures: 1, retry: 1h}")
        with Program(tmp_path, text) as program, follow(program) as page, caller(program) as client:
            first = chat(program, "a", "hello")
            assert first.status_code == 502
            assert "no kernel image is available" in openai_shape(first)[1]
            second = chat(program, "a", "hello")
            assert second.status_code == 503
            assert openai_shape(second)[0] == "model_gave_up"
            assert "no kernel image is available" in openai_shape(second)[1]
            assert 3500 < int(second.headers["Retry-After"]) <= 3600
            assert running(program)["a"]["state"] == "gave-up"
            row = client.get("/v1/models").json()["data"][0]
            assert row["status"] == {"value": "unloaded", "failed": True, "state": "gave-up"}
            page.until("swap", lambda data: data["state"] == "gave-up")
            broken.unlink()
            assert chat(program, "a", "hello").status_code == 503
            client.post("/api/models/reset/a").raise_for_status()
            assert chat(program, "a", "hello").status_code == 200
        assert len(journal.all("start")) == 1, "nothing was started while it was given up"


def test_p3_an_edit_elsewhere_forgets_nothing_and_an_edit_of_the_model_forgets_all(tmp_path: Path) -> None:
    """Counters survive a reload if the model did not change."""
    limit = "{failures: 1, retry: 1h}"
    with Program(tmp_path, config(model("a", "--exit"), crashLimit=limit)) as program:
        chat(program, "a", "hello")
        program.edit(config(model("a", "--exit", ttl=5), model("b"), crashLimit=limit))
        assert openai_shape(chat(program, "a", "hello"))[0] == "model_gave_up"
        program.edit(config(model("a"), model("b"), crashLimit=limit))
        assert chat(program, "a", "hello").status_code == 200


def test_f12_a_crash_loop_behind_no_health_check_backs_off_and_stops_nobody(tmp_path: Path) -> None:
    """`checkEndpoint: none` calls it ready at once; that alone is no success. A working model is not stopped for it."""
    with Journal(tmp_path) as journal:
        dying = model("a", "--exit --exit-code 3", checkEndpoint="none")
        with Program(tmp_path, config(dying, model("b", journal.option))) as program:
            codes = []
            for _ in range(3):
                codes.append(chat(program, "a", "hello").status_code)
                assert chat(program, "b", "hello").status_code == 200
            assert codes[-1] == 503
            assert openai_shape(chat(program, "a", "hello"))[0] == "model_start_backoff"
            assert chat(program, "b", "hello").status_code == 200
        assert len(journal.all("start")) <= 2


def test_p1_an_exit_with_code_0_before_ready_is_a_failure_and_says_so(tmp_path: Path) -> None:
    with Program(tmp_path, config(model("a", "--exit --exit-code 0 --stderr 'all done'"))) as program:
        code, message = openai_shape(chat(program, "a", "hello"))
    assert code == "model_start_failed"
    assert "exit code 0" in message
    assert "all done" in message


@pytest.mark.parametrize(
    ("name", "content", "executable", "told"),
    [
        ("missing", None, False, "does not exist"),
        ("plain", "#!/bin/sh\n", False, "may not be executed"),
        ("alien", "\x7fELF nothing for this machine", True, "is no program for this machine"),
        ("orphan", "#!/nonexistent/interpreter\n", True, "interpreter or loader"),
    ],
)
def test_p4_each_way_not_to_start_has_its_own_sentence(
    tmp_path: Path, name: str, content: str | None, executable: bool, told: str
) -> None:
    """And is not tried again at once."""
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content.encode("latin-1"))
        path.chmod(0o755 if executable else 0o644)
    with Program(tmp_path, config(f"  a:\n    cmd: {path} --port ${{PORT}}\n")) as program:
        assert told in openai_shape(chat(program, "a", "hello"))[1]
        assert openai_shape(chat(program, "a", "hello"))[0] == "model_start_backoff"


@pytest.mark.fault("Q42")
@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("ggml_backend_cuda_buffer_type_alloc_buffer CUDA error out of memory", "out of memory"),
        ("error while loading shared libraries libcudart.so.12 cannot open", "shared library"),
        ("couldnt bind HTTP server socket, port 5800 address already in use", "port"),
        ("gguf_init_from_file failed to open GGUF file x.gguf (No such file or directory)", "model file"),
    ],
)
def test_p4_f31_what_its_output_says_of_the_cause_is_told_first(tmp_path: Path, line: str, told: str) -> None:
    with Program(tmp_path, config(model("a", f"--exit --stderr '{line}'"))) as program:
        message = openai_shape(chat(program, "a", "hello"))[1]
    first = message.split("\n")[0]
    assert told in first
    assert line in message


def test_p19_p20_a_crash_of_an_idle_model_is_seen_and_the_next_request_is_served(tmp_path: Path) -> None:
    """Exactly one restart, no stale `ready`."""
    with Journal(tmp_path) as journal:
        with Program(tmp_path, config(model("a", journal.option))) as program:
            assert chat(program, "a", "hello").status_code == 200
            os.kill(journal.all("start")[0]["pid"], signal.SIGKILL)
            assert chat(program, "a", "hello").status_code == 200
        assert len(journal.all("start")) == 2
