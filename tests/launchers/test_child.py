"""A child's output and its end, with a plain pipe in the keeper's place."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from llamaswap_py.launchers.child import LAST_WORDS, Child, Exit

if TYPE_CHECKING:
    from llamaswap_py.keeper.messages import Message


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    """The child closes the first; the second is whoever still writes."""
    reading, writing = os.pipe()
    yield reading, writing
    os.close(writing)


def refuse(_: bytes) -> None:
    raise ValueError("the log is broken")


async def test_the_last_words_come_before_the_end(pipe: tuple[int, int]) -> None:
    """What waits in the pipe when the exit is told is handed on first, though a writer is left; so at `gone`."""
    said: list[bytes] = []
    child = Child(1, 1, pipe[0], said.append, lambda _: None)
    os.write(pipe[1], b"last words")
    child.end(Exit(code=1))
    assert said == [b"last words"]
    assert child.exited.result() == Exit(code=1)
    os.write(pipe[1], b"of another")
    child.vanish()
    child.vanish()
    assert said == [b"last words", b"of another"]
    assert child.gone.done()
    assert child.drain() == 0


async def test_a_writer_that_goes_on_does_not_hold_us(pipe: tuple[int, int]) -> None:
    """A descendant fills the pipe as fast as it is emptied: the end is told all the same."""
    taken = 0

    def refill(data: bytes) -> None:
        nonlocal taken
        taken += len(data)
        os.write(pipe[1], data)

    child = Child(1, 1, pipe[0], refill, lambda _: None)
    os.write(pipe[1], b"x" * 4096)
    child.end(Exit(code=0))
    assert child.exited.done()
    assert LAST_WORDS <= taken <= LAST_WORDS + 65536
    child.close_output()


async def test_a_broken_listener_does_not_hide_the_end(pipe: tuple[int, int]) -> None:
    """Whoever takes the output may fail: the run is told over, and the pipe is let go."""
    child = Child(1, 1, pipe[0], refuse, lambda _: None)
    os.write(pipe[1], b"x")
    with pytest.raises(ValueError, match="broken"):
        child.end(Exit(code=0))
    assert child.exited.done()
    os.write(pipe[1], b"x")
    with pytest.raises(ValueError, match="broken"):
        child.vanish()
    assert child.gone.done()
    assert child.output < 0


async def test_the_dead_are_not_signalled(pipe: tuple[int, int]) -> None:
    """Orders go to the keeper while something lives, and not after."""
    told: list[Message] = []
    child = Child(7, 1, pipe[0], lambda _: None, told.append)
    child.signal_tree(signal.SIGTERM)
    child.kill_tree()
    child.vanish()
    child.signal_tree(signal.SIGTERM)
    child.kill_tree()
    assert told == [{"do": "signal", "id": 7, "sig": 15, "told": False}, {"do": "kill", "id": 7}]


async def test_output_flows_until_nobody_writes() -> None:
    """Each piece comes as it is written, and the end of file lets the pipe go."""
    reading, writing = os.pipe()
    pieces: asyncio.Queue[bytes] = asyncio.Queue()
    child = Child(1, 1, reading, pieces.put_nowait, lambda _: None)
    for piece in (b"one", b"two"):
        os.write(writing, piece)
        assert await pieces.get() == piece
    os.close(writing)
    child.drain_rest()
    assert child.output < 0
