"""Downloads by order of a page: begun, shared, followed, cancelled, and over with the program."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import psutil

from tests.fakes.hub import FakeHub, Mood, Repo
from tests.fakes.tiny_gguf import Tiny
from tests.library.pull.pulls import LONG, MODEL, REPO, gguf, hub_of, left_in
from tests.whole.asking import caller
from tests.whole.following import follow
from tests.whole.program import Program, config

SIZE = 1_000_000


@contextmanager
def served(folder: Path, hub: FakeHub, text: str = config()) -> Iterator[tuple[Program, httpx.Client]]:
    env = {"HF_ENDPOINT": hub.url, "HF_HOME": str(folder / "hf"), "LLAMASWAP_MODELS": ""}
    with Program(folder, text, env=env) as program, caller(program) as client:
        yield program, client


def stopped_half_way(hub: FakeHub) -> None:
    hub.moods[MODEL].append(Mood(pause_after=SIZE // 2))


def begun(client: httpx.Client, hub: FakeHub) -> dict[str, Any]:
    """A pull that stands still half way."""
    stopped_half_way(hub)
    answer = client.post("/api/pulls", json={"repo": REPO})
    assert answer.status_code == 202
    assert hub.paused.wait(LONG)
    row: dict[str, Any] = answer.json()
    return row


def followed(client: httpx.Client, repo: str) -> Iterator[dict[str, Any]]:
    """The rows of a pull's own stream, which is asked for with the order."""
    with client.stream("POST", "/api/pulls", json={"repo": repo}, headers={"Accept": "text/event-stream"}) as answer:
        lines = (line for line in answer.iter_lines() if line.startswith("data: "))
        yield from (json.loads(line.removeprefix("data: ")) for line in lines)


def test_a_pull_is_followed_from_its_beginning_to_its_end(tmp_path: Path) -> None:
    with hub_of(SIZE) as hub, served(tmp_path, hub) as (_, client):
        stopped_half_way(hub)
        rows = []
        for row in followed(client, REPO):
            rows.append(row)
            if row["done"] == SIZE // 2:
                hub.released.set()
        assert [rows[0]["state"], rows[-1]["state"]] == ["waiting", "done"]
        assert rows[-1]["files"] == [{"path": MODEL, "size": SIZE, "done": SIZE, "stage": "done"}]
        assert client.get(f"/api/pulls/{rows[0]['id']}").json() == rows[-1]
    assert (tmp_path / "models" / "Tiny-GGUF" / MODEL).read_bytes() == gguf(SIZE)


def test_pages_hear_of_the_progress_and_of_what_is_under_way_when_they_come(tmp_path: Path) -> None:
    with hub_of(SIZE) as hub, served(tmp_path, hub) as (program, client):
        row = begun(client, hub)
        with follow(program) as page:
            page.opening()
            heard = page.until("pull")
            assert (heard.event, heard.data["id"]) == ("pull", row["id"])
            page.until("pull", lambda data: data["done"] == SIZE // 2)
            hub.released.set()
            page.until("pull", lambda data: data["state"] == "done")


def test_who_wants_the_same_shares_it(tmp_path: Path) -> None:
    with hub_of(SIZE) as hub, served(tmp_path, hub) as (program, client):
        row = begun(client, hub)
        again = client.post("/api/pulls", json={"repo": REPO})
        assert (again.status_code, again.json()["id"]) == (200, row["id"])
        with follow(program) as page:
            client.post("/api/pulls", json={"repo": REPO, "include": MODEL})  # the same file under another wish
            page.until("pull", lambda data: any(file["stage"] == "loaded by another pull" for file in data["files"]))
            hub.released.set()
            ends = {page.until("pull", lambda data: data["state"] == "done").data["id"]}
            ends |= {page.until("pull", lambda data: data["state"] == "done" and data["id"] not in ends).data["id"]}
        assert len(client.get("/api/pulls").json()["pulls"]) == 2
        assert hub.sent[MODEL] == SIZE


def test_a_cancelled_pull_is_over_at_once_and_goes_on_another_time(tmp_path: Path) -> None:
    with hub_of(SIZE) as hub, served(tmp_path, hub) as (program, client):
        row = begun(client, hub)
        with follow(program) as page:
            page.until("pull", lambda data: data["done"] == SIZE // 2)
            assert client.delete(f"/api/pulls/{row['id']}").json()["state"] == "cancelled"
            page.until("pull", lambda data: data["state"] == "cancelled")
        assert left_in(tmp_path / "models") == set()
        hub.moods[MODEL].clear()
        assert list(followed(client, REPO))[-1]["state"] == "done"
        assert client.delete(f"/api/pulls/{row['id']}").status_code == 200
        assert client.get(f"/api/pulls/{row['id']}").status_code == 404
        asked = [headers.get("range") for _, path, headers in hub.requests if path.startswith("/storage/")]
        assert asked == [None, f"bytes={SIZE // 2}-"]


def test_a_failure_has_its_code_its_sentence_and_near_names(tmp_path: Path) -> None:
    with hub_of(SIZE) as hub, served(tmp_path, hub) as (_, client):
        last = list(followed(client, "acme/Tinny-GGUF"))[-1]
        assert last["state"] == "failed"
        assert last["error"]["code"] == "repository_not_found"
        assert last["error"]["near"] == [REPO]
        assert client.post("/api/pulls", json={"repo": ".."}).status_code == 400
        assert client.get("/api/pulls/none").status_code == 404


def test_foreign_pages_begin_nothing(tmp_path: Path) -> None:
    with hub_of(SIZE) as hub, served(tmp_path, hub) as (_, client):
        answer = client.post("/api/pulls", json={"repo": REPO}, headers={"Origin": "https://elsewhere.example"})
        assert answer.status_code == 403
        assert hub.requests == []


def pulls_of(program: Program) -> list[psutil.Process]:
    children = psutil.Process(program.process.pid).children(recursive=True)
    return [child for child in children if "pull" in child.cmdline()]


def test_pulls_end_with_the_program(tmp_path: Path) -> None:
    with hub_of(SIZE) as hub:
        with served(tmp_path, hub) as (program, client):
            begun(client, hub)
            pulls = pulls_of(program)
            assert len(pulls) == 1
        assert not any(pull.is_running() for pull in pulls)


def test_pulls_end_with_a_program_that_is_killed(tmp_path: Path) -> None:
    with hub_of(SIZE) as hub, served(tmp_path, hub) as (program, client):
        begun(client, hub)
        pulls = pulls_of(program)
        os.kill(program.process.pid, 9)
        program.process.wait(LONG)
        assert psutil.wait_procs(pulls, LONG)[1] == []


def test_what_was_pulled_is_a_model_without_a_restart(tmp_path: Path) -> None:
    (tmp_path / "shelf").mkdir()
    model = Tiny().write(tmp_path / "made.bin").read_bytes()
    repos = {"acme/Tiny-7B-GGUF": Repo({"Tiny-7B-Q4_K_M.gguf": model})}
    with FakeHub(repos) as hub, served(tmp_path, hub, "discover: [huggingface, shelf]\n") as (program, client):
        assert list(followed(client, "acme/Tiny-7B-GGUF"))[-1]["folder"] == str(tmp_path / "shelf" / "Tiny-7B-GGUF")
        program.wait_for("found 1 model: tiny-7b")
        program.wait_for("configuration reloaded")
        assert [row["id"] for row in client.get("/v1/models").json()["data"]] == ["tiny-7b"]
