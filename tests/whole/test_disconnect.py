"""A caller who goes away, at whatever moment, costs nobody anything a second later."""

from __future__ import annotations

import asyncio
import json
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx
import pytest

from tests.whole.journal import Journal
from tests.whole.program import Program, config, model
from tests.whole.talk import CHAT, caller, chat_body, stream, streamed

SOON = 1.0


class RawCaller:
    """A caller who sends a request over a bare connection and can hang up."""

    def __init__(self, program: Program, name: str, prompt: str) -> None:
        self.host, port = program.url.removeprefix("http://").split(":")
        self.port = int(port)
        self.body = json.dumps(chat_body(name, prompt)).encode()

    async def __aenter__(self) -> Self:
        self.reader, self.writer = await asyncio.open_connection(self.host, self.port)
        head = f"POST {CHAT} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        self.writer.write(f"{head}Content-Length: {len(self.body)}\r\n\r\n".encode() + self.body)
        await self.writer.drain()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.writer.close()
        with suppress(ConnectionError):
            await self.writer.wait_closed()

    def hang_up(self) -> None:
        self.writer.close()


async def until_seats(program: Program, name: str, seated: int, waiting: int) -> None:
    """Ask until it is so; each look is a request of its own, and the time limit is the promise."""
    async with caller(program) as client, asyncio.timeout(SOON):
        while (await seats(client, name)) != (seated, waiting):
            pass


async def seats(client: httpx.AsyncClient, name: str) -> tuple[int, int]:
    answer = (await client.get("/running")).json()
    rows = {row["model"]: row for row in answer["running"]}
    return (rows[name]["seated"] if name in rows else 0, answer["waiting"].get(name, 0))


@pytest.mark.fault("Q38", "S52", "F36")
async def test_a_caller_who_leaves_while_queued(tmp_path: Path) -> None:
    """The queue forgets it: the model it wanted is never started."""
    prompt = "[fake words=30 interval=0.05]"
    with Journal(tmp_path) as journal:
        text = config(model("a", journal.option), model("b", journal.option))
        with Program(tmp_path, text) as program:
            async with caller(program) as client, RawCaller(program, "a", prompt) as seated:
                await seated.reader.readuntil(b"data: ")
                await queue_and_leave(program, "b")
                seated.hang_up()
                assert (await stream(client, "a", "still here")).data == streamed("a", "still here")
        assert [entry["argv"][3] for entry in journal.all("start")] == ["a"]


async def queue_and_leave(program: Program, name: str) -> None:
    async with RawCaller(program, name, "never") as queued:
        await until_seats(program, name, 0, 1)
        queued.hang_up()
        await until_seats(program, name, 0, 0)


@pytest.mark.fault("S52", "F36")
async def test_a_caller_who_leaves_while_the_model_loads(tmp_path: Path) -> None:
    """Its seat is free within a second; the load goes on for the next caller."""
    with Journal(tmp_path) as journal:
        text = config(model("a", f"--load-seconds 5 {journal.option}"))
        with Program(tmp_path, text) as program:
            async with RawCaller(program, "a", "too slow") as impatient:
                await journal.soon("start")
                await until_seats(program, "a", 0, 1)
                impatient.hang_up()
                await until_seats(program, "a", 0, 0)
            async with caller(program) as client:
                assert (await stream(client, "a", "patient")).data == streamed("a", "patient")
        assert len(journal.all("start")) == 1
        assert len(journal.all("request", path=CHAT)) == 1


@pytest.mark.fault("F36")
async def test_a_caller_who_leaves_before_the_first_byte(tmp_path: Path) -> None:
    """The model's server sees the connection close within a second, and the seat is free."""
    with Journal(tmp_path) as journal, Program(tmp_path, config(model("a", journal.option))) as program:
        async with RawCaller(program, "a", "[fake stall=before]") as silent:
            await journal.soon("request", path=CHAT)
            began = time.monotonic()
            silent.hang_up()
            await journal.soon("gone")
            await until_seats(program, "a", 0, 0)
        assert time.monotonic() - began < SOON


@pytest.mark.fault("S51", "F36")
async def test_a_caller_who_leaves_in_the_middle_of_a_stream(tmp_path: Path) -> None:
    """The model's server sees the connection close within a second, and the seat is free."""
    with Journal(tmp_path) as journal, Program(tmp_path, config(model("a", journal.option))) as program:
        async with RawCaller(program, "a", "[fake stall=3]") as reading:
            await reading.reader.readuntil(b"data: ")
            began = time.monotonic()
            reading.hang_up()
            await journal.soon("gone")
            await until_seats(program, "a", 0, 0)
        assert time.monotonic() - began < SOON


async def test_a_caller_who_closes_only_its_sending_side_counts_as_gone(tmp_path: Path) -> None:
    """As in nginx: a half-closed connection is a caller who left."""
    with Journal(tmp_path) as journal, Program(tmp_path, config(model("a", journal.option))) as program:
        async with RawCaller(program, "a", "[fake stall=3]") as reading:
            await reading.reader.readuntil(b"data: ")
            reading.writer.write_eof()
            await journal.soon("gone")
            await until_seats(program, "a", 0, 0)
