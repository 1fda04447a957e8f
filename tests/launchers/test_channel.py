"""The socket to the keeper: long messages, a slow listener, descriptors that are never lost, one word of the end."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from llamaswap_py.keeper.messages import Reader, encode
from llamaswap_py.launchers.channel import Channel

if TYPE_CHECKING:
    from llamaswap_py.keeper.messages import Message


class Ends:
    """A channel, and the raw socket at its other end."""

    def __init__(self) -> None:
        line, self.far = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        self.heard: list[Message] = []
        self.losses = 0
        self.over = asyncio.Event()
        self.channel = Channel(line, self.heard.append, self.lose)

    def lose(self) -> None:
        self.losses += 1
        self.over.set()


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    """A reading end that tells when every writing end is closed, and a writing end to give away."""
    reading, writing = os.pipe()
    yield reading, writing
    os.close(reading)


def is_let_go(reading: int) -> bool:
    os.set_blocking(reading, False)
    try:
        return os.read(reading, 1) == b""
    except BlockingIOError:
        return False


async def test_a_long_message_waits_for_a_slow_listener(pipe: tuple[int, int]) -> None:
    """Longer than every buffer: it arrives whole, its descriptor with it once, and what came later behind it."""
    ends = Ends()
    long = {"text": "x" * 3_000_000}
    ends.channel.send(long, pipe[1])
    ends.channel.send({"next": 1})
    found: list[Message] = []
    descriptors: list[int] = []
    reader = Reader()

    def listen() -> None:
        while len(found) < 2:
            data, came, _, _ = socket.recv_fds(ends.far, 100_000, 4)
            descriptors.extend(came)
            found.extend(reader.feed(data))

    await asyncio.to_thread(listen)
    assert found == [long, {"next": 1}]
    assert len(descriptors) == 1
    assert not is_let_go(pipe[0])
    os.close(descriptors[0])
    assert is_let_go(pipe[0])
    ends.channel.close()
    ends.far.close()


async def test_descriptors_are_closed_whatever_happens(pipe: tuple[int, int]) -> None:
    """Unsent when the channel closes, or sent to a closed one: nothing keeps the pipe open."""
    ends = Ends()
    ends.channel.send({"text": "x" * 3_000_000})
    ends.channel.send({}, os.dup(pipe[1]))
    ends.channel.close()
    ends.channel.send({}, pipe[1])
    assert is_let_go(pipe[0])
    ends.far.close()


async def test_the_end_is_told_once_after_the_last_word(pipe: tuple[int, int]) -> None:
    """A word that was under way when the other end died is still heard, even if we were speaking ourselves."""
    ends = Ends()
    ends.far.sendall(encode({}))
    ends.far.close()
    ends.channel.send({}, pipe[1])
    assert is_let_go(pipe[0])
    await ends.over.wait()
    ends.channel.close()
    assert (ends.heard, ends.losses) == ([{}], 1)
