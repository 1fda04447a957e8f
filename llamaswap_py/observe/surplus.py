"""Memory that long answers took and that nobody uses any more is given back to the system, in the recorder's thread.

The C library gives back only the end of its heap, and some small thing always stands there."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import cache

MUCH = 1024 * 1024  # bytes of bodies that were let go since it was last done
QUIET_SECONDS = 1.0  # so long nothing ends; who is busy would take it again at once


@cache
def trim() -> Callable[[int], int] | None:
    """Found once: each look would leave garbage. Only glibc has it, and only it has the need."""
    if sys.platform != "linux":
        return None
    import ctypes

    return getattr(ctypes.CDLL(None), "malloc_trim", None)


def give_back() -> None:
    """Some milliseconds at most, without the interpreter's lock."""
    if (known := trim()) is not None:
        known(0)


class Surplus:
    def __init__(self, give: Callable[[], object]) -> None:
        self.give = give
        self.let_go = 0

    def add(self, weight: int) -> None:
        self.let_go += weight

    def patience(self, left: float | None) -> float | None:
        """How long to wait for more to do, where there are `left` seconds; None: for ever."""
        if self.let_go < MUCH:
            return left
        return QUIET_SECONDS if left is None else min(left, QUIET_SECONDS)

    def given_back(self) -> bool:
        """Nothing has come for so long. False where nothing was to be done."""
        if self.let_go < MUCH:
            return False
        self.let_go = 0
        self.give()
        return True
