"""The records of the running program: built, told of a new configuration, ended."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from llamaswap_py.config.values import Config
from llamaswap_py.observe.activity import Recorder
from llamaswap_py.observe.captures import Captures
from llamaswap_py.observe.inflight import Inflight
from llamaswap_py.runtime.feed import Feed, RowStored
from llamaswap_py.server.recording import Recordings

MIB = 1024 * 1024


class Observing:
    def __init__(self, config: Config, feed: Feed) -> None:
        loop = asyncio.get_running_loop()
        self.feed = feed
        self.captures = Captures(5 * MIB)
        self.recorder = Recorder(loop, self.captures, self.stored)
        self.recordings = Recordings(Inflight(loop), self.recorder)

    def stored(self, ids: Sequence[int]) -> None:
        for row in ids:
            self.feed.publish(RowStored(row))

    async def close(self) -> None:
        await self.recorder.close()
