"""Runs one asynchronous test on every event loop we serve with."""

from __future__ import annotations

import asyncio
import importlib.util
from collections.abc import Callable, Coroutine

import pytest

LOOPS: dict[str, Callable[[], asyncio.AbstractEventLoop]] = {"asyncio": asyncio.new_event_loop}
if importlib.util.find_spec("uvloop"):
    import uvloop

    LOOPS["uvloop"] = uvloop.new_event_loop

PATIENCE = 30.0  # far above what any of these tests takes; a test that hangs shall say where


def on_every_loop(test: Callable[[], Coroutine[None, None, None]]) -> Callable[[str], None]:
    @pytest.mark.parametrize("loop", LOOPS)
    def run(loop: str) -> None:
        with asyncio.Runner(loop_factory=LOOPS[loop]) as runner:
            runner.run(asyncio.wait_for(test(), PATIENCE))

    run.__name__, run.__doc__, run.__module__ = test.__name__, test.__doc__, test.__module__
    return run
