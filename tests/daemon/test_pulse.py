"""What holds the loop up is found, and what stands still with everything else is told apart from it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator

import pytest
import structlog

from llamaswap_py.daemon import voice
from llamaswap_py.daemon.pulse import STANDSTILL_SECONDS, Pulse


@pytest.fixture
def said() -> Iterator[list[str]]:
    lines: list[str] = []
    voice.speak("info", lambda line: lines.append(line.decode()))
    yield lines
    structlog.reset_defaults()


class Watched:
    """A pulse whose looks and whose clock are the test's."""

    def __init__(self) -> None:
        self.now = 100.0
        self.woken: list[float] = []
        self.pulse = Pulse(self.woken.append, lambda: self.now)

    def look(self, seconds: float) -> None:
        """As the thread does it, which the loop's thread waits for: that is what holds it up here."""
        self.now += seconds
        thread = threading.Thread(target=self.pulse.look, args=(self.now,))
        thread.start()
        thread.join()

    async def beats(self) -> None:
        """What the thread asked of the loop before is done."""
        done = asyncio.Event()
        asyncio.get_running_loop().call_soon(done.set)
        await done.wait()


@pytest.mark.fault("O76")
async def test_a_callback_that_holds_the_loop_up_is_logged_with_its_stack(said: list[str]) -> None:
    watched = Watched()
    for _ in range(6):
        watched.look(0.1)
    await watched.beats()
    assert len(said) == 1
    assert said[0].startswith("[WARN] the loop was held up for about 0.55 s by\n")
    assert "in test_a_callback_that_holds_the_loop_up_is_logged_with_its_stack" in said[0]
    assert watched.woken == []


@pytest.mark.fault("O76")
async def test_a_loop_that_turns_is_not_complained_of(said: list[str]) -> None:
    watched = Watched()
    for _ in range(20):
        watched.look(0.1)
        await watched.beats()
    assert said == []


@pytest.mark.fault("O76", "O77")
async def test_a_standstill_of_everything_is_no_fault_of_the_loop_and_is_told(said: list[str]) -> None:
    watched = Watched()
    watched.look(STANDSTILL_SECONDS + 600.2)
    await watched.beats()
    assert [round(seconds) for seconds in watched.woken] == [603]
    assert said == []
