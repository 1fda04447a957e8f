"""The recorder: rows in their order, and never at the cost of a request."""

from __future__ import annotations

import asyncio
import base64
import gzip
import sqlite3
import zlib
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from llamaswap_py.observe.captures import WORTH_COMPRESSING, Asked
from llamaswap_py.observe.captures import found as unpacked
from llamaswap_py.observe.finished import Finished
from llamaswap_py.observe.heard import Heard
from llamaswap_py.observe.rows import Details, Row, Wanted
from llamaswap_py.observe.store import Store
from llamaswap_py.observe.written import Bounds
from llamaswap_py.wire.chunks import LAST_CHUNK, chunk
from llamaswap_py.wire.headers import Head
from tests.observe.recording import ANSWER, CHAT, finished, held_up, recording

PACKED, BOMB = gzip.compress(ANSWER, mtime=0), gzip.compress(bytes(100_000_000), mtime=0)


async def test_a_question_is_answered_after_every_row_before_it() -> None:
    async with recording() as place:
        for number in range(300):
            place.recorder.add(finished(model=str(number)))
        rows = await place.rows()
    assert [row.model for row in rows] == [str(number) for number in range(300)]
    assert (rows[0].created, rows[0].duration_ms, rows[0].content_type) == (1_700_000_000, 250, "application/json")
    assert (rows[0].usage.input, rows[0].usage.output) == (3, 4)


async def test_who_listens_hears_of_every_row_once_it_is_stored() -> None:
    async with recording() as place:
        place.recorder.add(finished())
        place.recorder.add(finished())
        while len(place.ids) < 2:
            place.news.clear()
            await place.news.wait()
        assert place.ids == [1, 2]


async def test_closing_stores_what_is_left(tmp_path: Path) -> None:
    path = str(tmp_path / "records.db")
    async with recording(path) as place:
        place.recorder.add(finished())
    store = Store(path)
    assert store.page(Wanted()).total == 1
    store.close()


async def test_the_servers_own_measure_counts_where_it_is_longer() -> None:
    async with recording() as place:
        place.recorder.add(finished(b'{"timings": {"prompt_ms": 200, "predicted_ms": 300.5}}'))
        assert [row.duration_ms for row in await place.rows()] == [500]


@pytest.mark.parametrize(
    ("coding", "body"),
    [(b"gzip", PACKED), (b"deflate", zlib.compress(ANSWER)), (b"Deflate", zlib.compress(ANSWER)[2:-4])],
)
async def test_compressed_answers_are_read_and_captured_plain(coding: bytes, body: bytes) -> None:
    async with recording() as place:
        place.recorder.add(finished(body, b"Content-Type: application/json", b"Content-Encoding: " + coding))
        [row] = await place.rows()
        assert (row.usage.input, row.usage.output) == (3, 4)
        found = place.recorder.captures.find(1)
    assert found is not None
    assert found["resp_headers"] == {"Content-Type": "application/json"}


@pytest.mark.parametrize("compressed", [False, True])
async def test_a_stream_in_chunks_is_counted_and_shown_without_them(compressed: bool) -> None:
    events = [b": ping\n\n", b"data: " + ANSWER + b"\n\n"]
    text = b"".join(events)
    packed = gzip.compress(text)
    heard = Heard(1 << 20)
    coding = [b"Content-Encoding: gzip"] if compressed else []
    heard.head(Head((1, 1), 200, b"", [b"Content-Type: text/event-stream", *coding]), chunked=True)
    for piece in [packed[:20], packed[20:]] if compressed else events:
        heard.body(chunk(piece))
    heard.body(LAST_CHUNK)
    async with recording() as place:
        place.recorder.add(Finished("a", CHAT, 200, 1.0, 1.0, heard, asked=Asked((), None)))
        assert [row.usage.input for row in await place.rows()] == [3]
        found = place.recorder.captures.find(1)
    assert found is not None
    assert base64.b64decode(found["resp_body"]) == text


@pytest.mark.parametrize("told", [True, False])
async def test_a_long_stream_is_captured_as_a_whole_and_its_events_are_estimated(told: bool) -> None:
    heard = Heard(1 << 30)
    heard.head(Head((1, 1), 200, b"", [b"Content-Type: text/event-stream"]), chunked=True)
    word, last = b"data: word\n\n", b"data: " + (ANSWER if told else b"{}") + b"\n\n"
    for _ in range(20):
        heard.body(chunk(word) * 1000)
    heard.body(chunk(last) + LAST_CHUNK)
    async with recording() as place:
        place.recorder.know = lambda _, events: Details(run=events)
        place.recorder.add(Finished("a", CHAT, 200, 1.0, 1.0, heard, asked=Asked((), None)))
        [row] = await place.rows()
        found = place.recorder.captures.find(1)
    assert row.usage.input == (3 if told else 0)
    assert row.details.run == pytest.approx(20_001, rel=0.01)
    assert found is not None
    assert base64.b64decode(found["resp_body"]) == word * 20_000 + last


@pytest.mark.parametrize(
    ("body", "status", "error"),
    [
        (b"no gzip", 200, "response decompression failed: "),
        (PACKED[:-9], 200, "response decompression failed: "),
        (b"no gzip", 500, "response decode failed: "),
        (BOMB, 200, "response decompression failed: "),
    ],
)
async def test_what_cannot_be_opened_is_a_row_that_says_so(body: bytes, status: int, error: str) -> None:
    async with recording() as place:
        place.recorder.add(finished(body, b"Content-Encoding: gzip", status=status))
        [row] = await place.rows()
        assert (row.error[: len(error)], row.usage.input) == (error, 0)
        assert not place.recorder.captures.kept


async def test_an_answer_in_a_coding_that_is_not_ours_is_taken_as_it_is() -> None:
    async with recording() as place:
        place.recorder.add(finished(ANSWER, b"Content-Type: application/json", b"Content-Encoding: br"))
        assert [row.usage.input for row in await place.rows()] == [3]


async def test_a_compressed_answer_of_which_a_part_is_gone_is_not_opened() -> None:
    over = finished(PACKED, b"Content-Encoding: gzip")
    over.heard.window.shed()
    async with recording() as place:
        place.recorder.add(over)
        assert "more than is held" in (await place.rows())[0].error


async def test_an_answer_that_is_no_success_counts_nothing_and_says_why() -> None:
    async with recording() as place:
        place.recorder.add(
            finished(b'{"error": {"message": "out of memory"}, "usage": {"prompt_tokens": 3}}', status=500)
        )
        place.recorder.add(finished(status=201, error="we know better"))
        rows = await place.rows()
        assert [(row.error, row.usage.input) for row in rows] == [("out of memory", 0), ("we know better", 0)]
        found = place.recorder.captures.find(1)
    assert found is not None
    assert found["resp_body"] is None


async def test_captures_need_a_whole_answer() -> None:
    async with recording() as place:
        place.recorder.add(finished(b""))
        place.recorder.add(finished(asked=False))
        part = finished()
        part.heard.window.shed()
        part.heard.body(b"more")
        place.recorder.add(part)
        assert len(await place.rows()) == 3
        assert not place.recorder.captures.kept


@pytest.mark.fault("L91")
async def test_a_broken_disk_costs_rows_is_said_once_and_heals() -> None:
    with capture_logs() as logs:
        async with recording() as place:
            await place.recorder.ask(lambda store: store.database.execute("ALTER TABLE activity RENAME TO away"))
            for _ in range(2):
                place.recorder.add(finished())
                await place.recorder.flush()
            with pytest.raises(sqlite3.Error):
                await place.rows()
            await place.recorder.ask(lambda store: store.database.execute("ALTER TABLE away RENAME TO activity"))
            place.recorder.add(finished())
            assert len(await place.rows()) == 1
    assert ["cannot write down" in entry["event"] for entry in logs] == [True]


async def test_a_file_that_cannot_be_used_is_said_and_memory_serves(tmp_path: Path) -> None:
    with capture_logs() as logs:
        async with recording(str(tmp_path)) as place:
            place.recorder.add(finished())
            assert len(await place.rows()) == 1
    assert "cannot use" in logs[0]["event"]


async def test_memory_that_serves_for_a_file_forgets_nothing_at_a_reload(tmp_path: Path) -> None:
    async with recording(str(tmp_path)) as place:
        place.recorder.add(finished())
        place.recorder.settle(str(tmp_path), Bounds(), 1 << 20)
        place.recorder.add(finished())
        assert len(await place.rows()) == 2


async def test_an_answer_that_breaks_the_reader_costs_its_own_row_only() -> None:
    broken = finished()
    broken.when = float("nan")
    with capture_logs() as logs:
        async with recording() as place:
            place.recorder.add(broken)
            place.recorder.add(finished())
            assert len(await place.rows()) == 1
    assert "could not be read" in logs[0]["event"]


async def test_a_row_that_cannot_be_written_costs_itself_only() -> None:
    """The thread goes on, whatever a text holds."""
    with capture_logs() as logs:
        async with recording() as place:
            place.recorder.add(finished(model="\udcff"))
            await place.recorder.flush()
            place.recorder.add(finished())
            assert len(await place.rows()) == 1
    assert "cannot write down" in logs[0]["event"]


async def test_of_many_rows_for_a_file_one_that_cannot_be_written_costs_itself_only(tmp_path: Path) -> None:
    with capture_logs() as logs:
        async with recording(str(tmp_path / "records.db")) as place:
            for model in ("a", "\udcff", "b"):
                place.recorder.add(finished(model=model))
            assert [row.model for row in await place.rows()] == ["a", "b"]
    assert [entry["event"].partition(":")[0] for entry in logs] == ["cannot write down 1 finished requests"]


async def test_a_mistake_in_the_counting_costs_no_row() -> None:
    def count(rows: Sequence[Row]) -> None:
        raise ValueError

    with capture_logs() as logs:
        async with recording() as place:
            place.recorder.count = count
            place.recorder.add(finished())
            while not place.ids:
                place.news.clear()
                await place.news.wait()
            place.recorder.add(finished())
            assert len(await place.rows()) == 2
    assert {entry["event"] for entry in logs} == {"finished requests could not be counted"}


async def test_a_capture_that_breaks_the_keeping_costs_itself_only() -> None:
    """The thread goes on."""
    odd = finished(b"x" * WORTH_COMPRESSING * 2)
    odd.path = "\udcff"
    with capture_logs() as logs:
        async with recording() as place:
            place.recorder.add(odd)
            await place.recorder.flush()
            place.recorder.add(finished())
            assert await place.rows()
            assert 2 in place.recorder.captures
    assert any("was not kept" in entry["event"] for entry in logs)


async def test_a_field_that_is_no_text_is_shown_as_far_as_it_is_one() -> None:
    odd = finished()
    odd.asked = Asked((("X-\udcff", "b"),), b"{}")
    async with recording() as place:
        place.recorder.add(odd)
        await place.recorder.flush()
        found = place.recorder.captures.find(1)
    assert found is not None
    assert found["req_headers"] == {"X-\ufffd": "b"}


async def test_a_capture_larger_than_all_is_said() -> None:
    with capture_logs() as logs:
        async with recording(captures=10) as place:
            place.recorder.add(finished())
            await place.recorder.flush()
    assert "captureBuffer" in logs[0]["event"]


async def test_new_settings_keep_the_rows_and_another_file_takes_the_next_ones(tmp_path: Path) -> None:
    path = str(tmp_path / "records.db")
    async with recording() as place:
        for _ in range(5):
            place.recorder.add(finished())
        place.recorder.settle("", Bounds(2), 0)
        place.recorder.add(finished())
        assert [row.id for row in await place.rows()] == [5, 6]
        assert not place.recorder.captures.kept
        place.recorder.settle(path, Bounds(2), 0)
        place.recorder.add(finished())
        assert [row.id for row in await place.rows()] == [1]
        assert await place.recorder.ask(lambda store: store.path) == path


async def test_who_asked_and_left_leaves_no_trace() -> None:
    async with recording() as place:
        async with held_up(place.recorder):
            gone = asyncio.ensure_future(place.recorder.flush())
            asyncio.get_running_loop().call_soon(gone.cancel)
            with pytest.raises(asyncio.CancelledError):
                await gone
        assert await place.rows() == []


async def test_a_row_has_its_details_and_whoever_counts_sees_it() -> None:
    counted: list[Row] = []
    async with recording() as place:
        place.recorder.know = lambda finished, events: Details(api=finished.model, run=events)
        place.recorder.count = counted.extend
        place.recorder.add(finished(b"data: 1\n\ndata: 2\n\n", b"Content-Type: text/event-stream"))
        [row] = await place.rows()
    assert row.details == Details(api="a", run=2)
    assert [one.details for one in counted] == [row.details]


async def test_old_rows_are_taken_out_while_nothing_else_happens(tmp_path: Path) -> None:
    async with recording(str(tmp_path / "records.db")) as place:
        for _ in range(3):
            place.recorder.add(finished())
        assert len(await place.rows()) == 3
        place.recorder.settle(str(tmp_path / "records.db"), Bounds(age=3600), 0)
        while await place.rows():
            pass


async def test_what_was_captured_in_a_hurry_is_compressed_when_nothing_more_ends() -> None:
    text = b"word " * 200_000
    loop, rested = asyncio.get_running_loop(), asyncio.Event()
    async with recording(captures=1 << 30) as place:
        captures, tidy = place.recorder.captures, place.recorder.writer.surplus.give

        def rest() -> None:
            tidy()
            loop.call_soon_threadsafe(rested.set)

        place.recorder.writer.surplus.give = rest
        for _ in range(8):
            place.recorder.add(finished(text))
        assert len(await place.rows()) == 8
        assert captures.size > 2 * len(text)
        await rested.wait()
        assert captures.size < len(text)


async def test_captures_outlive_the_program_in_the_file_without_secrets(tmp_path: Path) -> None:
    path = str(tmp_path / "records.db")
    secret = finished()
    secret.asked = Asked((("Authorization", "Bearer s3cret"),), b"{}")
    async with recording(path) as place:
        place.recorder.settle(path, Bounds(captures=1 << 20), 1 << 20)
        place.recorder.add(secret)
        await place.recorder.flush()
    assert b"s3cret" not in (tmp_path / "records.db").read_bytes()
    with closing(Store(path)) as store:
        data = store.capture(1)
    assert data is not None
    assert base64.b64decode(unpacked(1, data)["resp_body"]) == ANSWER
    assert b"s3cret" not in zlib.decompress(data)
