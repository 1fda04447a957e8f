"""The rings of output and their viewers."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llamaswap_py.runtime.output import KEPT, LONGEST_LINE, QUEUED, Ring, Subscription


async def rest_of(viewer: Subscription) -> bytes:
    """All until the end; the viewer must be closed already."""
    return b"".join([chunk async for chunk in viewer])


@given(st.lists(st.binary(max_size=60)), st.integers(1, 50))
def test_a_ring_keeps_the_last_bytes(chunks: list[bytes], kept: int) -> None:
    """Exactly the last so many, however they were written."""
    ring = Ring(kept)
    for chunk in chunks:
        ring.write(chunk)
    assert ring.history() == b"".join(chunks)[-kept:]
    assert ring.size <= ring.most


@given(st.lists(st.binary(max_size=40), max_size=20), st.integers(1, 50), st.data())
def test_what_was_written_since_a_place_is_what_is_kept_of_it(
    chunks: list[bytes], kept: int, data: st.DataObject
) -> None:
    ring = Ring(kept)
    for chunk in chunks:
        ring.write(chunk)
    written = b"".join(chunks)
    place = data.draw(st.integers(0, len(written)))
    assert ring.since(place) == written[max(place, len(written) - kept) :]
    assert ring.since(len(written) + 1) == b""


def test_a_ring_is_bounded_by_default() -> None:
    """One write larger than the ring leaves its end."""
    ring = Ring()
    ring.write(b"a" + b"b" * KEPT)
    assert ring.history() == b"b" * KEPT


@pytest.mark.parametrize("history", [True, False])
async def test_history_and_live_join(history: bool) -> None:
    """What was written before comes first where wanted, then what comes: no gap, nothing twice."""
    ring = Ring()
    ring.write(b"before ")
    with ring.subscribe(history) as viewer:
        ring.write(b"after ")
        ring.write(b"it")
    assert await rest_of(viewer) == (b"before after it" if history else b"after it")


async def test_a_viewer_waits_for_what_comes() -> None:
    """An empty ring holds the viewer until something is written; the end of the ring ends it."""
    ring = Ring()
    viewer = ring.subscribe()
    waiting = asyncio.create_task(anext(viewer))
    await asyncio.wait([waiting], timeout=0)
    assert not waiting.done()
    ring.write(b"now")
    ring.write(b"!")
    assert await waiting == b"now!"
    ending = asyncio.create_task(rest_of(viewer))
    await asyncio.wait([ending], timeout=0)
    ring.close()
    assert await ending == b""
    assert not ring.viewers


@pytest.mark.fault("F23")
async def test_a_slow_viewer_loses_and_is_told() -> None:
    """Beyond its queue data is dropped for that viewer alone, in one place, and the place is marked."""
    ring = Ring()
    slow, quick = ring.subscribe(), ring.subscribe()
    block = b"x" * (QUEUED // 2)
    for _ in range(3):
        ring.write(block)
        assert await anext(quick) == block
    ring.write(b"small\n")
    assert await anext(slow) == block * 2
    assert await anext(slow) == f"\n— {len(block) + 6} bytes dropped —\n".encode()
    ring.write(b"again")
    assert await anext(slow) == b"again"
    slow.close()
    quick.close()


async def test_what_is_lost_is_told_at_the_end_too() -> None:
    """A viewer that is closed after a loss still hears of it."""
    ring = Ring()
    with ring.subscribe() as viewer:
        ring.write(b"x" * (QUEUED + 1))
    assert f"{QUEUED + 1} bytes dropped".encode() in await rest_of(viewer)


def test_nothing_written_is_nothing() -> None:
    """Empty writes leave no trace, and a cleared ring has no history."""
    ring = Ring()
    ring.write(b"")
    assert not ring.chunks
    ring.write(b"a")
    ring.clear()
    assert ring.history() == b""
    assert ring.tail(5) == ""


@pytest.mark.parametrize(
    ("written", "lines", "shown"),
    [
        (b"one\ntwo\nthree\n", 2, "two\nthree"),
        (b"one\n\n  \ntwo", 5, "one\ntwo"),
        (b"one\n", 0, ""),
        (b"10%\r20%\r30%\r\ndone", 5, "30%\ndone"),
        (b"\x1b[31mred\x1b[0m \x1b]0;title\x07\xff\x00", 5, "red \ufffd"),
        (b"  indented\tline\n", 5, "  indented\tline"),
        (b"x" * 9000, 1, "x" * (LONGEST_LINE - 1) + "…"),
        ("naïve €".encode(), 1, "naïve €"),
    ],
)
def test_a_tail_is_fit_to_be_shown(written: bytes, lines: int, shown: str) -> None:
    """The last lines that say something: a progress bar's last state, no terminal sequences, nothing endless."""
    ring = Ring()
    ring.write(written)
    assert ring.tail(lines) == shown
