"""The records' routes, and the life of one recorded request, without a program around them."""

from __future__ import annotations

import asyncio
import csv
import io
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from aiohttp import web

from llamaswap_py.errors import Refusal, TooManyRequests, Unloaded, UpstreamFailed
from llamaswap_py.observe.activity import Recorder
from llamaswap_py.observe.captures import Captures
from llamaswap_py.observe.inflight import Inflight
from llamaswap_py.observe.rows import Row
from llamaswap_py.observe.store import Store
from llamaswap_py.observe.written import Bounds
from llamaswap_py.runtime.relay import Closer, Outcome, Phase
from llamaswap_py.server.doors import Door, Kind
from llamaswap_py.server.exports import STEP
from llamaswap_py.server.face import Face
from llamaswap_py.server.guard import Guard, guard_of
from llamaswap_py.server.listen import open_sockets, parse
from llamaswap_py.server.recording import LEFT, Recording, Recordings, room_for_one
from llamaswap_py.server.records import Records
from llamaswap_py.wire.headers import Head, UpstreamRequest

ANSWER = b'{"usage": {"prompt_tokens": 3, "completion_tokens": 4}}'
CHAT = "/v1/chat/completions"
ACTIVITY = "/api/metrics/activity"
Play = Callable[[Recording], object]


def outcome(refusal: Refusal | None = None, closed_by: Closer | None = None, sent: int = 10) -> Outcome:
    return Outcome(200, sent, Phase.COMPLETE, closed_by, refusal, closed_by is None, True, 0.0, 0.0, 0.0)


ASKED = UpstreamRequest(
    "POST",
    CHAT,
    (("Content-Type", "application/json"), ("x-api-key", "s3cret")),
    b'{"model":"a"}',
    own=(("X-Request-ID", "1"),),
)


def answered(recording: Recording, body: bytes = ANSWER, status: int = 200) -> None:
    recording.asks(ASKED)
    recording.head(Head((1, 1), status, b"OK", [b"Content-Type: application/json"]), chunked=False)
    recording.body(body)
    recording.ended(outcome())


class Place:
    """A face whose one model door does what the test plays."""

    def __init__(self, captures: int) -> None:
        loop = asyncio.get_running_loop()
        self.recorder = Recorder(loop, Captures(captures), lambda *_: None)
        self.inflight = Inflight(loop)
        self.recordings = Recordings(self.inflight, self.recorder)
        self.play: Play = answered
        self.stay = asyncio.Event()
        self.stay.set()
        self.entered = asyncio.Event()

    async def model(self, request: web.Request) -> web.Response:
        with self.recordings.begin(request, request.query.get("model", "a"), CHAT) as recording:
            self.entered.set()
            await self.stay.wait()
            self.play(recording)
            return web.Response(text="answered")

    def doors(self) -> list[Door]:
        models = [Door(method, "/model", Kind.MODEL, self.model) for method in ("POST", "GET")]
        return [*models, *Records(self.recordings).doors()]


class Client(httpx.AsyncClient):
    place: Place

    async def rows(self, **query: Any) -> list[dict[str, Any]]:
        found = (await self.get(ACTIVITY, params=query)).raise_for_status().json()["data"]
        assert isinstance(found, list)
        return found


@asynccontextmanager
async def face(captures: int = 1 << 20, guard: Guard | None = None) -> AsyncIterator[Client]:
    place, current = Place(captures), guard or guard_of([], [], "box")
    served = Face(place.doors(), lambda: current)
    sockets = open_sockets(parse("127.0.0.1:0"))
    await served.open(sockets)
    url = f"http://127.0.0.1:{sockets[0].getsockname()[1]}"
    try:
        async with asyncio.timeout(30), Client(base_url=url, trust_env=False) as client:
            client.place = place
            yield client
    finally:
        served.stop_listening()
        await served.close()
        await place.recorder.close()


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"model": "a"}, [3, 1]),
        ({"status": "2xx"}, [3, 2, 1]),
        ({"status": "5XX"}, []),
        ({"status": "200", "path": CHAT}, [3, 2, 1]),
        ({"path": "/v1/embeddings"}, []),
        ({"api": "openai"}, []),
        ({"caller": "key 1"}, []),
        ({"text": "nobody"}, []),
    ],
    ids=str,
)
async def test_rows_are_narrowed_down(query: dict[str, str], found: list[int]) -> None:
    async with face() as client:
        for model in ("a", "b", "a"):
            await client.post("/model", params={"model": model})
        assert [row["id"] for row in await client.rows(**query)] == found
        assert [row["id"] for row in (await client.get(f"{ACTIVITY}.json", params=query)).json()] == found


@pytest.mark.parametrize("status", ["6xx", "20", "2000", "x"])
async def test_a_status_that_is_none_is_refused(status: str) -> None:
    async with face() as client:
        assert (await client.get(ACTIVITY, params={"status": status})).status_code == 400
        assert (await client.get(f"{ACTIVITY}.csv", params={"status": status})).status_code == 400


async def test_all_rows_are_exported_however_many_there_are() -> None:
    """In steps, and what is between two is neither missing nor twice. A name that is a formula is none in a table."""
    count = 2 * STEP + 3
    rows = [Row(1, "=1+1" if n else "b", CHAT, "text/x", 200, duration_ms=n) for n in range(count)]
    async with face() as client:
        await client.place.recorder.ask(lambda store: keep_all(store, rows))
        table = (await client.get(f"{ACTIVITY}.csv")).raise_for_status()
        listed = (await client.get(f"{ACTIVITY}.json")).raise_for_status().json()
        assert (await client.get(f"{ACTIVITY}.xml")).status_code == 404
    assert table.headers["Content-Disposition"] == 'attachment; filename="activity.csv"'
    found = list(csv.DictReader(io.StringIO(table.text, newline="")))
    assert [row["id"] for row in listed] == list(range(count, 0, -1)) == [int(row["id"]) for row in found]
    assert {row["model"] for row in found} == {"'=1+1", "b"}
    assert [int(row["duration_ms"]) for row in found] == [row["duration_ms"] for row in listed]


def keep_all(store: Store, rows: Sequence[Row]) -> None:
    store.bounds = Bounds(keep=len(rows))
    store.add(rows)


async def test_an_export_of_nothing_is_an_empty_list_and_a_head() -> None:
    async with face() as client:
        assert (await client.get(f"{ACTIVITY}.json")).json() == []
        assert len((await client.get(f"{ACTIVITY}.csv")).text.splitlines()) == 1


async def test_a_row_as_the_page_reads_it() -> None:
    async with face() as client:
        assert (await client.post("/model")).status_code == 200
        answer = (await client.get(ACTIVITY)).json()
    [row] = answer.pop("data")
    assert answer == {"page": 1, "limit": 25, "total": 1, "total_pages": 1}
    assert row.pop("timestamp").startswith("20")
    assert row.pop("duration_ms") >= 0
    tokens = {
        "cache_tokens": -1, "draft_tokens": -1, "draft_acc_tokens": -1, "input_tokens": 3, "output_tokens": 4,
        "prompt_per_second": -1.0, "tokens_per_second": -1.0,
    }  # fmt: skip
    assert row == {
        "id": 1, "model": "a", "req_path": CHAT, "resp_content_type": "application/json", "resp_status_code": 200,
        "tokens": tokens, "has_capture": True,
    }  # fmt: skip


async def test_a_get_is_shown_while_in_flight_and_leaves_no_row() -> None:
    async with face() as client:
        await client.get("/model")
        assert await client.rows() == []
        assert client.place.inflight.snapshot() == {"operation": "snapshot"}


def refuse(recording: Recording) -> None:
    raise TooManyRequests("over the limit")


def break_off(recording: Recording) -> None:
    answered(recording, b"")
    recording.ended(outcome(UpstreamFailed("it died"), Closer.UPSTREAM))


def leave(recording: Recording) -> None:
    answered(recording)
    recording.ended(outcome(closed_by=Closer.CALLER))


def stop_at_once(recording: Recording) -> None:
    recording.ended(outcome(Unloaded("by order"), Closer.US, sent=0))


def crash(recording: Recording) -> None:
    raise LookupError("a detail that is nobody's business")


@pytest.mark.parametrize(
    ("play", "status", "error"),
    [
        (refuse, 429, "over the limit"),
        (break_off, 200, "it died"),
        (leave, 200, LEFT),
        (stop_at_once, 503, "by order"),
        (crash, 500, "something went wrong inside the proxy; its log says what"),
        (lambda recording: answered(recording, b'{"error": "Unauthorized"}', 401), 401, "Unauthorized"),
    ],
)
async def test_an_end_that_is_none_is_a_row_with_its_reason(play: Play, status: int, error: str) -> None:
    async with face() as client:
        client.place.play = play
        await client.post("/model")
        [row] = await client.rows()
    assert (row["resp_status_code"], row["error_msg"]) == (status, error)
    assert row["resp_content_type"] == "application/json"


async def test_a_request_is_written_down_once_however_often_it_is_ended() -> None:
    def end_early(recording: Recording) -> None:
        recording.metadata["selector"] = "s"
        answered(recording)
        recording.end()

    async with face() as client:
        client.place.play = end_early
        await client.post("/model")
        [row] = await client.rows()
    assert row["metadata"] == {"selector": "s"}


async def test_a_caller_who_leaves_is_a_row_too() -> None:
    async with face() as client:
        place = client.place
        place.stay.clear()
        asked = asyncio.ensure_future(client.post("/model"))
        await place.entered.wait()
        asked.cancel()
        await asyncio.wait([asked])
        while not (rows := await client.rows()):
            pass
    assert (rows[0]["resp_status_code"], rows[0]["error_msg"]) == (499, LEFT)


async def test_a_cancelled_request_is_refused_with_its_reason() -> None:
    async with face() as client:
        place = client.place
        place.stay.clear()
        asked = asyncio.ensure_future(client.post("/model"))
        await place.entered.wait()
        [flight] = place.inflight.snapshot()["requests"]
        cancelled = await client.post(f"/api/inflight/{flight['id']}/cancel")
        response = await asked
        again = await client.post(f"/api/inflight/{flight['id']}/cancel")
        [row] = await client.rows()
    assert cancelled.json() == {"msg": "ok"}
    assert (response.status_code, response.json()["error"]["code"]) == (499, "cancelled")
    assert (again.status_code, again.json()["error"]["message"]) == (404, "inflight request not found")
    assert (row["resp_status_code"], row["error_msg"]) == (499, "the request was cancelled by an operator")


async def test_a_capture_is_found_by_its_row_and_shows_no_secret() -> None:
    async with face() as client:
        await client.post("/model")
        [row] = await client.rows()
        found = (await client.get(f"/api/captures/{row['id']}")).json()
    said = {"Content-Type": "application/json", "X-Request-ID": "1", "Content-Length": "13"}
    assert found["req_headers"] == {**said, "x-api-key": "[REDACTED]"}
    assert found["resp_body"] == "eyJ1c2FnZSI6IHsicHJvbXB0X3Rva2VucyI6IDMsICJjb21wbGV0aW9uX3Rva2VucyI6IDR9fQ=="


@pytest.mark.parametrize(
    ("number", "status", "message"),
    [
        ("x", 400, "invalid capture ID"),
        ("1" * 30, 400, "invalid capture ID"),
        ("7", 404, "capture not found"),
        ("-1", 404, "capture not found"),
    ],
)
async def test_a_capture_that_is_not_there_is_typed(number: str, status: int, message: str) -> None:
    async with face() as client:
        response = await client.get(f"/api/captures/{number}")
    assert (response.status_code, response.json()["error"]["message"]) == (status, message)


async def test_without_a_buffer_nothing_is_captured() -> None:
    async with face(captures=0) as client:
        await client.post("/model")
        [row] = await client.rows()
    assert not row["has_capture"]


def test_of_many_answers_at_once_less_is_held_each() -> None:
    """Alone one may be as long as what is kept in all; a thousand long ones must not take the memory of a model."""
    five = 5 * 2**20
    assert [room_for_one(five, others) for others in (0, 11, 63)] == [five, five, 2**20]
    assert sum(room_for_one(five, others) for others in range(1000)) < 600 * 2**20
    assert room_for_one(five, 5000) == room_for_one(0, 0) == 256 * 1024


async def test_rows_come_as_they_are_wanted() -> None:
    async with face() as client:
        for model in ("a", "b", "a"):
            await client.post("/model", params={"model": model})

        async def ids(**query: Any) -> list[int]:
            return [row["id"] for row in await client.rows(**query)]

        assert await ids() == [3, 2, 1]
        assert await ids(order="ASC", limit=2) == [1, 2]
        assert await ids(page=2, limit=2) == [1]
        assert await ids(page=5) == []
        assert await ids(page=10**18 - 1, limit=999) == []
        assert await ids(model=["a", " "]) == [3, 1]
        assert await ids(sort="model", order="asc") == [1, 3, 2]
        assert await ids(min_id=2, max_id=2) == [2]
        assert await ids(start="2020-01-01T00:00:00Z", end="2020-01-01T00:00:01.5-02:00") == []
        assert await ids(start="2020-01-01T00:00:00Z", limit="", page="", sort="", order="") == [3, 2, 1]
        stats = (await client.get("/api/metrics/stats", params={"model": "b"})).json()
    assert (stats["total_requests"], stats["total_input_tokens"], stats["gen_histogram"]) == (1, 3, None)


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("start=yesterday", "invalid 'start' timestamp, use RFC3339 format"),
        ("start=2020-01-01", "invalid 'start' timestamp, use RFC3339 format"),
        ("end=2020-99-01T00:00:00Z", "invalid 'end' timestamp, use RFC3339 format"),
        ("start=2020-01-02T00:00:00Z&end=2020-01-01T00:00:00Z", "start must be before end"),
        ("min_id=0", "min_id must be >= 1"),
        ("max_id=-1", "max_id must be >= 1"),
        ("min_id=x", "invalid min_id"),
        ("min_id=3&max_id=2", "min_id must be <= max_id"),
        ("limit=x", "invalid limit"),
        ("limit=0", "limit must be between 1 and 999"),
        ("limit=1000", "limit must be between 1 and 999"),
        ("page=0", "page must be >= 1"),
        ("sort=size", "invalid sort column"),
        ("order=up", "order must be asc or desc"),
    ],
)
async def test_a_query_that_means_nothing_is_refused(query: str, message: str) -> None:
    async with face() as client:
        response = await client.get(f"{ACTIVITY}?{query}")
    assert (response.status_code, response.json()["error"]["message"]) == (400, message)


async def test_a_store_that_fails_is_a_typed_500() -> None:
    async with face() as client:
        await client.place.recorder.ask(lambda store: store.database.execute("DROP TABLE activity"))
        rows = await client.get(ACTIVITY)
        stats = await client.get("/api/metrics/stats")
    assert (rows.status_code, rows.json()["error"]["message"]) == (500, "failed to get activity")
    assert (stats.status_code, stats.json()["error"]["message"]) == (500, "failed to get activity stats")


@pytest.mark.parametrize("headers", [{"Origin": "http://elsewhere.example"}, {"Host": "elsewhere.example"}])
@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", ACTIVITY), ("GET", "/api/metrics/stats"), ("GET", "/api/captures/1"), ("POST", "/api/inflight/1/cancel")],
)
async def test_a_page_from_elsewhere_sees_and_stops_nothing(method: str, path: str, headers: dict[str, str]) -> None:
    async with face() as client:
        assert (await client.request(method, path, headers=headers)).status_code == 403
