"""The configuration changed from the page: read, tried, saved, taken back; a file says what its writer wrote."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from llamaswap_py.daemon.builtin import DEMO_MODEL
from llamaswap_py.server.shapes import configuration
from tests.conformance.scene import mirror
from tests.whole.asking import caller, openai_shape, running
from tests.whole.mirrored import asking
from tests.whole.program import ROOT, Program, config

OURS = {"PYTHONPATH": str(ROOT)}  # in another folder than that of these sources
TEXT = "# mine\n" + config(mirror("a"), mirror("b"))


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Program]:
    """Nothing but a save makes it read the file."""
    with Program(tmp_path, TEXT, watch=False) as started:
        yield started


@pytest.fixture
def ask(program: Program) -> Iterator[httpx.Client]:
    with caller(program) as client:
        yield client


def read(ask: httpx.Client, file: str = "") -> dict[str, Any]:
    response = ask.get("/api/config/text", params={"file": file}).raise_for_status()
    told: dict[str, Any] = response.json()
    assert response.headers["ETag"] == f'"{told["tag"]}"'
    return told


def save(ask: httpx.Client, text: str, tag: str, **query: str) -> httpx.Response:
    return ask.put("/api/config/text", content=text.encode(), headers={"If-Match": f'"{tag}"'}, params=query)


def history(ask: httpx.Client) -> list[dict[str, Any]]:
    versions: list[dict[str, Any]] = ask.get("/api/config/history").raise_for_status().json()["versions"]
    return versions


def test_a_text_is_saved_as_written_and_comes_into_force(program: Program, ask: httpx.Client) -> None:
    """What is not concerned goes on; the answer says what happened, and each version is kept."""
    before = read(ask)
    assert (before["text"], before["writable"], before["exists"]) == (TEXT, True, True)
    asking(ask, "a")
    pid = running(program)["a"]["pid"]
    text = TEXT.replace("# mine", "# mine, ü\r") + "    ttl:   9 # so\n"
    told = save(ask, text, before["tag"]).raise_for_status().json()
    assert msgspec.convert(told, configuration.Saved) == told
    assert (told["retuned"], told["atomic"]) == ({"b": ["ttl"]}, True)
    assert told["reload"] == {"state": "loaded", "mistakes": []}
    assert program.path.read_bytes() == text.encode()
    assert ask.get("/api/config").json()["models"]["b"]["ttl"] == 9
    assert running(program)["a"]["pid"] == pid
    assert read(ask)["tag"] == told["tag"]
    assert [row["by"] for row in history(ask)] == ["page", "start"]
    remark = save(ask, text + "# more\n", told["tag"]).raise_for_status().json()
    assert remark["reload"]["state"] == "unchanged"


def test_only_what_was_read_is_overwritten(program: Program, ask: httpx.Client) -> None:
    tag = read(ask)["tag"]
    program.path.write_text(TEXT + "    ttl: 3\n")
    response = save(ask, TEXT + "    ttl: 9\n", tag)
    assert response.status_code == 412
    assert openai_shape(response)[0] == "changed_meanwhile"
    assert program.path.read_text() == TEXT + "    ttl: 3\n"
    blind = ask.put("/api/config/text", content=TEXT)
    assert (blind.status_code, openai_shape(blind)[0]) == (428, "precondition_required")
    new = ask.put("/api/config/text", content=TEXT, headers={"If-None-Match": "*"})
    assert new.status_code == 412


def test_a_wrong_text_is_refused_with_every_mistake(program: Program, ask: httpx.Client) -> None:
    """Also one that is wrong within a model, unless its writer says so: a start with it would be refused."""
    tag = read(ask)["tag"]
    response = save(ask, "startPort: -1\nmodels: {}\npatience: soon\n", tag)
    body = response.json()
    assert (response.status_code, body["error"]["code"], body["accepted"]) == (422, "config_refused", False)
    assert [(row["line"], row["key"]) for row in body["mistakes"]] == [(1, "startPort"), (3, "patience")]
    assert save(ask, "", tag).json()["mistakes"][0]["message"] == "the file is empty"
    partly = TEXT + "    ttl: soon\n"
    assert list(save(ask, partly, tag).json()["disabled"]) == ["b"]
    assert program.path.read_text() == TEXT
    save(ask, partly, tag, disabling="true").raise_for_status()
    assert running(program)["b"]["state"] == "disabled"
    assert save(ask, partly + "# more\n", read(ask)["tag"]).status_code == 200


def test_an_earlier_version_is_taken_again_by_an_ordinary_save(tmp_path: Path) -> None:
    """Those that were edited by hand are kept like others; and that a file is watched changes nothing."""
    with Program(tmp_path, TEXT) as program, caller(program) as ask:
        program.edit(TEXT + "    ttl: 5\n")
        check_history(program, ask)


def check_history(program: Program, ask: httpx.Client) -> None:
    newest, first = history(ask)
    assert (newest["by"], newest["changes"]["retuned"]) == ("edit", {"b": ["ttl"]})
    shown = ask.get(f"/api/config/history/{first['id']}").json()
    assert shown["text"] == TEXT
    assert msgspec.convert(shown, configuration.ConfigVersionText) == shown
    restore = f"/api/config/history/{first['id']}/restore"
    assert ask.post(restore).status_code == 428
    assert ask.post(restore, headers={"If-Match": '"old"'}).status_code == 412
    told = ask.post(restore, headers={"If-Match": f'"{read(ask)["tag"]}"'}).raise_for_status().json()
    assert told["retuned"] == {"b": ["ttl"]}
    assert program.path.read_text() == TEXT
    assert (history(ask)[0]["by"], history(ask)[0]["restored"]) == ("restore", first["id"])
    assert ask.get("/api/config/history/nothing").status_code == 404
    kept = list((program.path.parent / "state" / "configurations").iterdir())
    assert {stat.S_IMODE(path.stat().st_mode) for path in kept} == {0o600}


def test_a_model_is_put_into_the_text_and_shown_before_it_is_saved(program: Program, ask: httpx.Client) -> None:
    asked = {"id": "c", "keys": {"cmd": "run --port ${PORT}", "ttl": 60, "name": None}}
    told = ask.post("/api/config/add", json=asked).raise_for_status().json()
    assert msgspec.convert(told, configuration.ConfigAdded) == told
    assert told["text"].startswith(TEXT)
    assert (told["added"], told["accepted"]) == (["c"], True)
    assert told["text"].splitlines()[told["line"] - 1] == "  c:"
    assert program.path.read_text() == TEXT
    again = ask.post("/api/config/add", json=asked | {"text": told["text"]})
    assert (again.status_code, openai_shape(again)[0]) == (400, "bad_request")
    assert ask.post("/api/config/add", json={"id": "d", "found": "/no/such"}).status_code == 404
    for body in ("{}", '{"id": " "}', '{"id": "x", "colour": 1}', "[]"):
        assert ask.post("/api/config/add", content=body).status_code == 400


def test_a_file_that_was_pulled_is_written_down_with_what_its_header_says(tmp_path: Path) -> None:
    """Where downloads go is looked at, though nothing there is served."""
    (tmp_path / "models").mkdir()
    path = tmp_path / "models" / "Tiny-Q8_0.gguf"
    shutil.copy(DEMO_MODEL, path)
    os.utime(path, (1, 1))  # what is being written is not looked at
    with Program(tmp_path, TEXT, watch=False) as program, caller(program) as ask:
        candidates = ask.get("/api/config/candidates").raise_for_status().json()
        assert msgspec.convert(candidates, configuration.ConfigCandidates) == candidates
        (found,) = candidates["models"]
        assert (found["file"], found["served"]) == (str(path), None)
        told = ask.post("/api/config/add", json={"id": "tiny", "found": str(path), "keys": {"ttl": "5m"}}).json()
        assert (told["added"], told["disabled"], told["warnings"]) == (["tiny"], {}, [])
        assert str(path) in told["text"]
        assert 'ttl: "5m"' in told["text"]


def test_another_page_can_neither_read_nor_save(ask: httpx.Client) -> None:
    foreign = {"Origin": "http://elsewhere.example", "If-Match": '"x"'}
    for method, path in (("GET", "/api/config/text"), ("PUT", "/api/config/text"), ("GET", "/api/config/history")):
        assert ask.request(method, path, headers=foreign).status_code == 403


def test_the_schema_is_served(ask: httpx.Client) -> None:
    assert "models" in ask.get("/api/config/schema").raise_for_status().json()["properties"]


def test_files_of_a_folder_are_named_and_new_ones_are_made(tmp_path: Path) -> None:
    folder = tmp_path / "parts"
    folder.mkdir()
    (folder / "a.yaml").write_text(config(mirror("a")))
    (folder / "b.yaml").write_text("models:\n" + mirror("b"))
    with Program(tmp_path, None, f"--config-dir={folder}", watch=False, env=OURS) as program, caller(program) as ask:
        told = ask.get("/api/config/files").json()
        assert [row["name"] for row in told["files"]] == ["a.yaml", "b.yaml"]
        assert (told["folder"], told["create"]) == (str(folder), None)
        second = str(folder / "b.yaml")
        text = read(ask, second)["text"]
        diff = ask.post("/api/config/diff", params={"file": second}, content=text + "    ttl: 9\n").json()
        assert (diff["retuned"], diff["removed"]) == ({"b": ["ttl"]}, [])
        wrong = ask.post("/api/config/check", params={"file": second}, content=text + mirror("a")).json()
        assert wrong["disabled"]["a"][0]["file"] == second
        path = str(folder / "c.yaml")
        content = "models:\n" + mirror("c")
        made = ask.put("/api/config/text", params={"file": path}, content=content, headers={"If-None-Match": "*"})
        assert made.raise_for_status().json()["added"] == ["c"]
        assert asking(ask, "c").name == "c"
        for name in ("../d.yaml", "d.txt", "/etc/passwd", ".d.yaml"):
            assert ask.get("/api/config/text", params={"file": name}).status_code == 404
            assert ask.post("/api/config/check", params={"file": name}, content=text).status_code == 404


def test_where_there_is_no_file_one_is_made(tmp_path: Path) -> None:
    """What it says before it was changed is what is served without it, and the next start finds it."""
    with Program(tmp_path, None, watch=False, env=OURS) as program, caller(program) as ask:
        told = ask.get("/api/config/files").json()
        path = tmp_path / "config.yaml"
        assert (told["files"], told["create"]) == ([], str(path))
        proposed = read(ask)
        assert (proposed["exists"], proposed["tag"]) == (False, "")
        same = ask.post("/api/config/diff", params={"file": str(path)}, content=proposed["text"]).json()
        assert (same["added"], same["removed"], same["restarted"]) == ([], [], {})
        made = ask.put("/api/config/text", content="models:\n" + mirror("a"), headers={"If-None-Match": "*"})
        assert "a" in made.raise_for_status().json()["added"]
        assert path.read_text() == "models:\n" + mirror("a")
        assert asking(ask, "a").name == "a"
        assert read(ask)["exists"] is True
