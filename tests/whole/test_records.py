"""What the running program writes down of its requests."""

from __future__ import annotations

import asyncio
import base64
import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.fakes import llama_answers as answers
from tests.whole import talk
from tests.whole.asking import caller
from tests.whole.following import follow
from tests.whole.journal import Journal
from tests.whole.program import Program, config, model
from tests.whole.talk import CHAT, chat_body

TEXT = "how many words are in this"
MESSAGES = {"messages": [{"role": "user", "content": TEXT}]}
BODIES: dict[str, dict[str, Any]] = {
    CHAT: MESSAGES,
    "/v1/completions": {"prompt": TEXT},
    "/completion": {"prompt": TEXT},
    "/infill": {"prompt": TEXT},
    "/v1/messages": {**MESSAGES, "max_tokens": 100},
    "/v1/responses": {"input": TEXT},
    "/v1/embeddings": {"input": TEXT},
    "/v1/rerank": {"query": TEXT, "documents": ["a", "b"]},
}
HALTING = "[fake words=30 stall=5]"  # some of the answer, then nothing more

Rows = list[dict[str, Any]]


def read(answer: httpx.Response) -> Rows:
    rows = answer.raise_for_status().json()["data"]
    assert isinstance(rows, list)
    return rows


def newest(client: httpx.Client) -> dict[str, Any]:
    return read(client.get("/api/metrics/activity", params={"limit": 1}))[0]


async def until_rows(client: httpx.AsyncClient, count: int) -> Rows:
    async with asyncio.timeout(10):
        while len(rows := read(await client.get("/api/metrics/activity"))) < count:
            pass
    return rows


async def in_flight(client: httpx.AsyncClient, told: str = '"operation"') -> list[dict[str, Any]]:
    """The requests in flight, from the stream that pages follow: once it says `told`."""
    async with client.stream("GET", "/api/events") as events:
        async for line in events.aiter_lines():
            if '"inflight"' not in line:
                continue
            payload = json.loads(json.loads(line.removeprefix("data:"))["data"])
            rows = payload.get("requests") or [payload["request"]] if payload["operation"] != "remove" else []
            if told in json.dumps(payload):
                return list(rows)
    raise AssertionError("the stream of events ended")


@contextmanager
def served(folder: Path, *models: str, **keys: object) -> Iterator[Program]:
    with Program(folder, config(*models, **keys)) as program:
        yield program


def test_a_row_says_what_the_server_said_of_every_format_streamed_and_whole(tmp_path: Path) -> None:
    with served(tmp_path, model("a")) as program, caller(program) as client:
        for path, body in BODIES.items():
            for stream in (False, True):
                asked = {"model": "a", "stream": stream, **body}
                client.post(path, json=asked).raise_for_status()
                q = answers.question("a", asked, None, 0)
                spent = 0 if path in ("/v1/embeddings", "/v1/rerank") else len(q.tokens)
                row = newest(client)
                assert (row["model"], row["req_path"], row["resp_status_code"]) == ("a", path, 200)
                tokens = row["tokens"]
                assert (tokens["input_tokens"], tokens["output_tokens"]) == (q.prompt_tokens, spent), (path, stream)


def test_a_long_stream_is_counted_to_its_end_with_and_without_captures(tmp_path: Path) -> None:
    words = 2000
    for buffer in (5, 0):
        folder = tmp_path / str(buffer)
        folder.mkdir()
        with served(folder, model("a"), captureBuffer=buffer) as program, caller(program) as client:
            for path in (CHAT, "/v1/messages", "/v1/responses"):
                body = {"model": "a", "stream": True, **BODIES[path], "max_tokens": words, "max_output_tokens": words}
                headers = {"X-Fake": f"words={words} pad=100"}
                client.post(path, json=body, headers=headers).raise_for_status()
                row = newest(client)
                assert (row["tokens"]["input_tokens"], row["tokens"]["output_tokens"]) == (6, words), path
                assert row["has_capture"] == (buffer > 0)


def test_an_answer_behind_news_of_the_loading_is_counted_as_any_other(tmp_path: Path) -> None:
    loads_long = model("a", "--load-seconds 0.3")
    with served(tmp_path, loads_long, sendLoadingState="true") as program, caller(program) as client:
        answer = client.post(CHAT, json=chat_body("a", TEXT))
        row = newest(client)
    assert "llama-swap loading model: a" in answer.text
    assert (row["resp_status_code"], row["resp_content_type"]) == (200, "text/event-stream")
    assert (row["tokens"]["input_tokens"], row["tokens"]["output_tokens"]) == (6, answers.DEFAULT_WORDS)
    assert row["duration_ms"] >= 300


def test_refusals_are_rows_where_a_model_was_named(tmp_path: Path) -> None:
    models = model("a", "--exit --exit-code 3"), model("b", concurrencyLimit=0)
    with served(tmp_path, *models) as program, caller(program) as client:
        for body in ({}, {"model": "nobody"}, {"model": "a"}):
            client.post(CHAT, json={**MESSAGES, **body})
        client.post("/v1/chat/completions", json={"model": "b", **MESSAGES}, headers={"X-Fake": "status=503"})
        rows = read(client.get("/api/metrics/activity"))
    found = [(row["model"], row["resp_status_code"]) for row in rows]
    assert found == [("b", 503), ("a", 502), ("nobody", 404)]
    assert rows[0]["error_msg"] == "told to answer 503"
    assert "there is no model 'nobody' here" in rows[2]["error_msg"]
    assert not any(row["tokens"]["input_tokens"] for row in rows)


def test_a_request_over_its_models_limit_is_a_row(tmp_path: Path) -> None:
    with served(tmp_path, model("a", concurrencyLimit=1)) as program, caller(program) as client:
        body = chat_body("a", HALTING)
        with client.stream("POST", CHAT, json=body) as answer:
            pieces = answer.iter_bytes()  # dropped, it would close the answer
            next(pieces)
            assert client.post(CHAT, json=body).status_code == 429
            row = newest(client)
    assert (row["resp_status_code"], row["resp_content_type"]) == (429, "application/json")
    assert row["error_msg"]


async def test_a_caller_who_leaves_and_a_server_that_dies_are_rows_with_the_reason(tmp_path: Path) -> None:
    with served(tmp_path, model("a")) as program:
        async with talk.caller(program) as client:
            async with client.stream("POST", CHAT, json=chat_body("a", HALTING)) as answer:
                await anext(answer.aiter_bytes())
            [left] = await until_rows(client, 1)
            told = await talk.stream(client, "a", "[fake words=30 crash=5]")
            died, _ = await until_rows(client, 2)
    assert (left["resp_status_code"], left["error_msg"]) == (200, "the caller left before the answer ended")
    assert told.error is not None
    assert died["resp_status_code"] == 200
    assert died["error_msg"].startswith("the model's server")


async def test_a_cancelled_answer_breaks_off_with_its_reason_and_its_server_is_freed(tmp_path: Path) -> None:
    with Journal(tmp_path) as journal, served(tmp_path, model("a", journal.option)) as program:
        async with talk.caller(program) as client:
            asked = asyncio.ensure_future(talk.stream(client, "a", HALTING))
            await journal.soon("request", path=CHAT)
            [flight] = await in_flight(client, "text/event-stream")
            assert flight["model"] == "a"
            assert (await client.post(f"/api/inflight/{flight['id']}/cancel")).json() == {"msg": "ok"}
            told = await asked
            await journal.soon("gone")
            [row] = await until_rows(client, 1)
    assert told.events[-1]["error"]["code"] == "cancelled"
    assert told.error is not None
    assert row["error_msg"] == "the request was cancelled by an operator"


async def test_a_cancelled_caller_in_the_queue_hears_why(tmp_path: Path) -> None:
    """Not an empty answer that looks like success."""
    with served(tmp_path, model("a"), model("b")) as program:
        async with talk.caller(program) as client, client.stream("POST", CHAT, json=chat_body("a", HALTING)) as answer:
            pieces = answer.aiter_bytes()  # dropped, it would close the answer
            await anext(pieces)
            asked = asyncio.ensure_future(client.post("/v1/messages", json={"model": "b", **MESSAGES}))
            flights = await in_flight(client, '"model": "b"')
            [number] = [flight["id"] for flight in flights if flight["model"] == "b"]
            await client.post(f"/api/inflight/{number}/cancel")
            refused = await asked
            [row] = await until_rows(client, 1)
    assert refused.status_code == 499
    assert "cancelled by an operator" in refused.json()["error"]["message"]
    assert (row["model"], row["resp_status_code"]) == ("b", 499)


@pytest.mark.fault("L97")
def test_captures_show_what_the_server_got_without_secrets(tmp_path: Path) -> None:
    text = config(model("a", useModelName="upstream-name"), apiKeys="[k3y]")
    with Program(tmp_path, text) as program, caller(program, "k3y") as client:
        headers = {"Cookie": "id=s3cret", "X-Goog-Api-Key": "s3cret", "api-key": "s3cret", "X-Fine": "seen"}
        answer = client.post(CHAT, json=chat_body("a", TEXT), headers=headers)
        capture = client.get(f"/api/captures/{newest(client)['id']}")
    assert "s3cret" not in capture.text
    assert "k3y" not in capture.text
    found = capture.json()
    assert found["req_headers"]["X-Fine"] == "seen"
    assert json.loads(base64.b64decode(found["req_body"]))["model"] == "upstream-name"
    assert base64.b64decode(found["resp_body"]) == answer.content
    assert found["resp_headers"]["Content-Type"] == "text/event-stream"


def a_file_of_the_other_program(path: Path) -> None:
    with closing(sqlite3.connect(path)) as database:
        database.executescript(
            """
            CREATE TABLE goose_db_version (id INTEGER PRIMARY KEY AUTOINCREMENT, version_id INTEGER NOT NULL,
                is_applied INTEGER NOT NULL, tstamp TIMESTAMP DEFAULT (datetime('now')));
            INSERT INTO goose_db_version (version_id, is_applied) VALUES (0, 1), (1, 1);
            CREATE TABLE activity (id INTEGER PRIMARY KEY AUTOINCREMENT, ts_created INTEGER NOT NULL,
                model_id TEXT NOT NULL, req_path TEXT NOT NULL DEFAULT '', resp_content_type TEXT NOT NULL DEFAULT '',
                resp_status_code INTEGER NOT NULL DEFAULT 0, cache_tokens INTEGER NOT NULL DEFAULT 0,
                draft_tokens INTEGER NOT NULL DEFAULT 0, draft_acc_tokens INTEGER NOT NULL DEFAULT 0,
                input_tokens INTEGER NOT NULL DEFAULT 0, output_tokens INTEGER NOT NULL DEFAULT 0,
                prompt_per_second REAL NOT NULL DEFAULT 0, tokens_per_second REAL NOT NULL DEFAULT 0,
                duration_ms INTEGER NOT NULL DEFAULT 0, error_msg TEXT NOT NULL DEFAULT '',
                metadata_json TEXT NOT NULL DEFAULT '');
            INSERT INTO activity (id, ts_created, model_id, input_tokens) VALUES (41, 1700000000, 'old', 7);
            """
        )


def test_a_file_of_the_other_program_goes_on_and_survives_a_kill(tmp_path: Path) -> None:
    path = tmp_path / "activity.db"
    a_file_of_the_other_program(path)
    with served(tmp_path, model("a"), store=f"{{path: {path}}}") as program, caller(program) as client:
        client.post(CHAT, json=chat_body("a", TEXT)).raise_for_status()
        rows = read(client.get("/api/metrics/activity"))
        assert [(row["id"], row["model"]) for row in rows] == [(42, "a"), (41, "old")]
        program.process.kill()
        program.process.wait()
    with closing(sqlite3.connect(path)) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        found = database.execute("SELECT id, model_id, input_tokens FROM activity ORDER BY id").fetchall()
    assert found == [(41, "old", 7), (42, "a", 6)]


def test_an_orderly_end_loses_no_row(tmp_path: Path) -> None:
    path = tmp_path / "activity.db"
    with served(tmp_path, model("a"), store=f"{{path: {path}}}") as program, caller(program) as client:
        for _ in range(20):
            client.post(CHAT, json=chat_body("a", TEXT)).raise_for_status()
    with closing(sqlite3.connect(path)) as database:
        assert database.execute("SELECT COUNT(*) FROM activity").fetchone() == (20,)


def test_a_reload_keeps_rows_and_captures(tmp_path: Path) -> None:
    with served(tmp_path, model("a")) as program, caller(program) as client:
        client.post(CHAT, json=chat_body("a", TEXT)).raise_for_status()
        program.edit(config(model("a"), metricsMaxInMemory=2))
        assert newest(client)["has_capture"]
        for _ in range(3):
            client.post(CHAT, json=chat_body("a", TEXT)).raise_for_status()
        assert [row["id"] for row in read(client.get("/api/metrics/activity"))] == [4, 3]


@pytest.mark.parametrize("place", ["is a folder", "is no database"])
def test_a_store_that_cannot_be_used_is_said_and_requests_go_on(tmp_path: Path, place: str) -> None:
    path = tmp_path / "activity.db"
    if place == "is a folder":
        path.mkdir()
    else:
        path.write_bytes(b"these are no records" * 100)
    with served(tmp_path, model("a"), store=f"{{path: {path}}}") as program, caller(program) as client:
        client.post(CHAT, json=chat_body("a", TEXT)).raise_for_status()
        assert newest(client)["model"] == "a"
        program.wait_for("cannot use .* for the records")


def test_a_field_that_is_no_utf_8_costs_neither_its_request_nor_the_records_nor_the_pages(tmp_path: Path) -> None:
    """Old programs write names and addresses in other encodings."""
    with served(tmp_path, model("a")) as program, caller(program) as client:
        with follow(program) as page:
            page.opening()
            named = {b"X-Name": b"M\xfcller"}
            client.post(CHAT, json=chat_body("a", TEXT, stream=False), headers=named).raise_for_status()
            told = page.until("inflight", lambda data: data["operation"] == "upsert").data["request"]
            assert told["req_headers"]["X-Name"] == "M\ufffdller"
        row = newest(client)
        capture = client.get(f"/api/captures/{row['id']}").raise_for_status().json()
        assert capture["req_headers"]["X-Name"] == "M\ufffdller"
