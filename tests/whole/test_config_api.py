"""What a page learns of the configuration; and a model whose part of the file is wrong."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.conformance.scene import mirror
from tests.whole.asking import caller, openai_shape, running
from tests.whole.mirrored import asking
from tests.whole.program import ROOT, Program, config

SECRET = "the-secret-of-this-test"
TEXT = config(mirror("a", env="['HF_TOKEN=${env.TEST_SECRET}']"), mirror("b"))


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Program]:
    with Program(tmp_path, TEXT, env={"TEST_SECRET": SECRET}) as started:
        yield started


@pytest.fixture
def ask(program: Program) -> Iterator[httpx.Client]:
    with caller(program) as client:
        yield client


def test_the_configuration_in_force_is_shown_as_the_command_shows_it(program: Program, ask: httpx.Client) -> None:
    """Without its secrets, and with nobody disabled."""
    shown = ask.get("/api/config").raise_for_status().json()
    command = [sys.executable, "-m", "llamaswap_py", "config", "show", "--json", f"--config={program.path}"]
    printed = subprocess.run(command, cwd=ROOT, env=program.env, capture_output=True, check=True).stdout
    assert shown == json.loads(printed) | {"disabled": {}}
    assert SECRET not in json.dumps(shown)
    assert shown["models"]["a"]["env"] == ["HF_TOKEN=********"]


def test_a_text_is_checked_and_nothing_comes_into_force(ask: httpx.Client) -> None:
    """Mistakes of the whole, of one model, and warnings, each with its place and remedy."""
    wrong = ask.post("/api/config/check", content="models: {}\nstartPort: -1\n").json()
    assert (wrong["accepted"], len(wrong["mistakes"])) == (False, 1)
    (mistake,) = wrong["mistakes"]
    assert (mistake["line"], mistake["key"]) == (2, "startPort")
    assert mistake["remedy"]
    partly = ask.post("/api/config/check", content=TEXT + "    ttl: soon\n    colour: red\n").json()
    assert (partly["accepted"], list(partly["disabled"]), partly["mistakes"]) == (True, ["b"], [])
    fine = ask.post("/api/config/check", content=TEXT + "colour: red\n").json()
    assert (fine["disabled"], [row["key"] for row in fine["warnings"]]) == ({}, ["colour"])
    assert set(ask.get("/api/config").json()["models"]) == {"a", "b"}


def test_a_check_does_not_tell_what_the_environment_holds(ask: httpx.Client) -> None:
    answer = ask.post("/api/config/check", content="models: {}\nstartPort: ${env.TEST_SECRET}\n")
    assert answer.json()["accepted"] is False
    assert SECRET not in answer.text


def test_what_is_no_text_is_refused(ask: httpx.Client) -> None:
    response = ask.post("/api/config/check", content=b"\xff\xfe")
    assert response.status_code == 400
    assert openai_shape(response)[0] == "bad_request"


def test_a_difference_is_what_a_reload_would_do(program: Program, ask: httpx.Client) -> None:
    """Asked of a text, and then of the file that was saved without being heeded."""
    text = "patience: 7\n" + TEXT.replace("--name ${MODEL_ID}", "--name other", 1) + "    ttl: 9\n" + mirror("c")
    told = ask.post("/api/config/diff", content=text).json()
    assert told == {
        "accepted": True,
        "mistakes": [],
        "warnings": [],
        "disabled": {},
        "added": ["c"],
        "removed": [],
        "restarted": {"a": ["cmd"]},
        "retuned": {"b": ["ttl"]},
        "settings": told["settings"],
    }
    assert "patience" in told["settings"]
    same = ask.post("/api/config/diff").json()
    assert [same[each] for each in ("added", "removed", "restarted", "retuned", "settings")] == [[], [], {}, {}, []]
    assert "added" not in ask.post("/api/config/diff", content="models: [").json()


@pytest.mark.fault("R80", "F7")
def test_a_model_that_is_wrong_disables_only_itself(program: Program, ask: httpx.Client) -> None:
    """The others go on; it is shown with the reason, whoever asks for it hears it, and a good file brings it back."""
    asking(ask, "a")
    before = running(program)["a"]["pid"]
    program.edit(TEXT + "    ttl: soon\n")
    rows = running(program)
    assert (rows["a"]["state"], rows["a"]["pid"]) == ("ready", before)
    assert rows["b"]["state"] == "disabled"
    assert "models.b.ttl" in rows["b"]["why"]
    for response in (ask.post("/v1/chat/completions", json={"model": "b"}), ask.post("/api/models/load/b")):
        assert response.status_code == 503
        code, sentence = openai_shape(response)
        assert code == "model_disabled"
        assert "models.b.ttl" in sentence
    assert running(program)["a"]["pid"] == before
    assert set(ask.get("/api/config").json()["disabled"]) == {"b"}
    program.edit(TEXT)
    assert asking(ask, "b").name == "b"


def test_a_model_that_becomes_wrong_is_stopped_and_not_started_again(program: Program, ask: httpx.Client) -> None:
    asking(ask, "b")
    said = program.said
    program.edit(TEXT + "    ttl: soon\n")
    program.wait_for(r"b: stopping \(removed\)", said)
    ask.get("/unload").raise_for_status()
    assert {name: row["state"] for name, row in running(program).items()} == {"b": "disabled"}
