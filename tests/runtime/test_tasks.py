"""Tasks are kept, named, and their crashes are heard of."""

from __future__ import annotations

import asyncio

from structlog.testing import capture_logs

from llamaswap_py.runtime.tasks import Tasks


async def test_a_crash_is_reported_by_name_and_others_go_on() -> None:
    heard: asyncio.Future[tuple[str, BaseException]] = asyncio.get_running_loop().create_future()
    tasks = Tasks(lambda name, crash: heard.set_result((name, crash)))

    async def crash() -> None:
        raise LookupError("lost")

    tasks.start("looking", crash())
    name, error = await heard
    assert name == "looking"
    assert isinstance(error, LookupError)
    assert not tasks.running


async def test_without_another_report_the_log_has_it() -> None:
    tasks = Tasks()

    async def crash() -> None:
        raise LookupError("lost")

    with capture_logs() as logs:
        tasks.start("looking", crash())
        await asyncio.wait(list(tasks.running))  # its report was asked for before we were
    assert logs[0]["event"] == "task looking crashed"


async def test_closing_cancels_and_waits_also_for_what_is_started_meanwhile() -> None:
    tasks = Tasks()
    begun = asyncio.Event()
    ended: list[str] = []

    async def last() -> None:
        ended.append("last")

    async def wait() -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("first")
            tasks.start("last", last())

    tasks.start("first", wait())
    await begun.wait()
    await tasks.close()
    assert ended[0] == "first"
    assert not tasks.running
