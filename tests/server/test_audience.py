"""Pages that follow: bounded, in order, and told where the gap is."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from llamaswap_py.server.audience import Audience, Message, Page

ROOM = 100


def gap(topic: str, lost: int) -> bytes:
    return f"<{topic}:{lost}>".encode()


def page(opening: Iterable[bytes] = (), room: int = ROOM) -> Page:
    made = Page(Audience(gap, lambda: None), (), room)
    made.queue.extend(opening)
    return made


def log_of(text: bytes, topic: str = "log") -> Message:
    return Message(text, topic, log_bytes=len(text))


def test_messages_come_in_order_after_the_opening() -> None:
    """The opening may be larger than the room; it counts for nothing."""
    reader = page([b"o" * ROOM, b"p"])
    reader.push(Message(b"1", "state"))
    reader.push(log_of(b"2"))
    reader.push(Message(b"3", "state"))
    assert reader.take() == b"o" * ROOM + b"p123"
    assert reader.take() == b""


def test_a_page_that_does_not_read_holds_a_bounded_backlog() -> None:
    """A thousand times the room is told; what is held stays within it."""
    reader = page()
    for _ in range(1000):
        reader.push(log_of(b"x" * 90))
        reader.push(Message(b"s" * 90, "state"))
    assert sum(map(len, reader.queue)) <= ROOM
    assert len(reader.missed) == 1
    assert len(reader.lost) == 1


def test_lost_log_data_is_said_in_one_place_and_states_are_the_latest() -> None:
    """Nothing is queued from the first loss until the page has caught up, even what would fit."""
    reader = page()
    reader.push(log_of(b"a" * 80))
    reader.push(log_of(b"b" * 80))
    reader.push(log_of(b"c"))
    reader.push(log_of(b"dd", "other"))
    reader.push(Message(b"[old]", "state"))
    reader.push(Message(b"[new]", "state"))
    reader.push(Message(b"[upsert]", "requests", lambda: b"[snapshot]"))
    assert reader.take() == b"a" * 80 + b"<log:81><other:2>[new][snapshot]"
    reader.push(log_of(b"on"))
    assert reader.take() == b"on"


def test_what_is_wanted_is_settled_before_a_page_comes_and_after_it_has_gone() -> None:
    """Between them somebody listens; before and after nothing need be made. Who wants no logs is told none."""
    seen: list[tuple[bool, bool]] = []
    audience = Audience(gap, lambda: seen.append((audience.wants("state"), audience.wants("log"))))
    assert not audience.wants("state")
    one, two = audience.join(lambda _: [b"1"], ["log"]), audience.join(lambda _: [b"2"])
    audience.tell(Message(b"x", "state"))
    audience.tell(Message(b"l", "log proxy"))
    assert (one.take(), two.take()) == (b"1x", b"2xl")
    with one:
        audience.leave(two)
        assert seen == [(True, False), (True, True), (True, False)]
    audience.leave(one)  # again, in vain
    assert seen[3:] == [(False, False)]


async def test_who_waits_is_woken_by_news_and_by_the_end() -> None:
    audience = Audience(gap, lambda: None)
    reader = audience.join(lambda _: [])
    waiting = asyncio.ensure_future(reader.next(30))
    asyncio.get_running_loop().call_soon(audience.tell, Message(b"news", "state"))
    assert await waiting == b"news"
    asyncio.get_running_loop().call_soon(audience.close)
    assert await reader.next(30) == b""
    assert await reader.next(30) == b""


async def test_nothing_is_said_when_patience_is_over() -> None:
    assert await page().next(0.001) == b""
