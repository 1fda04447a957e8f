"""What the Models view is told of each model, as it happens in the running program."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

from tests.fakes.tiny_gguf import write_header
from tests.whole.asking import caller, chat, forgive
from tests.whole.following import Following, follow
from tests.whole.program import Program, config, model

Row = dict[str, Any]


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    folder = tmp_path_factory.mktemp("standings")
    entries = {"general.file_type": 15, "llama.context_length": 4096}
    file = write_header(folder / "tiny.gguf", "llama", entries, ["blk.0.weight"])
    text = config(
        model("one", f"-m {file}", ttl=600, seats=1),
        model("two", "-c 1234 -m /nowhere/at-all.gguf"),
        model("stillborn", "--exit --exit-code 7 --stderr 'there is no such device'"),
        "peers:\n  far:\n    proxy: http://127.0.0.1:9\n    models: [there]\n",
    )
    with Program(folder, text) as started:
        yield started


@pytest.fixture
def ask(program: Program) -> Iterator[httpx.Client]:
    """Nothing runs when a test begins."""
    forgive(program, "stillborn")
    with caller(program) as client:
        client.get("/unload").raise_for_status()
        yield client


class Table:
    """The rows as a page has them: the whole, and then what changes."""

    def __init__(self, page: Following) -> None:
        self.page = page
        self.rows: dict[str, Row] = {}
        self.told = 0

    def until(self, name: str, fits: Callable[[Row], bool]) -> Row:
        while name not in self.rows or not fits(self.rows[name]):
            self.take(self.page.until("standings").data)
        return self.rows[name]

    def take(self, data: Any) -> None:
        self.told += 1
        if data["whole"]:
            self.rows = {}
        self.rows.update({row["id"]: row for row in data["rows"]})
        for name in data["gone"]:
            del self.rows[name]


@contextmanager
def table(program: Program) -> Iterator[Table]:
    with follow(program) as page:
        yield Table(page)


def in_state(state: str) -> Callable[[Row], bool]:
    return lambda row: bool(row["state"] == state)


def test_every_model_is_there_from_the_start(program: Program, ask: httpx.Client) -> None:
    with table(program) as seen:
        seen.until("one", in_state("stopped"))
        assert {name: row["state"] for name, row in seen.rows.items()} == {
            "one": "stopped",
            "two": "stopped",
            "stillborn": "stopped",
            "far/there": "remote",
        }
        assert seen.rows["one"]["group"] == seen.rows["two"]["group"] != ""
        assert seen.rows["far/there"]["peer"] == "far"


def test_what_the_models_file_and_command_say_is_told(program: Program, ask: httpx.Client) -> None:
    with table(program) as seen:
        row = seen.until("one", lambda row: bool(row["quantisation"]))
        assert (row["quantisation"], row["context"], row["architecture"]) == ("Q4_K_M", 4096, "llama")
        assert row["parameters"] > 0
        assert row["size"] > 0
        assert seen.rows["two"]["context"] == 1234
        assert seen.rows["two"]["quantisation"] == ""


def test_a_model_that_is_up_says_when_it_ends_by_itself(program: Program, ask: httpx.Client) -> None:
    with table(program) as seen:
        chat(program, "one", "hello")
        row = seen.until("one", lambda row: bool(row["state"] == "ready" and row["idle_at"]))
        assert 500 < row["idle_at"] - time.time() < 601
        assert row["pid"] > 0
        assert row["address"].startswith("http://")
        assert row["since"] == pytest.approx(time.time(), abs=30)
        assert (row["seats"], row["ttl"]) == (1, 600)


def test_what_it_takes_and_how_fast_it_answers_is_told(program: Program, ask: httpx.Client) -> None:
    with table(program) as seen:
        chat(program, "one", "hello")
        row = seen.until("one", lambda row: bool(row["memory"] and row["speed"]))
        assert row["memory"] > 1_000_000
        assert row["speed"] > 0
    with table(program) as later:
        assert later.until("one", lambda row: bool(row["speed"]))["speed"] == row["speed"]


def test_who_would_have_to_go_and_why_somebody_went(program: Program, ask: httpx.Client) -> None:
    with table(program) as seen:
        ask.post("/api/models/load/one").raise_for_status()
        assert seen.until("two", lambda row: bool(row["makes_room"]))["makes_room"] == ["one"]
        chat(program, "two", "hello")
        gone = seen.until("one", lambda row: bool(row["state"] == "stopped" and row["evicted"]))
        assert gone["evicted"]["wanted"] == "two"
        assert gone["evicted"]["at"] == pytest.approx(time.time(), abs=30)
        assert gone["idle_at"] is None
        assert seen.until("one", lambda row: bool(row["makes_room"]))["makes_room"] == ["two"]


def test_why_a_model_failed_comes_with_its_last_words(program: Program, ask: httpx.Client) -> None:
    with table(program) as seen:
        chat(program, "stillborn", "hello")
        row = seen.until("stillborn", in_state("failed"))
        assert "exit code 7" in row["why"]
        assert "there is no such device" in row["last_output"]
        assert "there is no such device" not in row["why"].partition(":")[0]
        assert row["retry_at"] > time.time() - 30
        forgive(program, "stillborn")
        seen.until("stillborn", lambda row: bool(row["state"] == "stopped" and not row["why"]))


def test_who_waits_is_told_with_the_place_in_the_queue(program: Program, ask: httpx.Client) -> None:
    """One seat: the second caller waits; when the first has been ended, it sits there."""
    ask.post("/api/models/load/one").raise_for_status()
    with table(program) as seen, ThreadPoolExecutor() as callers:
        asked = [callers.submit(chat, program, "one", "[fake first=30]") for _ in range(2)]
        row = seen.until("one", lambda row: bool(row["seated"] == 1 and row["waiting"]))
        assert row["waiting"][0]["position"] == 1
        assert row["waiting"][0]["since"] == pytest.approx(time.time(), abs=30)
        assert row["idle_at"] is None
        ask.post(f"/api/inflight/{flights(seen.page)[0]}/cancel").raise_for_status()
        seen.until("one", lambda row: bool(row["seated"] == 1 and not row["waiting"]))
        ask.post(f"/api/inflight/{flights(seen.page)[1]}/cancel").raise_for_status()
        seen.until("one", lambda row: bool(row["seated"] == 0 and row["idle_at"]))
        assert [each.result().status_code for each in asked] == [499, 499]


def flights(page: Following) -> list[str]:
    """All that were heard of, the first first."""
    told = [heard.data["request"]["id"] for heard in page.heard if heard.type == "inflight" and "request" in heard.data]
    return list(dict.fromkeys(told))


def test_a_model_that_leaves_the_configuration_leaves_the_table(program: Program, ask: httpx.Client) -> None:
    text = program.path.read_text()
    with table(program) as seen:
        seen.until("one", in_state("stopped"))
        program.edit(text.replace("  stillborn:", "  another:"))
        seen.until("another", in_state("stopped"))
        assert sorted(seen.rows) == ["another", "far/there", "one", "two"]
        program.edit(text)
        seen.until("stillborn", in_state("stopped"))
        assert "another" not in seen.rows


def test_many_changes_at_once_are_told_a_few_times_a_second(program: Program, ask: httpx.Client) -> None:
    """Sixty requests one after the other, each of which changes its row twice."""
    ask.post("/api/models/load/one").raise_for_status()
    with table(program) as seen:
        began = time.monotonic()
        for _ in range(60):
            chat(program, "one", "hello")
        took = time.monotonic() - began
        ask.get("/unload").raise_for_status()
        seen.until("one", in_state("stopped"))
        assert seen.told <= 5 * (took + 3)
