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

PATIENCE = 20.0  # far above what any of these tests takes; a test that hangs shall say where


def on_loop(loop: str, scene: Callable[[], Coroutine[None, None, None]]) -> None:
    with asyncio.Runner(loop_factory=LOOPS[loop]) as runner:
        runner.run(asyncio.wait_for(scene(), PATIENCE))


def on_all_loops(scene: Callable[[], Coroutine[None, None, None]]) -> None:
    """Play a scene once per loop; for tests that have parameters of their own."""
    for loop in LOOPS:
        on_loop(loop, scene)


def on_every_loop(test: Callable[[], Coroutine[None, None, None]]) -> Callable[[str], None]:
    """Make one test per loop of a test without parameters."""

    @pytest.mark.parametrize("loop", LOOPS)
    def run(loop: str) -> None:
        on_loop(loop, test)

    run.__name__, run.__doc__, run.__module__ = test.__name__, test.__doc__, test.__module__
    return run
