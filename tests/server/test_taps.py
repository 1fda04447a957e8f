"""A log as pages are told it."""

from __future__ import annotations

import asyncio
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llamaswap_py.runtime.output import Ring
from llamaswap_py.server.audience import Message
from llamaswap_py.server.taps import MOMENT_BYTES, LogTap


def text_of(event: bytes) -> str:
    data = json.loads(json.loads(event.partition(b"data:")[2])["data"])
    assert data["source"] == "upstream"
    text = data["data"]
    assert isinstance(text, str)
    return text


class Told:
    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.ring = Ring()
        self.tap = LogTap("upstream", self.ring, self.messages.append)

    @property
    def text(self) -> str:
        return "".join(text_of(message.data) for message in self.messages)


@pytest.mark.fault("F24")
@given(st.text(max_size=20).filter(lambda text: text.isprintable()), st.integers(0, 60), st.integers(1, 5))
def test_characters_are_never_torn(text: str, before: int, step: int) -> None:
    """However the bytes are cut, also between what was before and what comes: history and live text are the whole."""

    async def play() -> None:
        told, data = Told(), text.encode()
        told.ring.write(data[:before])
        told.tap.open()
        history = text_of(told.tap.history())
        for at in range(before, len(data), step):
            told.ring.write(data[at : at + step])
            told.tap.flush()
        assert history + told.text == text
        told.tap.close()

    asyncio.run(play())


async def test_what_is_said_within_a_moment_is_one_message() -> None:
    """It is told when the moment is over, by itself."""
    told = Told()
    done: asyncio.Future[Message] = asyncio.get_running_loop().create_future()
    told.tap.tell = done.set_result
    told.tap.open()
    for number in range(100):
        told.ring.write(b"line %d\n" % number)
    message = await asyncio.wait_for(done, 10)
    assert message.log_bytes == len(told.ring.history())
    assert text_of(message.data) == told.ring.history().decode()
    told.tap.close()


async def test_a_flood_within_a_moment_is_cut_and_said() -> None:
    told = Told()
    told.tap.open()
    for _ in range(3):
        told.ring.write(b"x" * (MOMENT_BYTES // 2))
    told.ring.write(b"y")
    told.tap.flush()
    assert told.text == "x" * MOMENT_BYTES + f"\n— {MOMENT_BYTES // 2 + 1} bytes dropped —\n"
    told.ring.write(b"on")
    told.tap.close()
    told.ring.write(b"unheard")
    assert not told.ring.viewers
    assert told.tap.timer is None
