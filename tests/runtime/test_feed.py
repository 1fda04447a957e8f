"""Whoever listens hears everything until it leaves."""

from __future__ import annotations

from llamaswap_py.runtime.feed import ConfigLoaded, Event, Feed


def test_the_feed_tells_every_listener_until_it_leaves() -> None:
    feed = Feed()
    first: list[Event] = []
    second: list[Event] = []
    leave = feed.subscribe(first.append)

    def once(event: Event) -> None:
        second.append(event)
        leave()

    feed.subscribe(once)
    feed.publish(ConfigLoaded(("a",)))
    feed.publish(ConfigLoaded(("b",)))
    assert first == [ConfigLoaded(("a",))]
    assert second == [ConfigLoaded(("a",)), ConfigLoaded(("b",))]
