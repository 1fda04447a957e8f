"""A caller who is behind for a while: what is kept of his answer is cut short, once, and not of one who goes on."""

from __future__ import annotations

import asyncio
import sys

from llamaswap_py.errors import Unloaded
from llamaswap_py.runtime.pool import Pool
from llamaswap_py.runtime.relay import Manner, UpstreamRequest, relay
from llamaswap_py.wire.window import Piece
from tests.fakes.loops import on_every_loop
from tests.fakes.raw_upstream import RawUpstream
from tests.runtime.test_relay import Collector, broken

REQUEST = UpstreamRequest("POST", "/v1", (("Host", "here"),), b"{}")
HALF = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nhe"


class Tap:
    def __init__(self) -> None:
        self.slimmed = asyncio.Event()

    def head(self, head: object, chunked: bool) -> None:
        pass

    def body(self, data: Piece) -> None:
        pass

    def slim(self) -> None:
        assert not self.slimmed.is_set()
        self.slimmed.set()

    def weigh(self, sent: int) -> int:
        return sys.maxsize


@on_every_loop
async def test_who_stands_still_and_who_goes_on() -> None:
    """The second began to wait behind the first, so that his time is up behind the first one's."""
    sinks, taps, asking = [Collector(), Collector()], [Tap(), Tap()], []
    async with RawUpstream() as upstream:
        pool = Pool(upstream.address)
        for sink, tap in zip(sinks, taps, strict=True):
            sink.full = True
            asking.append(asyncio.create_task(relay(pool, REQUEST, sink, broken, manner=Manner(tap=tap))))
            peer = await upstream.peer()
            await peer.answer(HALF)
            await sink.waiting.wait()
            if tap is taps[0]:
                sink.drain.set_result(None)
            await peer.send(b"he")
        assert (await asking[0]).complete
        await taps[1].slimmed.wait()
        assert not taps[0].slimmed.is_set()
        sinks[1].drain.set_result(None)
        assert (await asking[1]).complete
        pool.close(Unloaded("over"))
