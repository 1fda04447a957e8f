"""Whoever listens hears everything until it leaves."""

from __future__ import annotations

import pytest

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


def test_a_listener_that_fails_harms_neither_the_others_nor_whoever_announces(
    capsys: pytest.CaptureFixture[str],
) -> None:
    feed = Feed()
    heard: list[Event] = []

    def fail(event: Event) -> None:
        raise LookupError("the listener's own mistake")

    feed.subscribe(fail)
    feed.subscribe(heard.append)
    feed.publish(ConfigLoaded(("a",)))
    assert heard == [ConfigLoaded(("a",))]
    assert "the listener's own mistake" in capsys.readouterr().out
