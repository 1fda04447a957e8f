"""What becomes of models, said in the log and in the feed: behind what it tells of, and in its order."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import structlog

from llamaswap_py.config.values import NOTHING
from llamaswap_py.runtime.feed import Feed, ModelChanged

log = structlog.get_logger("conductor")


class Announcer:
    """Whoever waits for a model does not wait for the line that says so."""

    def __init__(self, feed: Feed) -> None:
        self.loop = asyncio.get_running_loop()
        self.feed = feed

    def say(self, change: ModelChanged, text: str = "", fields: Mapping[str, object] = NOTHING) -> None:
        """Without a text the feed alone is told."""
        self.loop.call_soon(self.publish, change, text, fields)

    def warn(self, text: str, fields: Mapping[str, object]) -> None:
        self.loop.call_soon(lambda: log.warning(text, **fields))

    def publish(self, change: ModelChanged, text: str, fields: Mapping[str, object]) -> None:
        if text:
            log.info(f"{change.model}: {text}", **fields)
        self.feed.publish(change)
