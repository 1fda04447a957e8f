"""When pages are told again of what is in flight: soon where little is, seldom where much is."""

from __future__ import annotations

import asyncio

from llamaswap_py.observe.heard import Heard
from llamaswap_py.observe.inflight import Flight, Inflight
from llamaswap_py.server.audience import Message
from llamaswap_py.server.flights import Flights
from llamaswap_py.server.turns import BUSY, CALM, CROWD, SOON


class Scene:
    def __init__(self) -> None:
        self.inflight = Inflight(asyncio.get_running_loop())
        self.told: list[Message] = []
        self.flights = Flights(self.inflight, self.told.append)
        self.inflight.touched = self.flights.touch
        self.flights.open()

    def comes(self) -> Flight:
        flight = Flight("a", "/v1/chat/completions", "POST", [], "10.0.0.1", 0.0, 0.0, Heard(1000), lambda: None)
        self.inflight.enter(flight)
        return flight

    def is_soon(self) -> bool:
        """Whether the next word comes a calm while after the last, however long this took."""
        assert self.flights.turn.timer is not None
        latest = max(self.flights.said_at + CALM, asyncio.get_running_loop().time() + SOON)
        return self.flights.turn.timer.when() <= latest


async def test_a_few_are_told_of_soon_and_a_crowd_seldom() -> None:
    scene = Scene()
    scene.comes()
    assert scene.is_soon()
    scene.flights.refresh()
    for _ in range(CROWD - 1):
        scene.comes()
    assert scene.is_soon(), "whoever came while there were few is not told of later for those who followed"
    scene.flights.refresh()
    scene.comes()
    assert not scene.is_soon()
    scene.flights.close()


async def test_how_far_a_crowd_is_is_told_as_seldom() -> None:
    scene = Scene()
    crowd = [scene.comes() for _ in range(CROWD)]
    scene.flights.refresh()
    assert scene.flights.turn.timer is not None
    assert scene.flights.turn.timer.when() >= scene.flights.measured_at + BUSY
    crowd[0].heard.body(b"12345")
    scene.flights.refresh()
    assert len(scene.told) == 1, "it was measured just now"
    scene.flights.close()
