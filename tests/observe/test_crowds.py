"""More requests end than the recorder can write down at once: what waits is bounded, and none of them waits for it."""

from __future__ import annotations

import pytest
from structlog.testing import capture_logs

from llamaswap_py.observe import activity
from llamaswap_py.observe.activity import Recorder
from llamaswap_py.observe.finished import Finished
from llamaswap_py.observe.rows import Wanted
from tests.observe.recording import ANSWER, finished, held_up, recording


def overfill(recorder: Recorder, one: Finished) -> None:
    for _ in range(activity.LONGEST_QUEUE + 100):
        recorder.add(one)


async def test_of_a_crowd_no_more_are_taken_at_a_time_than_are_read() -> None:
    """What waits is bounded, and so is what was taken out of it: memory once needed for both would stay taken."""
    read: list[int] = []
    async with recording(keep=5000) as place:
        place.recorder.count = lambda rows: read.append(len(rows))
        async with held_up(place.recorder):
            for _ in range(4 * activity.MANY):
                place.recorder.add(finished())
        await place.recorder.flush()
        assert len(place.ids) == sum(read) == 4 * activity.MANY
        assert max(read) <= activity.MANY + 1


async def test_a_full_queue_costs_rows_and_nothing_else() -> None:
    with capture_logs() as logs:
        async with recording() as place:
            async with held_up(place.recorder):
                overfill(place.recorder, finished(asked=False))
            total = await place.recorder.ask(lambda store: store.page(Wanted(limit=1)).total)
    assert place.recorder.lost == 100
    assert total == 1000
    assert "rows lost" in logs[0]["event"]
    assert len(logs) < 10


@pytest.mark.fault("S55")
async def test_a_heavy_queue_costs_captures_before_rows() -> None:
    async with recording(captures=1 << 30) as place:
        async with held_up(place.recorder):
            heavy = b" " * (activity.HEAVIEST_QUEUE // 3)
            for _ in range(4):
                place.recorder.add(finished(heavy + ANSWER))
        assert len(await place.rows()) == 4
        assert len(place.recorder.captures.kept) == 2


def long(kilobytes: int) -> Finished:
    """In pieces, as it came."""
    one = finished(b"")
    for _ in range(kilobytes):
        one.heard.body(b" " * 1024)
    return one


async def test_a_queue_far_too_heavy_costs_rows() -> None:
    """A disk that another program holds for seconds must not cost the memory."""
    async with recording() as place:
        async with held_up(place.recorder):
            for _ in range(2 * activity.HEAVIEST_QUEUE // (128 * 1024)):
                place.recorder.add(long(256))
            assert place.recorder.put_weight < 2.1 * activity.HEAVIEST_QUEUE
        place.recorder.add(finished())
        assert len(await place.rows()) > 100
    assert place.recorder.lost > 0
